/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_AUDIT_CHAIN_H
#define NA_AUDIT_CHAIN_H

#include "audit/head.h"

/*
 * Where records go one after the other, each with the hash of the one before: a file or a program's
 * pipe, and the head file that says where the chain is. Many processes write to one at once, each
 * with a chain of its own or one inherited by fork; in one process there must be one chain for a
 * file, as closing another would drop its lock. Safe for threads. Opened files stay usable after
 * privileges were dropped, and are closed with the pool.
 */
typedef struct na_audit_chain na_audit_chain;

/* How long a program may take to read what waits in its pipe, in milliseconds. */
#define NA_AUDIT_PIPE_WAIT 1000

/*
 * Opens a file and PATH.head, 0600 where they are made. `key` as for na_audit_line_make; both texts
 * must live as long as the pool. Errors are NA_ERR_CONFIGURATION: files that cannot be opened, or
 * whose end is no record while there is no head to go on from, or one of another key; none is made
 * then.
 */
na_error *na_audit_chain_open(apr_pool_t *pool, const char *path, const char *key,
                              na_audit_chain **chain);

/* The same over the writing end of a pipe, which is made non-blocking; `name` is for messages. */
na_error *na_audit_chain_over_pipe(apr_pool_t *pool, int fd, const char *name,
                                   const char *head_path, const char *key, na_audit_chain **chain);

/*
 * What those would say, without making or changing anything: for whoever has to know before. A
 * program's key does not matter, as nobody knows what it has.
 */
na_error *na_audit_chain_check(apr_pool_t *pool, const char *path, const char *key);
na_error *na_audit_chain_check_pipe(apr_pool_t *pool, const char *name, const char *head_path);

/*
 * Adds a record, whole or not at all. Errors are NA_ERR_UNAVAILABLE, with what the system said.
 * What a full disk leaves of a record is cut off again; where that cannot be done, the next one
 * starts on a line of its own. A file's record is on the disk when this returns; one that could not
 * be forced there may be in the file all the same.
 */
na_error *na_audit_chain_append(na_audit_chain *chain, apr_pool_t *pool,
                                const na_audit_fields *fields);

#endif
