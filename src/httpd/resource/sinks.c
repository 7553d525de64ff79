/* SPDX-License-Identifier: Apache-2.0 */
/* Destinations of events and error reports, shared by the virtual hosts that name them. */
#include "httpd/resource/sinks.h"

#include <string.h>

#include <apr_strings.h>

#include "base/url.h"
#include "httpd/pipe.h"
#include "httpd/resource/resource.h"
#include "event/program.h"
#include "event/webhook.h"

#define CALL_TIMEOUT_MS 10000L

/* filled when the configuration is checked, opened before the fork */
static na_shared_sink sinks[NA_SINKS_MAX];
static int sink_count;

void na_sinks_begin(apr_pool_t *pconf)
{
    sink_count = 0;
}

/* ── destinations ──────────────────────────────────────────────────────────────────────────── */

static na_shared_sink *find_sink(const char *directory)
{
    for (int i = 0; i < sink_count; i++)
        if (strcmp(sinks[i].sink.spool.directory, directory) == 0)
            return &sinks[i];
    return NULL;
}

/* Finds or adds the destination of a target, with its queue; *is_new is 1 if it was added. */
static na_error *take_sink(apr_pool_t *pool, const server_rec *s, const char *target,
                           long max_items, na_shared_sink **taken, int *is_new)
{
    const na_server_conf *conf = na_server_conf_of(s);
    const char *directory = na_sink_directory_of(pool, &conf->plan.delivery, target);
    *taken = find_sink(directory);
    *is_new = !*taken;
    if (*taken)
        return NULL;
    if (sink_count == NA_SINKS_MAX)
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                               "too many different destinations: at most %d, "
                                               "including Sentry",
                                               NA_SINKS_MAX),
                                  "use one destination for several virtual hosts");
    na_shared_sink *made = *taken = &sinks[sink_count++];
    *made = (na_shared_sink){.server = s, .target = target, .http = conf->config->http};
    made->http.timeout_ms =
        made->http.timeout_ms < CALL_TIMEOUT_MS ? made->http.timeout_ms : CALL_TIMEOUT_MS;
    made->http.max_concurrent = 1;
    made->sink.spool = (na_spool){.directory = directory, .max_items = (apr_uint32_t)max_items};
    return NULL;
}

/* Leaves out path, query, and a program's arguments, all of which can contain a secret. */
static const char *sink_name(apr_pool_t *pool, const na_shared_sink *sink)
{
    na_url url;
    const char *directory = strrchr(sink->sink.spool.directory, '/') + 1;
    if (*sink->target == '|')
        return na_pipe_name(pool, sink->target);
    if (!na_url_parse(pool, sink->target, &url))
        return directory;
    return apr_psprintf(pool, "%s (%.8s)", url.origin, directory);
}

static void count_event(na_fate fate)
{
    static const char *const results[] = {[NA_FATE_DELIVERED] = "delivered",
                                          [NA_FATE_FAILED] = "failed",
                                          [NA_FATE_DROPPED] = "dropped"};
    na_metrics_count(na_process_of_child()->metrics, NA_METRIC_EVENTS_DELIVERED, results[fate],
                     NULL);
}

static void count_report(na_fate fate)
{
    na_metrics_count(na_process_of_child()->metrics, NA_METRIC_ERROR_REPORTS,
                     fate == NA_FATE_DELIVERED ? "sent" : "dropped", NULL);
}

static void aim_at_webhook(apr_pool_t *pool, na_shared_sink *sink, const na_event_rule *rule)
{
    na_webhook *webhook = apr_palloc(pool, sizeof *webhook);
    *webhook = (na_webhook){sink->target, rule->keys};
    sink->keys = rule->keys;
    sink->sink.data = webhook;
    sink->sink.send = na_webhook_send;
}

na_error *na_sinks_take_rule(apr_pool_t *pool, const server_rec *s, const na_event_rule *rule,
                             na_shared_sink **sink)
{
    int is_new;
    NA_TRY(take_sink(pool, s, rule->target, na_server_conf_of(s)->plan.delivery.max_items, sink,
                     &is_new));
    if (!is_new)
        return na_webhook_same_keys((*sink)->keys, rule->keys)
                   ? NULL
                   : na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                                     "destination '%s' has a different secret= in "
                                                     "another virtual host",
                                                     (*sink)->sink.name),
                                        "set the same secret= everywhere; during a rotation, set "
                                        "both secrets, separated by a space");
    (*sink)->sink.name = sink_name(pool, *sink);
    (*sink)->sink.told = count_event;
    if (*rule->target != '|')
        aim_at_webhook(pool, *sink, rule);
    return NULL;
}

na_error *na_sinks_take_sentry(apr_pool_t *pool, const server_rec *s, na_shared_sink **sink)
{
    const na_sentry_dsn *dsn = &na_server_conf_of(s)->plan.delivery.sentry->dsn;
    int is_new;
    NA_TRY(take_sink(pool, s, dsn->text, NA_SENTRY_QUEUE_MAX, sink, &is_new));
    if (!is_new)
        return NULL;
    (*sink)->sink.name = apr_pstrcat(pool, "Sentry at ", dsn->origin, NULL);
    (*sink)->sink.told = count_report;
    (*sink)->sink.data = (void *)dsn;
    (*sink)->sink.send = na_sentry_send;
    (*sink)->sink.max_attempts = NA_SENTRY_ATTEMPTS_MAX;
    return NULL;
}

/* ── before the fork ───────────────────────────────────────────────────────────────────────── */

static na_error *start_program(apr_pool_t *pconf, na_shared_sink *sink)
{
    na_program *program = apr_pcalloc(pconf, sizeof *program);
    NA_TRY(na_pipe_open(pconf, sink->target, &program->pipe));
    apr_file_pipe_timeout_set(program->pipe, 0);
    sink->sink.data = program;
    sink->sink.send = na_program_send;
    return NULL;
}

na_error *na_sinks_open(apr_pool_t *pconf)
{
    void *memory;
    NA_TRY(na_share(pconf, sizeof(na_sink_state) * NA_SINKS_MAX, "the queues of events", &memory));
    for (int i = 0; i < sink_count; i++) {
        na_sink *sink = &sinks[i].sink;
        sink->state = (na_sink_state *)memory + i;
        sink->spool.depth = &sink->state->depth;
        NA_TRY(na_sink_directory_make(pconf, na_spool_segments(pconf, sink->spool.directory)));
        NA_TRY(na_sink_directory_make(pconf, sink->spool.directory));
        NA_TRY(na_spool_open(&sink->spool, pconf));
        if (*sinks[i].target == '|')
            NA_TRY(start_program(pconf, &sinks[i]));
    }
    return NULL;
}

na_shared_sink *na_sinks_get(int index)
{
    return index < sink_count ? &sinks[index] : NULL;
}

void na_sinks_read(apr_array_header_t *readings)
{
    na_reading depth = {.metric = NA_METRIC_EVENT_QUEUE_DEPTH};
    for (int i = 0; i < sink_count; i++)
        if (sinks[i].sink.told == count_event)
            depth.number += sinks[i].sink.state->depth;
    na_reading_add(readings, &depth);
}
