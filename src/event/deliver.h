/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_EVENT_DELIVER_H
#define NA_EVENT_DELIVER_H

#include "base/http.h"
#include "base/json.h"
#include "base/level.h"
#include "event/spool.h"

/* How a sink is doing; in memory that all processes share. */
typedef struct na_sink_state {
    volatile apr_uint32_t depth;   /* items in the queue */
    volatile apr_uint32_t dropped; /* since it was full and the log was told so */
    int failures;                  /* attempts that failed in a row, of who delivers */
    apr_time_t resume;             /* nothing is sent before */
} na_sink_state;

/* What became of an item. */
typedef enum na_fate {
    NA_FATE_DELIVERED,
    NA_FATE_FAILED, /* refused for good, or given up */
    NA_FATE_DROPPED /* never queued: the queue was full, or one like it was just sent */
} na_fate;

typedef enum na_outcome {
    NA_DELIVERED,
    NA_LATER,  /* it may be taken another time */
    NA_REFUSED /* it never will be */
} na_outcome;

typedef struct na_attempt {
    na_outcome outcome;
    const char *reason;        /* for the log; NULL where it was delivered */
    apr_interval_time_t pause; /* the sink wants nothing for as long, whatever the outcome */
} na_attempt;

/* The process that delivers. */
typedef struct na_courier {
    void *data;
    int (*is_stopping)(void *data); /* 1: the process ends, nothing more is begun */
    void (*log)(void *data, na_level level, const char *line);
} na_courier;

/* Whom items go to. */
typedef struct na_sink na_sink;
struct na_sink {
    const char *name; /* for the log: no secrets, no paths or queries */
    na_spool spool;
    na_sink_state *state;
    void (*told)(na_fate fate); /* of every item in the end, for who counts; or NULL */
    int max_attempts;           /* 0: as many as fit into three days */
    na_http *http;              /* of who delivers; NULL where none is needed */
    void *data;                 /* of the function, which hands one item over */
    void (*send)(const na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                 const na_spool_item *item, const json_t *json, na_attempt *attempt);
};

/* Tells what became of an item. */
void na_sink_tell(const na_sink *sink, na_fate fate);

/*
 * Queues an item, a JSON object, under an id of NA_SPOOL_ID_LEN hex digits. A queue that is full is
 * an error once: what is dropped after that is counted, and who delivers tells how many it was when
 * there is room again.
 */
na_error *na_sink_put(const na_sink *sink, apr_pool_t *pool, const char *id, const json_t *json,
                      apr_time_t now);

/*
 * Hands over what is due, until nothing is, or the sink fails: then it is left alone for a while,
 * and the item too, so that no item keeps others waiting. Does nothing where another process is at
 * it. What is no item any more, or none that can be read, is set aside.
 */
void na_deliver(na_sink *sink, const na_courier *courier, apr_pool_t *pool);

/* What an HTTP answer means, or an error instead of one. */
void na_attempt_of_response(apr_pool_t *pool, const na_error *error,
                            const na_http_response *response, na_attempt *attempt);

/* How long to wait after so many failures, 1 and more. */
apr_interval_time_t na_delivery_wait(int failures);

#endif
