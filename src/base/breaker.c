/* SPDX-License-Identifier: Apache-2.0 */
/* A circuit breaker for servers that others depend on. */
#include "base/breaker.h"

#include <apr_atomic.h>
#include <apr_strings.h>

#define BACKOFF_MIN_MS 250
#define BACKOFF_MAX_MS 4000

static apr_uint32_t milliseconds(void)
{
    return (apr_uint32_t)apr_time_as_msec(apr_time_now());
}

static apr_uint32_t seconds(void)
{
    return (apr_uint32_t)apr_time_sec(apr_time_now());
}

static apr_uint32_t backoff(apr_uint32_t failures)
{
    apr_uint32_t most = failures > 5 ? BACKOFF_MAX_MS : BACKOFF_MIN_MS << (failures - 1);
    return most > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : most;
}

/* Returns 1 if the server can be called: it is up, or it is this caller's turn to try. */
static int may_ask(na_breaker_state *health)
{
    if (!apr_atomic_read32(&health->failures))
        return 1;
    apr_uint32_t now = milliseconds(), retry_at = apr_atomic_read32(&health->retry_at);
    if (retry_at - now - 1 < BACKOFF_MAX_MS) /* a clock that was set back does not count */
        return 0;
    return apr_atomic_cas32(&health->retry_at, now + BACKOFF_MAX_MS, retry_at) == retry_at;
}

static void report_change(const na_breaker *breaker, int is_down, const char *message)
{
    if (breaker->changed)
        breaker->changed(breaker->data, is_down, message);
}

static void came_back(const na_breaker *breaker, apr_pool_t *pool)
{
    if (!apr_atomic_xchg32(&breaker->health->failures, 0))
        return;
    report_change(breaker, 0,
                  apr_psprintf(pool, "%s is back, after %u s", breaker->name,
                               seconds() - apr_atomic_read32(&breaker->health->down_at)));
}

static void failed(const na_breaker *breaker, apr_pool_t *pool, const na_error *error)
{
    na_breaker_state *health = breaker->health;
    if (breaker->failed)
        breaker->failed(breaker->data);
    apr_atomic_set32(&health->failed_at, seconds());
    apr_uint32_t before = apr_atomic_inc32(&health->failures);
    apr_atomic_set32(&health->retry_at, milliseconds() + backoff(before + 1));
    if (before)
        return;
    apr_atomic_set32(&health->down_at, seconds());
    report_change(breaker, 1,
                  apr_psprintf(pool, "%s is down: %s", breaker->name, na_error_text(pool, error)));
}

na_error *na_breaker_admit(const na_breaker *breaker, apr_pool_t *pool)
{
    return may_ask(breaker->health)
               ? NULL
               : na_error_new(pool, NA_ERR_UNAVAILABLE, "%s is down", breaker->name);
}

na_error *na_breaker_settle(const na_breaker *breaker, apr_pool_t *pool, na_error *error)
{
    if (na_error_is(error, NA_ERR_UNAVAILABLE))
        failed(breaker, pool, error);
    else if (!na_error_is(error, NA_ERR_BUSY) && /* a call that had no time shows nothing */
             apr_atomic_read32(&breaker->health->failures))
        came_back(breaker, pool);
    return error;
}

int na_breaker_is_failing(const na_breaker_state *health, apr_interval_time_t within)
{
    na_breaker_state *shared = (na_breaker_state *)health;
    return apr_atomic_read32(&shared->failures) &&
           seconds() - apr_atomic_read32(&shared->failed_at) <= apr_time_sec(within);
}
