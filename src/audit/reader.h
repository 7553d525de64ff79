/* SPDX-License-Identifier: Apache-2.0 */
/* Reads audit log files line by line. */
#ifndef NA_AUDIT_READER_H
#define NA_AUDIT_READER_H

#include <stdio.h>

#include "audit/line.h"

/* A file that is being read. Memory is bounded, whatever the file contains. */
typedef struct na_audit_reader {
    const char *path;
    FILE *in;
    apr_off_t left;     /* remaining bytes; what is appended meanwhile is not read */
    apr_int64_t number; /* of the current line, starting at 1 */
    char text[NA_AUDIT_LINE_MAX + 1];
    apr_size_t len; /* of the current line; a line that is too long is cut */
    int has_end;    /* the line has a line feed */
} na_audit_reader;

/* Opens a file, which is closed with the pool. Errors are NA_ERR_CONFIGURATION. */
na_error *na_audit_reader_open(apr_pool_t *pool, const char *path, na_audit_reader *reader);

/* Reads the next line, NUL-terminated. Returns 0 at the end. */
int na_audit_reader_next(na_audit_reader *reader);

#endif
