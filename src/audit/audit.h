/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_AUDIT_AUDIT_H
#define NA_AUDIT_AUDIT_H

#include <apr_tables.h>

#include "audit/record.h"
#include "db/database.h"

/*
 * The audit log of a server: the sinks that each record goes to, and what is done where it cannot
 * be written.
 */

/*
 * A way to write a record; `self` is its own. A database's is part of the transaction `use`, where
 * there is one (NULL: none). Errors say why, and are made in `pool`.
 */
typedef struct na_audit_sink {
    void *self;
    na_error *(*write)(void *self, apr_pool_t *pool, na_db_use *use, const na_audit_fields *fields);
} na_audit_sink;

/* For all processes that share a log: in shared memory, all zero at first. */
typedef struct na_audit_counts {
    apr_uint64_t failures;   /* not written to one of them at least */
    apr_uint64_t failed_at;  /* seconds: the last time */
    apr_uint64_t alarmed_at; /* seconds */
    apr_uint32_t is_failing;
} na_audit_counts;

/* Immutable once it is made. */
typedef struct na_audit {
    const apr_array_header_t *sinks; /* na_audit_sink */
    int goes_on;                     /* onFailure=continue */
    na_audit_counts *counts;
    void (*told)(int is_recorded); /* of every record, for who counts; or NULL */
    void (*alarm)(void *data, int is_failing, const char *text); /* or NULL */
    void *data;                                                  /* the function's own */
} na_audit;

/*
 * Records an event, in every sink; what it tells of is done in the transaction `use`, NULL: in
 * none. NULL has no log, and an event without an audit name is none of its business. An error,
 * NA_ERR_UNAVAILABLE, is there only where what happens must not go on: then it was told to `alarm`,
 * as every change between failing and not is, and once a minute what lasts. Safe for threads.
 */
na_error *na_audit_write(const na_audit *audit, apr_pool_t *pool, na_db_use *use,
                         const na_event *event);

/* 1 where the last record could not be written, no longer than `within` ago. Writes none. */
int na_audit_is_failing(const na_audit *audit, apr_interval_time_t within);

#endif
