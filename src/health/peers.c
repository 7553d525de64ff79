/* SPDX-License-Identifier: Apache-2.0 */
/* Health of providers, learned from the calls that sign-ins make. */
#include "health/peers.h"

#include <string.h>

#include <apr_atomic.h>
#include <apr_strings.h>

#include "provider/provider.h"

/* how long a call counts for the health of the provider, and for the clock (seconds) */
#define DOWN_FOR apr_time_from_sec(300)
#define SKEWED_FOR 3600

/* limits the difference to what the field can hold */
#define SKEW_MAX apr_time_from_sec(APR_INT32_MAX)

na_peers *na_peers_make(apr_pool_t *pool, const apr_array_header_t *providers, na_peer *shared,
                        na_breaker_changed *changed, void *data)
{
    na_peers *peers = apr_palloc(pool, sizeof *peers);
    *peers = (na_peers){.providers = providers, .shared = shared};
    peers->breakers =
        apr_palloc(pool, (apr_size_t)(providers->nelts + 1) * sizeof *peers->breakers);
    for (int i = 0; i < providers->nelts; i++) {
        const char *id = APR_ARRAY_IDX(providers, i, const na_provider *)->id;
        peers->breakers[i] = (na_breaker){.name = apr_pstrcat(pool, "provider ", id, NULL),
                                          .health = &shared[i].health,
                                          .changed = changed,
                                          .data = data};
    }
    return peers;
}

static void note_health(const na_breaker *breaker, long status)
{
    apr_pool_t *pool;
    int failed = status == 0 || status >= 500;
    if (!failed && !apr_atomic_read32(&breaker->health->failures))
        return;
    apr_pool_create(&pool, NULL);
    na_error *error = !failed ? NULL
                      : status
                          ? na_error_new(pool, NA_ERR_UNAVAILABLE, "it returned status %ld", status)
                          : na_error_new(pool, NA_ERR_UNAVAILABLE, "no response");
    na_breaker_settle(breaker, pool, error);
    apr_pool_destroy(pool);
}

/* A Date header is exact to the second, and was set at some time during the call. */
static void note_clock(na_peer *peer, apr_interval_time_t took, apr_time_t date)
{
    apr_time_t end = apr_time_now(), start = end - took, skew = 0;
    if (date > end)
        skew = date - end;
    else if (date + apr_time_from_sec(1) < start)
        skew = start - date - apr_time_from_sec(1);
    if (skew > SKEW_MAX)
        skew = SKEW_MAX;
    apr_atomic_set32(&peer->skew, (apr_uint32_t)apr_time_sec(skew));
    apr_atomic_set32(&peer->skew_at, (apr_uint32_t)apr_time_sec(end));
}

static void note_call(void *data, const na_http_call *call)
{
    na_peers *peers = data;
    int provider = call->peer ? na_provider_find(peers->providers, call->peer) : -1;
    if (provider < 0 || !call->had_room)
        return;
    note_health(&peers->breakers[provider], call->status);
    if (call->date)
        note_clock(&peers->shared[provider],
                   (apr_interval_time_t)(call->seconds * APR_USEC_PER_SEC), call->date);
}

const na_http_observer *na_peers_observer(apr_pool_t *pool, na_peers *peers)
{
    na_http_observer *observer = apr_palloc(pool, sizeof *observer);
    *observer = (na_http_observer){peers, note_call};
    return observer;
}

int na_peers_is_down(const na_peers *peers, int provider)
{
    return na_breaker_is_failing(&peers->shared[provider].health, DOWN_FOR);
}

apr_uint32_t na_peers_skew(const na_peers *peers)
{
    apr_uint32_t most = 0, now = (apr_uint32_t)apr_time_sec(apr_time_now());
    for (int i = 0; i < peers->providers->nelts; i++) {
        apr_uint32_t skew = apr_atomic_read32(&peers->shared[i].skew);
        if (skew > most && now - apr_atomic_read32(&peers->shared[i].skew_at) < SKEWED_FOR)
            most = skew;
    }
    return most;
}
