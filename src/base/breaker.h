/* SPDX-License-Identifier: Apache-2.0 */
/* Circuit breakers for servers. */
#ifndef NA_BASE_BREAKER_H
#define NA_BASE_BREAKER_H

#include <apr_time.h>

#include "base/error.h"

/*
 * The health of a server, for all processes: in shared memory, all zero at first. After a failure,
 * callers are refused at once, and only one at a time tries again, at growing intervals, so that a
 * dead server blocks one worker, not all.
 */
typedef struct na_breaker_state {
    volatile apr_uint32_t failures;  /* in a row */
    volatile apr_uint32_t retry_at;  /* milliseconds, as their low 32 bits */
    volatile apr_uint32_t down_at;   /* seconds, likewise */
    volatile apr_uint32_t failed_at; /* seconds, likewise: the last time */
} na_breaker_state;

/* Called at each change: "… is down: WHY", "… is back, after 7 s". */
typedef void na_breaker_changed(void *data, int is_down, const char *message);

typedef struct na_breaker {
    const char *name; /* for messages; no secrets */
    na_breaker_state *health;
    na_breaker_changed *changed; /* NULL if none */
    void (*failed)(void *data);  /* called after each call without a response; NULL if none */
    void *data;                  /* argument of both functions */
} na_breaker;

/* Must be called before a call. The error is NA_ERR_UNAVAILABLE if the call would be in vain. */
na_error *na_breaker_admit(const na_breaker *breaker, apr_pool_t *pool);

/*
 * Must be called after the call. An error NA_ERR_UNAVAILABLE is a failure of the server; any other
 * is not. Returns `error`.
 */
na_error *na_breaker_settle(const na_breaker *breaker, apr_pool_t *pool, na_error *error);

/* Returns 1 if the last call failed, at most `within` ago. Makes no call. */
int na_breaker_is_failing(const na_breaker_state *health, apr_interval_time_t within);

#endif
