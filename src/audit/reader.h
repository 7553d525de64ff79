/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_AUDIT_READER_H
#define NA_AUDIT_READER_H

#include <stdio.h>

#include "audit/line.h"

/* Reads a file of the audit log line by line, in bounded memory whatever is in it. */
typedef struct na_audit_reader {
    const char *path;
    FILE *in;
    apr_off_t left;     /* bytes to read still: what is written meanwhile is not read */
    apr_int64_t number; /* of the current line, from 1 */
    char text[NA_AUDIT_LINE_MAX + 1];
    apr_size_t len; /* of the current line; of one that is too long, what fits */
    int has_end;    /* it had a line feed */
} na_audit_reader;

/* Opens a file as it is now, closed with the pool. Errors: NA_ERR_CONFIGURATION. */
na_error *na_audit_reader_open(apr_pool_t *pool, const char *path, na_audit_reader *reader);

/* Goes to the next line, NUL-terminated; 0 at the end. */
int na_audit_reader_next(na_audit_reader *reader);

#endif
