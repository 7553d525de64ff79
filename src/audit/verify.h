/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_AUDIT_VERIFY_H
#define NA_AUDIT_VERIFY_H

#include <apr_tables.h>

#include "audit/line.h"

/* What is verified. */
typedef struct na_audit_task {
    const char *const *files; /* the oldest first */
    int count;                /* at least one */
    const char *key;          /* NULL: plain SHA-256 */
    const char *head;         /* the head file, a fault where it is missing; NULL: without one */
    const char *after; /* the hash that the first record follows; NULL: it has to be record 1 */
} na_audit_task;

/* What came of it. */
typedef struct na_audit_verdict {
    apr_int64_t records;
    na_audit_line first, last; /* where there are records; not to be trusted where `fault` is set */
    const char *fault;         /* what is wrong; NULL: nothing */
    const char *file;          /* where that is; NULL: with the head file */
    apr_int64_t line;          /* from 1; 0: at the file's end */
    const char *warning;       /* NULL: none */
} na_audit_verdict;

/*
 * Follows the chain through the files, and compares its end with the head file. Around a restart
 * two files may be written to in turns: each record is looked for in all of them, in every file in
 * the order it has there. Memory does not grow with the files, which may be written to meanwhile:
 * they are taken as they are at the beginning. Errors, NA_ERR_CONFIGURATION, are of what cannot be
 * read.
 */
na_error *na_audit_verify(apr_pool_t *pool, const na_audit_task *check, na_audit_verdict *report);

#endif
