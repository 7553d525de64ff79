/* SPDX-License-Identifier: Apache-2.0 */
/* Periodic work on metrics, in one child process at a time: counts sessions, pushes to StatsD. */
#include <string.h>

#include <http_main.h>

#include "httpd/watchdog.h"
#include "httpd/resource/resource.h"
#include "session/listing.h"

/* how soon sessions are counted after their number was asked for */
#define COUNT_INTERVAL apr_time_from_sec(5)

static int have_same_sessions(const na_registry *a, const na_registry *b)
{
    return a->stores[0] == b->stores[0] && strcmp(a->namespaces[0], b->namespaces[0]) == 0;
}

/* Returns 1 if a previous virtual host has the same sessions. */
static int is_counted(const server_rec *s, const na_registry *registry)
{
    for (const server_rec *before = ap_server_conf; before != s; before = before->next) {
        const na_registry *other = na_server_conf_of(before)->sessions.registry;
        if (other && have_same_sessions(other, registry))
            return 1;
    }
    return 0;
}

static na_error *count_all_sessions(apr_pool_t *pool, apr_time_t now, apr_int64_t *total,
                                    int *stores)
{
    *total = *stores = 0;
    for (const server_rec *s = ap_server_conf; s; s = s->next) {
        const na_registry *registry = na_server_conf_of(s)->sessions.registry;
        apr_int64_t count;
        if (!registry || is_counted(s, registry))
            continue;
        NA_TRY(na_registry_count(registry, pool, now, &count));
        *total += count;
        (*stores)++;
    }
    return NULL;
}

static apr_status_t count_sessions(int state, void *unused, apr_pool_t *pool)
{
    na_metrics *metrics = na_process_of_child()->metrics;
    apr_time_t now = apr_time_now();
    apr_int64_t total;
    int stores;
    if (state == AP_WATCHDOG_STATE_STOPPING || !na_metrics_sessions_due(metrics, now))
        return APR_SUCCESS;
    na_error *error = count_all_sessions(pool, now, &total, &stores);
    if (error && !na_is_unavailable(error))
        na_log_server(ap_server_conf, NA_LOG_WARNING, "METRICS_ERROR",
                      "could not count sessions: %s", na_error_text(pool, error));
    if (!error && stores)
        na_metrics_sessions(metrics, total, now);
    return APR_SUCCESS;
}

/* Only the first failure is logged: datagrams can be lost unnoticed anyway. */
static void log_first_error(apr_pool_t *pool, const na_statsd_options *options,
                            const na_error *error)
{
    static int is_logged;
    if (!error || is_logged)
        return;
    is_logged = 1;
    na_log_server(ap_server_conf, NA_LOG_WARNING, "METRICS_ERROR",
                  "NextAuthStatsD %s:%d: %s (logged once)", options->host, options->port,
                  na_error_text(pool, error));
}

static apr_status_t push_statsd(int state, void *data, apr_pool_t *pool)
{
    const na_statsd_options *options = data;
    na_metrics *metrics = na_process_of_child()->metrics;
    if (state == AP_WATCHDOG_STATE_RUNNING)
        log_first_error(pool, options,
                        na_statsd_push(metrics, pool, options, na_metrics_readings(pool),
                                       apr_time_now()));
    return APR_SUCCESS;
}

static const na_statsd_options *statsd_of(const server_rec *s)
{
    while (s && !na_server_conf_of(s)->plan.statsd)
        s = s->next;
    return s ? na_server_conf_of(s)->plan.statsd : NULL;
}

static int has_stores(const server_rec *s)
{
    while (s && !(na_server_conf_of(s)->config && na_server_conf_of(s)->plan.stores.names))
        s = s->next;
    return s != NULL;
}

na_error *na_metrics_watch(apr_pool_t *pconf, const server_rec *s)
{
    const na_statsd_options *statsd = statsd_of(s);
    if (has_stores(s) && na_watchdog_is_here())
        NA_TRY(na_watchdog_call(pconf, NA_WATCHDOG, COUNT_INTERVAL, NULL, count_sessions));
    return statsd ? na_watchdog_call(pconf, NA_WATCHDOG, apr_time_from_sec(statsd->interval),
                                     statsd, push_statsd)
                  : NULL;
}
