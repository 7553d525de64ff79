/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_EVENT_SENTRY_H
#define NA_EVENT_SENTRY_H

#include "base/log.h"
#include "event/deliver.h"

/* Where reports go: "https://KEY@host[:port][/prefix]/PROJECT". */
typedef struct na_sentry_dsn {
    const char *text; /* without a secret key, which old ones have */
    const char *origin, *key;
    const char *url; /* of the envelopes */
} na_sentry_dsn;

/* The error does not show the text. */
na_error *na_sentry_dsn_parse(apr_pool_t *pool, const char *text, na_sentry_dsn *dsn);

typedef struct na_sentry_options {
    na_sentry_dsn dsn;
    const char *environment, *release;
    double sample_rate;   /* 0 to 1: of the reports that are sent */
    int send_default_pii; /* who and from where: personal data */
} na_sentry_options;

#define NA_SENTRY_REMEMBERED 64

/*
 * What was reported lately, by all processes: in shared memory, all zero at first. A word each,
 * half of it a hash of the report, the other half the second it came in.
 */
typedef struct na_sentry_memory {
    apr_uint64_t reports[NA_SENTRY_REMEMBERED];
} na_sentry_memory;

/* NextAuthSentry of one server. */
typedef struct na_sentry {
    const na_sentry_options *options;
    const char *site; /* https://host[:port] */
    const char *mode;
    const char *server_name;
    const na_sink *sink;
    na_sentry_memory *memory;
} na_sentry;

/* A line of the log, and the request it is of: NULL where it is of none. */
typedef struct na_error_report {
    const na_log_record *record;
    const char *method, *path;
} na_error_report;

/*
 * Queues a report: nothing is waited for. One like another of the last minute is dropped, and so is
 * one that finds the queue full; both are counted. NULL does nothing.
 */
void na_sentry_capture(const na_sentry *sentry, apr_pool_t *pool, const na_error_report *report);

/* sentry_event.c: the event of a report; NULL where it gives no JSON. */
json_t *na_sentry_event(const na_sentry *sentry, apr_pool_t *pool, const char *id, apr_time_t now,
                        const na_error_report *report);

/*
 * A message without what follows a question mark in addresses; and unless `pii`, without words that
 * look like mail addresses and without what is in single quotes, for it is often a user's.
 */
const char *na_sentry_scrub(apr_pool_t *pool, const char *message, int pii);

/* sentry_send.c: an na_sink's function; its data is the na_sentry_dsn. */
void na_sentry_send(const na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                    const na_spool_item *item, const json_t *json, na_attempt *attempt);

/* Seconds that X-Sentry-Rate-Limits, without spaces, wants no errors for; NULL gives 0. */
long na_sentry_limit(const char *header);

#define NA_SENTRY_QUEUE_MAX 100
#define NA_SENTRY_ATTEMPTS_MAX 3

#endif
