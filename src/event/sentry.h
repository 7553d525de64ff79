/* SPDX-License-Identifier: Apache-2.0 */
/* Error reports for Sentry. */
#ifndef NA_EVENT_SENTRY_H
#define NA_EVENT_SENTRY_H

#include "base/log.h"
#include "event/deliver.h"

/* "https://KEY@HOST[:PORT][/PREFIX]/PROJECT" */
typedef struct na_sentry_dsn {
    const char *text; /* without the secret key that old DSNs have */
    const char *origin, *key;
    const char *url; /* of the envelopes */
} na_sentry_dsn;

/* The error does not contain the text, which has a key. */
na_error *na_sentry_dsn_parse(apr_pool_t *pool, const char *text, na_sentry_dsn *dsn);

typedef struct na_sentry_options {
    na_sentry_dsn dsn;
    const char *environment, *release;
    double sample_rate;   /* 0 to 1: share of the reports that are sent */
    int send_default_pii; /* 1 to include personal data: user ID, client IP address */
} na_sentry_options;

#define NA_SENTRY_REMEMBERED 64

/*
 * Recent reports of all child processes, in shared memory that is zero at first. In each word, one
 * half is a hash of the report, the other half its time in seconds.
 */
typedef struct na_sentry_memory {
    apr_uint64_t reports[NA_SENTRY_REMEMBERED];
} na_sentry_memory;

/* NextAuthSentry of one virtual host. */
typedef struct na_sentry {
    const na_sentry_options *options;
    const char *site; /* https://host[:port] */
    const char *mode;
    const char *server_name;
    const na_sink *sink;
    na_sentry_memory *memory;
} na_sentry;

/* A log record and its request; the latter members are NULL if it has none. */
typedef struct na_error_report {
    const na_log_record *record;
    const char *method, *path;
} na_error_report;

/*
 * Queues a report, and does not wait. A report is dropped and counted if a similar one was queued
 * in the last minute, or the queue is full. Does nothing if `sentry` is NULL.
 */
void na_sentry_capture(const na_sentry *sentry, apr_pool_t *pool, const na_error_report *report);

/* sentry_event.c: returns the event of a report; NULL if it cannot be encoded as JSON. */
json_t *na_sentry_event(const na_sentry *sentry, apr_pool_t *pool, const char *id, apr_time_t now,
                        const na_error_report *report);

/*
 * Returns a message without the queries of URLs and, unless `pii` is set, without words that look
 * like email addresses and without quoted text, which is often personal data.
 */
const char *na_sentry_scrub(apr_pool_t *pool, const char *message, int pii);

/* sentry_send.c: the `send` of a na_sink whose data is the na_sentry_dsn. */
void na_sentry_send(const na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                    const na_spool_item *item, const json_t *json, na_attempt *attempt);

/* Returns the seconds for which X-Sentry-Rate-Limits (without spaces) forbids errors; 0 if none. */
long na_sentry_limit(const char *header);

#define NA_SENTRY_QUEUE_MAX 100
#define NA_SENTRY_ATTEMPTS_MAX 3

#endif
