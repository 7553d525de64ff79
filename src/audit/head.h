/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_AUDIT_HEAD_H
#define NA_AUDIT_HEAD_H

#include "audit/line.h"

/*
 * The head file: where a chain is, in one line of 86 bytes: seq in 20 digits, a space, the hash.
 * Its lock (fcntl) is the chain's.
 */

/*
 * Opens a file of the log, this or another: open(2) with these flags, 0600 where it is made, closed
 * with the pool and by exec. Errors: NA_ERR_CONFIGURATION.
 */
na_error *na_audit_open(apr_pool_t *pool, const char *path, int flags, int *fd);

/* Where the head of a log in a file is. */
const char *na_audit_head_path(apr_pool_t *pool, const char *path);

/* Waits for the lock: F_RDLCK or F_WRLCK; F_UNLCK gives it back. 0 where it fails: errno. */
int na_audit_head_lock(int fd, short type);

typedef enum na_audit_head_state {
    NA_AUDIT_HEAD_THERE,
    NA_AUDIT_HEAD_EMPTY,
    NA_AUDIT_HEAD_BROKEN, /* no head, or not to be read */
} na_audit_head_state;

/* `link` is set in every case: to where a chain starts where nothing else is there. */
na_audit_head_state na_audit_head_read(int fd, na_audit_link *link);

/* 0 where it was not written; errno says why. */
int na_audit_head_write(int fd, const na_audit_link *link);

#endif
