/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log of a virtual host. */
#ifndef NA_AUDIT_AUDIT_H
#define NA_AUDIT_AUDIT_H

#include <apr_tables.h>

#include "audit/record.h"
#include "db/database.h"

/*
 * A destination of records; `self` is passed to `write`. A record in the database becomes part of
 * the transaction `use`, NULL if there is none. Errors are allocated in `pool`.
 */
typedef struct na_audit_sink {
    void *self;
    na_error *(*write)(void *self, apr_pool_t *pool, na_db_use *use, const na_audit_fields *fields);
} na_audit_sink;

/* Shared by all child processes, in memory that is zero at first. */
typedef struct na_audit_counts {
    apr_uint64_t failures;   /* records that at least one destination did not get */
    apr_uint64_t failed_at;  /* time of the last failure, in seconds */
    apr_uint64_t alarmed_at; /* time of the last alarm, in seconds */
    apr_uint32_t is_failing;
} na_audit_counts;

/* Immutable after startup. */
typedef struct na_audit {
    const apr_array_header_t *sinks; /* na_audit_sink */
    int goes_on;                     /* onFailure=continue */
    na_audit_counts *counts;
    void (*told)(int is_recorded);                               /* counts every record; or NULL */
    void (*alarm)(void *data, int is_failing, const char *text); /* or NULL */
    void *data;                                                  /* for `alarm` */
} na_audit;

/*
 * Records an event in all destinations. `use` is the transaction of the action, NULL if none. Does
 * nothing if `audit` is NULL or the event has no audit name. Returns an error, NA_ERR_UNAVAILABLE,
 * only if the action must not proceed. Calls `alarm` when writing begins to fail, once a minute
 * while it fails, and when it succeeds again. Thread-safe.
 */
na_error *na_audit_write(const na_audit *audit, apr_pool_t *pool, na_db_use *use,
                         const na_event *event);

/* Returns 1 if the last record could not be written, at most `within` ago. Does not try again. */
int na_audit_is_failing(const na_audit *audit, apr_interval_time_t within);

#endif
