/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies the hash chain of an audit log. */
#ifndef NA_AUDIT_VERIFY_H
#define NA_AUDIT_VERIFY_H

#include <apr_tables.h>

#include "audit/line.h"

/* The input of a verification. */
typedef struct na_audit_task {
    const char *const *files; /* the oldest first */
    int count;                /* at least one */
    const char *key;          /* NULL for plain SHA-256 */
    const char *head;         /* the head file, which must exist; NULL to verify without one */
    const char *after; /* the hash that the first record follows; NULL if it must be record 1 */
} na_audit_task;

/* The result of a verification. */
typedef struct na_audit_verdict {
    apr_int64_t records;
    na_audit_line first, last; /* set if there are records; not trustworthy if `fault` is set */
    const char *fault;         /* NULL if the chain is valid */
    const char *file;          /* file with the fault; NULL if it is in the head file */
    apr_int64_t line;          /* line of the fault, starting at 1; 0 for the end of the file */
    const char *warning;       /* NULL if none */
} na_audit_verdict;

/*
 * Follows the chain through the files, and compares its end with the head file. Around a restart,
 * records can alternate between two files, so each record is searched in all files, in the order of
 * each file. Memory does not grow with the files. What is appended meanwhile is ignored. Errors,
 * NA_ERR_CONFIGURATION, mean that a file could not be read.
 */
na_error *na_audit_verify(apr_pool_t *pool, const na_audit_task *check, na_audit_verdict *report);

#endif
