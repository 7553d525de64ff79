/* SPDX-License-Identifier: Apache-2.0 */
/* Chains of audit records, each with the hash of the previous one. */
#ifndef NA_AUDIT_CHAIN_H
#define NA_AUDIT_CHAIN_H

#include "audit/head.h"

/*
 * A chain consists of a file, or the pipe of a program, and the head file with its last hash. Many
 * processes can append at once, each with its own chain or one inherited by fork. One process must
 * not have two chains for a file, because closing one would drop the lock of the other.
 * Thread-safe. Files are opened before privileges are dropped, and closed with the pool.
 */
typedef struct na_audit_chain na_audit_chain;

/* time for a program to make room in its pipe, in milliseconds */
#define NA_AUDIT_PIPE_WAIT 1000

/*
 * Opens a file and PATH.head; creates them with mode 0600. `key` is as for na_audit_line_make; both
 * texts must live as long as the pool. Returns NA_ERR_CONFIGURATION, and creates nothing, if a file
 * could not be opened, or the chain cannot be continued: it does not end with a record and has no
 * valid head, or its last record has another key.
 */
na_error *na_audit_chain_open(apr_pool_t *pool, const char *path, const char *key,
                              na_audit_chain **chain);

/* Opens a chain over the writing end of a pipe, and makes that non-blocking. `name` is for logs. */
na_error *na_audit_chain_over_pipe(apr_pool_t *pool, int fd, const char *name,
                                   const char *head_path, const char *key, na_audit_chain **chain);

/*
 * Return the errors of opening, without creating or changing anything. The key of a program does
 * not matter, because its records cannot be read.
 */
na_error *na_audit_chain_check(apr_pool_t *pool, const char *path, const char *key);
na_error *na_audit_chain_check_pipe(apr_pool_t *pool, const char *name, const char *head_path);

/*
 * Appends a record completely or not at all. Errors are NA_ERR_UNAVAILABLE. A partial record on a
 * full disk is removed; if that fails, the next record starts on a new line. In a file, the record
 * is on disk when this returns; records that are appended at once share a flush. If flushing
 * failed, the record can still be in the file.
 */
na_error *na_audit_chain_append(na_audit_chain *chain, apr_pool_t *pool,
                                const na_audit_fields *fields);

#endif
