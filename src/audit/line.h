/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_AUDIT_LINE_H
#define NA_AUDIT_LINE_H

#include "audit/record.h"
#include "base/text.h"

/* A line is shorter, its line feed included: pipes take that much in one piece (PIPE_BUF). */
#define NA_AUDIT_LINE_MAX 4096

#define NA_AUDIT_HASH_LEN 64 /* hex */
#define NA_AUDIT_TIME_LEN 24 /* 2026-01-01T00:00:00.000Z */

/* Beyond, JSON's readers do not count in whole numbers any more. */
#define NA_AUDIT_SEQ_MAX APR_INT64_C(9007199254740991)

/* A record as the next one refers to it; seq 0 and a hash of zeros before the first. */
typedef struct na_audit_link {
    apr_int64_t seq;
    char hash[NA_AUDIT_HASH_LEN + 1];
} na_audit_link;

/* Before the first record. */
void na_audit_link_start(na_audit_link *link);

/* 1 where the text is 64 digits of lower-case hex. */
int na_audit_is_hash(const char *text);

/*
 * The line of a record that follows `last`, with its line feed; *next is where the chain is then.
 * `key` is text, the HMAC's key; NULL: plain SHA-256. NULL where memory is out.
 */
char *na_audit_line_make(apr_pool_t *pool, const na_audit_fields *fields, const char *key,
                         const na_audit_link *last, na_audit_link *next);

/* A line that was read. */
typedef struct na_audit_line {
    na_audit_link link;
    char prev[NA_AUDIT_HASH_LEN + 1];
    char time[NA_AUDIT_TIME_LEN + 1];
} na_audit_line;

/* What is wrong with a line by itself. */
typedef enum na_audit_fault {
    NA_AUDIT_RIGHT,
    NA_AUDIT_CUT_SHORT, /* the beginning of a record */
    NA_AUDIT_NOT_JSON,
    NA_AUDIT_NO_RECORD, /* JSON, and no record */
    NA_AUDIT_EDITED,    /* its hash is another, or of another key */
} na_audit_fault;

/* Reads one line, without its line feed. `line` is set where it is right, or edited. */
na_audit_fault na_audit_line_read(apr_pool_t *pool, na_bytes text, const char *key,
                                  na_audit_line *line);

#endif
