/* SPDX-License-Identifier: Apache-2.0 */
/* Limits health checks: one at a time, and none while the last report is recent. */
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>

#include "health/health.h"

/* maximum age of a report: normally, and while another check is running */
#define FRESH apr_time_from_sec(2)
#define PATIENCE apr_time_from_sec(10)

struct na_health_desk {
    na_health_site site;
    apr_thread_mutex_t *lock; /* protects the members below */
    apr_thread_cond_t *done;
    apr_time_t since; /* start of the running check; 0 if none */
    na_health_report last;
};

na_error *na_health_desk_make(apr_pool_t *pool, const na_health_site *site, na_health_desk **made)
{
    na_health_desk *desk = apr_pcalloc(pool, sizeof *desk);
    desk->site = *site;
    if (apr_thread_mutex_create(&desk->lock, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS ||
        apr_thread_cond_create(&desk->done, pool) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not create the health check mutex");
    *made = desk;
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
static int find_report(na_health_desk *desk, na_health_report *report)
{
    for (;;) {
        apr_time_t now = apr_time_now();
        *report = desk->last;
        if (is_younger(report, now, desk->since ? PATIENCE : FRESH))
            return 1;
        if (!desk->since)
            return 0;
        *report = (na_health_report){.status = NA_UNHEALTHY, .at = now};
        if (now < desk->since || now - desk->since >= PATIENCE)
            return 1;
        apr_thread_cond_timedwait(desk->done, desk->lock, desk->since + PATIENCE - now);
    }
}

void na_health_ask(na_health_desk *desk, apr_pool_t *pool, na_health_report *report)
{
    apr_thread_mutex_lock(desk->lock);
    int answered = find_report(desk, report);
    if (!answered)
        desk->since = apr_time_now();
    apr_thread_mutex_unlock(desk->lock);
    if (answered)
        return;
    na_health_check(&desk->site, pool, report);
    apr_thread_mutex_lock(desk->lock);
    desk->last = *report;
    desk->since = 0;
    apr_thread_cond_broadcast(desk->done);
    apr_thread_mutex_unlock(desk->lock);
}
