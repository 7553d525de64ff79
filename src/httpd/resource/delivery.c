/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery of events and error reports: routes of each virtual host, and the threads that send. */
#include <apr_strings.h>

#include "httpd/resource/sinks.h"
#include "httpd/watchdog.h"
#include "httpd/resource/resource.h"

#define LOOK_EVERY (APR_USEC_PER_SEC / 5)

/* ── checking ──────────────────────────────────────────────────────────────────────────────── */

static na_error *take_delivery(apr_pool_t *pool, server_rec *s, const na_directive **at)
{
    const na_server_conf *conf = na_server_conf_of(s);
    const apr_array_header_t *rules = conf->plan.delivery.rules;
    na_shared_sink *sink;
    *at = NULL;
    for (int i = 0; rules && i < rules->nelts; i++) {
        const na_event_rule *rule = &APR_ARRAY_IDX(rules, i, na_event_rule);
        *at = rule->at;
        NA_TRY(na_sinks_take_rule(pool, s, rule, &sink));
    }
    if (!conf->plan.delivery.sentry)
        return NULL;
    *at = na_last_of(conf->written, NextAuthSentry);
    return na_sinks_take_sentry(pool, s, &sink);
}

/* ── routes ────────────────────────────────────────────────────────────────────────────────── */

static na_event_route *route_to(apr_array_header_t *routes, const na_sink *sink)
{
    for (int i = 0; i < routes->nelts; i++)
        if (APR_ARRAY_IDX(routes, i, na_event_route).sink == sink)
            return &APR_ARRAY_IDX(routes, i, na_event_route);
    na_event_route *route = apr_array_push(routes);
    *route = (na_event_route){0, sink};
    return route;
}

static na_error *prepare_events(apr_pool_t *pconf, server_rec *s)
{
    na_server_conf *conf = na_server_conf_of(s);
    na_event_routes *events = apr_pcalloc(pconf, sizeof *events);
    apr_array_header_t *routes = apr_array_make(pconf, 4, sizeof(na_event_route));
    for (int i = 0; i < conf->plan.delivery.rules->nelts; i++) {
        const na_event_rule *rule = &APR_ARRAY_IDX(conf->plan.delivery.rules, i, na_event_rule);
        na_shared_sink *sink;
        NA_TRY(na_sinks_take_rule(pconf, s, rule, &sink));
        route_to(routes, &sink->sink)->kinds |= rule->kinds;
        events->kinds |= rule->kinds;
    }
    events->routes = routes;
    conf->events = events;
    return NULL;
}

static na_error *prepare_sentry(apr_pool_t *pconf, server_rec *s)
{
    na_server_conf *conf = na_server_conf_of(s);
    const na_sentry_options *options = conf->plan.delivery.sentry;
    na_shared_sink *sink;
    void *memory;
    NA_TRY(na_sinks_take_sentry(pconf, s, &sink));
    NA_TRY(na_share(pconf, sizeof(na_sentry_memory), "error reports", &memory));
    conf->sentry = apr_palloc(pconf, sizeof *conf->sentry);
    *conf->sentry = (na_sentry){.options = options,
                                .site = conf->config->origin,
                                .mode = na_mode_name(conf->config->mode),
                                .server_name = s->server_hostname,
                                .sink = &sink->sink,
                                .memory = memory};
    return NULL;
}

/* ── sending ───────────────────────────────────────────────────────────────────────────────── */

static int is_stopping(void *unused)
{
    return na_watchdog_is_ending();
}

static void log_delivery(void *server, na_level level, const char *line)
{
    na_log_server(server, level, "EVENT_ERROR", "events: %s", line);
}

/*
 * Runs in one child process at a time. For a moment after a restart there can be two; the lock of
 * the queue keeps them apart.
 */
static apr_status_t deliver_events(int state, void *data, apr_pool_t *pool)
{
    na_shared_sink *shared = data;
    const na_courier courier = {(void *)shared->server, is_stopping, log_delivery};
    if (state == AP_WATCHDOG_STATE_RUNNING && !is_stopping(NULL))
        na_deliver(&shared->sink, &courier, pool);
    return APR_SUCCESS;
}

/* Each destination has a thread of its own, so that none waits for another. */
static na_error *watch_sinks(apr_pool_t *pconf)
{
    for (int i = 0; na_sinks_get(i); i++)
        NA_TRY(na_watchdog_call(pconf, apr_psprintf(pconf, "_nextauth_events_%d_", i), LOOK_EVERY,
                                na_sinks_get(i), deliver_events));
    return NULL;
}

static na_error *prepare_delivery(apr_pool_t *pconf, server_rec *s)
{
    NA_TRY(na_sinks_open(pconf));
    for (; s; s = s->next) {
        const na_server_conf *conf = na_server_conf_of(s);
        if (conf->config && conf->plan.delivery.rules)
            NA_TRY(prepare_events(pconf, s));
        if (conf->config && conf->plan.delivery.sentry)
            NA_TRY(prepare_sentry(pconf, s));
    }
    return watch_sinks(pconf);
}

static na_error *open_delivery(apr_pool_t *pool, server_rec *s)
{
    for (int i = 0; na_sinks_get(i); i++) {
        na_shared_sink *each = na_sinks_get(i);
        if (*each->target != '|')
            NA_TRY(na_http_make(pool, &each->http, &each->sink.http));
    }
    return NULL;
}

const na_resource na_delivery = {na_sinks_begin, take_delivery, prepare_delivery, open_delivery};
