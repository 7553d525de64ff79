/* SPDX-License-Identifier: Apache-2.0 */
/* Head files of audit logs: the last record of a chain, and its lock. */
#ifndef NA_AUDIT_HEAD_H
#define NA_AUDIT_HEAD_H

#include "audit/line.h"

/*
 * A head file is one line of 86 bytes: seq in 20 digits, a space, the hash, a line feed. Its fcntl
 * lock is the lock of the chain.
 */

/*
 * Opens a file of the log with open(2) and these flags, mode 0600 if it is created. It is closed
 * with the pool and on exec. Errors are NA_ERR_CONFIGURATION.
 */
na_error *na_audit_open(apr_pool_t *pool, const char *path, int flags, int *fd);

/* Returns the path of the head file of a log file. */
const char *na_audit_head_path(apr_pool_t *pool, const char *path);

/* Waits for the lock (F_RDLCK or F_WRLCK), or releases it (F_UNLCK). Returns 0 and errno on error.
 */
int na_audit_head_lock(int fd, short type);

typedef enum na_audit_head_state {
    NA_AUDIT_HEAD_THERE,
    NA_AUDIT_HEAD_EMPTY,
    NA_AUDIT_HEAD_BROKEN, /* invalid or unreadable */
} na_audit_head_state;

/* Reads a head. Unless it is there, `link` is the start of a chain. */
na_audit_head_state na_audit_head_read(int fd, na_audit_link *link);

/* Writes a head. Returns 0 and errno on error. */
int na_audit_head_write(int fd, const na_audit_link *link);

#endif
