/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the audit log: records with their hashes. */
#ifndef NA_AUDIT_LINE_H
#define NA_AUDIT_LINE_H

#include "audit/record.h"
#include "base/text.h"

/* Lines are shorter, including the line feed, so that a pipe accepts them as a whole (PIPE_BUF). */
#define NA_AUDIT_LINE_MAX 4096

#define NA_AUDIT_HASH_LEN 64 /* hex */
#define NA_AUDIT_TIME_LEN 24 /* 2026-01-01T00:00:00.000Z */

/* the largest integer that all JSON parsers represent exactly */
#define NA_AUDIT_SEQ_MAX APR_INT64_C(9007199254740991)

/* How the next record refers to this one; seq 0 and a hash of zeros before the first record. */
typedef struct na_audit_link {
    apr_int64_t seq;
    char hash[NA_AUDIT_HASH_LEN + 1];
} na_audit_link;

/* Sets the link that the first record refers to. */
void na_audit_link_start(na_audit_link *link);

/* Returns 1 if the text is 64 digits of lower-case hex. */
int na_audit_is_hash(const char *text);

/*
 * Returns the line of a record that follows `last`, with its line feed; *next is its link. `key` is
 * the HMAC key, NULL for plain SHA-256. Returns NULL if out of memory.
 */
char *na_audit_line_make(apr_pool_t *pool, const na_audit_fields *fields, const char *key,
                         const na_audit_link *last, na_audit_link *next);

/* A line that was read. */
typedef struct na_audit_line {
    na_audit_link link;
    char prev[NA_AUDIT_HASH_LEN + 1];
    char time[NA_AUDIT_TIME_LEN + 1];
} na_audit_line;

/* The fault of a line by itself. */
typedef enum na_audit_fault {
    NA_AUDIT_RIGHT,
    NA_AUDIT_CUT_SHORT, /* the beginning of a record */
    NA_AUDIT_NOT_JSON,
    NA_AUDIT_NO_RECORD, /* JSON, but not a record */
    NA_AUDIT_EDITED,    /* the hash does not match, or was created with another key */
} na_audit_fault;

/* Reads one line, without its line feed. `line` is set if the record is valid, or edited. */
na_audit_fault na_audit_line_read(apr_pool_t *pool, na_bytes text, const char *key,
                                  na_audit_line *line);

/*
 * Returns 1 if the line, without its line feed, begins and ends as that of the record `link` does.
 * Unlike na_audit_line_read, this does not compute the hash.
 */
int na_audit_line_has_link(na_bytes text, const na_audit_link *link);

#endif
