/* SPDX-License-Identifier: Apache-2.0 */
/* Limits health checks: one at a time, and none while the last report is recent. */
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>

#include "health/health.h"

/* maximum age of a report: normally, and while another check is running */
#define FRESH apr_time_from_sec(2)
#define PATIENCE apr_time_from_sec(10)

struct na_health_cache {
    na_health_site site;
    apr_thread_mutex_t *lock; /* protects the members below */
    apr_thread_cond_t *done;
    apr_time_t since; /* start of the running check; 0 if none */
    na_health_report last;
};

na_error *na_health_cache_make(apr_pool_t *pool, const na_health_site *site, na_health_cache **made)
{
    na_health_cache *cache = apr_pcalloc(pool, sizeof *cache);
    cache->site = *site;
    if (apr_thread_mutex_create(&cache->lock, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS ||
        apr_thread_cond_create(&cache->done, pool) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not create the health check mutex");
    *made = cache;
    return NULL;
}

static int is_younger(const na_health_report *report, apr_time_t now, apr_interval_time_t age)
{
    return report->at && report->at <= now && now - report->at < age;
}

/*
 * Waits for a running check, with a limit. Returns 1 if *report is set, 0 if the caller must check.
 * The caller holds the lock.
 */
static int find_report(na_health_cache *cache, na_health_report *report)
{
    for (;;) {
        apr_time_t now = apr_time_now();
        *report = cache->last;
        if (is_younger(report, now, cache->since ? PATIENCE : FRESH))
            return 1;
        if (!cache->since)
            return 0;
        *report = (na_health_report){.status = NA_UNHEALTHY, .at = now};
        if (now < cache->since || now - cache->since >= PATIENCE)
            return 1;
        apr_thread_cond_timedwait(cache->done, cache->lock, cache->since + PATIENCE - now);
    }
}

void na_health_ask(na_health_cache *cache, apr_pool_t *pool, na_health_report *report)
{
    apr_thread_mutex_lock(cache->lock);
    int answered = find_report(cache, report);
    if (!answered)
        cache->since = apr_time_now();
    apr_thread_mutex_unlock(cache->lock);
    if (answered)
        return;
    na_health_check(&cache->site, pool, report);
    apr_thread_mutex_lock(cache->lock);
    cache->last = *report;
    cache->since = 0;
    apr_thread_cond_broadcast(cache->done);
    apr_thread_mutex_unlock(cache->lock);
}
