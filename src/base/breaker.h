/* SPDX-License-Identifier: Apache-2.0 */
/* A circuit breaker for servers that others depend on. */
#ifndef NA_BASE_BREAKER_H
#define NA_BASE_BREAKER_H

#include <apr_time.h>

#include "base/error.h"

/*
 * Whether a server that others depend on answers, for all processes that share this: in shared
 * memory, all zero at first. Once it failed, callers are refused at once, and one of them at a time
 * tries again, at growing intervals: a dead server costs one worker, not all.
 */
typedef struct na_breaker_state {
    volatile apr_uint32_t failures;  /* in a row */
    volatile apr_uint32_t retry_at;  /* milliseconds, as their low 32 bits */
    volatile apr_uint32_t down_at;   /* seconds, likewise */
    volatile apr_uint32_t failed_at; /* seconds, likewise: the last time */
} na_breaker_state;

/* Told of each change: "… is down: why", "… is back, after 7 s". */
typedef void na_breaker_changed(void *data, int is_down, const char *message);

typedef struct na_breaker {
    const char *name; /* for messages; no secrets */
    na_breaker_state *health;
    na_breaker_changed *changed; /* NULL if none */
    void (*failed)(void *data);  /* told of each call that was not answered; NULL if none */
    void *data;                  /* the functions' own */
} na_breaker;

/* Before a call: an error with the code NA_ERR_UNAVAILABLE where there is no point in it. */
na_error *na_breaker_admit(const na_breaker *breaker, apr_pool_t *pool);

/*
 * After it. An error with the code NA_ERR_UNAVAILABLE is the server's fault, any other the
 * caller's. Returns `error`.
 */
na_error *na_breaker_settle(const na_breaker *breaker, apr_pool_t *pool, na_error *error);

/* Returns 1 if the last call failed, no longer than `within` ago. Asks nobody. */
int na_breaker_is_failing(const na_breaker_state *health, apr_interval_time_t within);

#endif
