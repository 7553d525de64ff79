/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery of queued items to destinations: webhooks, programs, Sentry. */
#ifndef NA_EVENT_DELIVER_H
#define NA_EVENT_DELIVER_H

#include "base/http.h"
#include "base/json.h"
#include "base/level.h"
#include "event/spool.h"

/* The state of a destination, in memory that all child processes share. */
typedef struct na_sink_state {
    volatile apr_uint32_t depth;   /* items in the queue */
    volatile apr_uint32_t dropped; /* items dropped since the log said that the queue is full */
    int failures;                  /* failed attempts in a row; used with the lock of the queue */
    apr_time_t resume;             /* nothing is sent before this time */
} na_sink_state;

/* What became of an item. */
typedef enum na_fate {
    NA_FATE_DELIVERED,
    NA_FATE_FAILED, /* refused, or given up */
    NA_FATE_DROPPED /* not queued, because the queue was full or a similar item was just queued */
} na_fate;

typedef enum na_outcome {
    NA_DELIVERED,
    NA_LATER,  /* another attempt can succeed */
    NA_REFUSED /* no attempt can succeed */
} na_outcome;

typedef struct na_attempt {
    na_outcome outcome;
    const char *reason;        /* for the log; NULL if delivered */
    apr_interval_time_t pause; /* for which the destination accepts nothing; 0 if it did not say */
} na_attempt;

/* The child process that delivers. */
typedef struct na_courier {
    void *data;
    int (*is_stopping)(void *data); /* returns 1 if the process ends: nothing new is begun */
    void (*log)(void *data, na_level level, const char *line);
} na_courier;

/* A destination. */
typedef struct na_sink na_sink;
struct na_sink {
    const char *name; /* for the log: without secrets, paths, and queries */
    na_spool spool;
    na_sink_state *state;
    void (*told)(na_fate fate); /* counts the fate of every item; or NULL */
    int max_attempts;           /* 0 for as many as fit into three days */
    na_http *http;              /* of the child process; NULL if none is needed */
    void *data;                 /* for `send`, which delivers one item */
    void (*send)(const na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                 const na_spool_item *item, const json_t *json, na_attempt *attempt);
};

/* Counts the fate of an item. */
void na_sink_tell(const na_sink *sink, na_fate fate);

/*
 * Queues an item, a JSON object, under an ID of NA_SPOOL_ID_LEN hex digits. Returns an error when
 * the queue gets full, but not for later items: these are counted as dropped, and na_deliver logs
 * their number when there is room again.
 */
na_error *na_sink_put(const na_sink *sink, apr_pool_t *pool, const char *id, const json_t *json,
                      apr_time_t now);

/*
 * Delivers the items that are due. If an attempt fails, the destination and the item are paused, so
 * that no item blocks others. Does nothing if another child process is delivering. Sets
 * aside what is not a valid item.
 */
void na_deliver(na_sink *sink, const na_courier *courier, apr_pool_t *pool);

/* Sets the outcome of an HTTP response, or of an error without a response. */
void na_attempt_of_response(apr_pool_t *pool, const na_error *error,
                            const na_http_response *response, na_attempt *attempt);

/* Returns how long to wait after that many failures, 1 or more. */
apr_interval_time_t na_delivery_wait(int failures);

#endif
