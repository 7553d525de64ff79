/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/sinks.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <unixd.h>

#include "base/crypto.h"
#include "base/url.h"
#include "httpd/pipe.h"
#include "httpd/startup.h"
#include "ops/program.h"
#include "ops/webhook.h"

#define CALL_TIMEOUT_MS 10000L

/* Filled before the fork. */
static na_shared_sink sinks[NA_SINKS_MAX];
static int sink_count;
static na_sink_state *shared_states;

na_error *na_sinks_start(apr_pool_t *pconf)
{
    void *memory;
    sink_count = 0;
    NA_TRY(na_share(pconf, sizeof *shared_states * NA_SINKS_MAX, "the queues of events", &memory));
    shared_states = memory;
    return NULL;
}

/* ── folders ───────────────────────────────────────────────────────────────────────────────── */

/* For the children alone, who are another user where the server is started by root. */
static na_error *hand_over(apr_pool_t *pool, const char *folder)
{
    struct stat info;
    uid_t owner = geteuid() == 0 ? ap_unixd_config.user_id : geteuid();
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return na_error_new(pool, NA_CONFIGURATION, "cannot open the folder %s: %s", folder,
                            strerror(errno));
    int failed = fstat(fd, &info) != 0 || (info.st_uid != owner && fchown(fd, owner, -1) != 0) ||
                 fchmod(fd, S_IRWXU) != 0;
    close(fd);
    return failed ? na_error_new(pool, NA_CONFIGURATION,
                                 "the folder %s cannot be handed to httpd's user", folder)
                  : NULL;
}

static na_error *make_folder(apr_pool_t *pool, const char *base, const char *folder)
{
    const apr_fileperms_t all_may_pass = APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_UEXECUTE |
                                         APR_FPROT_GEXECUTE | APR_FPROT_WEXECUTE;
    apr_status_t status = apr_dir_make_recursive(base, all_may_pass, pool);
    if (status == APR_SUCCESS)
        status =
            apr_dir_make(folder, APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_UEXECUTE, pool);
    if (status != APR_SUCCESS && !APR_STATUS_IS_EEXIST(status))
        return na_error_new(pool, NA_CONFIGURATION, "cannot make the folder %s: %s", folder,
                            strerror(APR_TO_OS_ERROR(status)));
    return hand_over(pool, folder);
}

/* One folder for each sink, which it keeps when its secrets or its events change. */
static const char *folder_of(apr_pool_t *pool, const char *base, const char *target)
{
    unsigned char hash[NA_SHA256_LEN];
    na_sha256(hash, na_bytes_of(target), na_bytes_of(""));
    return apr_pstrcat(pool, base, "/", na_hex(pool, hash, 16), NULL);
}

/* ── sinks ─────────────────────────────────────────────────────────────────────────────────── */

static na_shared_sink *find(const char *folder)
{
    for (int i = 0; i < sink_count; i++)
        if (strcmp(sinks[i].sink.spool.folder, folder) == 0)
            return &sinks[i];
    return NULL;
}

/* The sink of a target, with its queue; *is_new where it was not there yet. */
static na_error *take_sink(apr_pool_t *pconf, const server_rec *s, const char *target,
                           long max_items, na_shared_sink **taken, int *is_new)
{
    const na_server_conf *conf = na_server_conf_of(s);
    const char *base = conf->plan.delivery.folder
                           ? conf->plan.delivery.folder
                           : ap_runtime_dir_relative(pconf, "nextauth-events");
    const char *folder = folder_of(pconf, base, target);
    *taken = find(folder);
    *is_new = !*taken;
    if (*taken)
        return NULL;
    if (sink_count == NA_SINKS_MAX)
        return na_error_new(pconf, NA_CONFIGURATION, "more than %d sinks of events", NA_SINKS_MAX);
    NA_TRY(make_folder(pconf, base, folder));
    na_shared_sink *made = *taken = &sinks[sink_count];
    *made = (na_shared_sink){.target = target, .http = conf->config->http};
    made->http.timeout_ms =
        made->http.timeout_ms < CALL_TIMEOUT_MS ? made->http.timeout_ms : CALL_TIMEOUT_MS;
    made->http.max_concurrent = 1;
    made->sink.state = &shared_states[sink_count++];
    made->sink.spool = (na_spool){folder, (apr_uint32_t)max_items, &made->sink.state->depth};
    return na_spool_open(&made->sink.spool, pconf);
}

/* Says where, not the path or the query, which may hold a secret; nor a program's arguments. */
static const char *name_of(apr_pool_t *pool, const na_shared_sink *sink)
{
    na_url url;
    const char *folder = strrchr(sink->sink.spool.folder, '/') + 1;
    if (*sink->target == '|')
        return na_pipe_name(pool, sink->target);
    if (!na_url_parse(pool, sink->target, &url))
        return folder;
    return apr_psprintf(pool, "%s (%.8s)", url.origin, folder);
}

static na_error *start_program(apr_pool_t *pconf, na_shared_sink *sink)
{
    na_program *program = apr_pcalloc(pconf, sizeof *program);
    NA_TRY(na_pipe_open(pconf, sink->target, &program->pipe));
    apr_file_pipe_timeout_set(program->pipe, 0);
    sink->sink.data = program;
    sink->sink.send = na_program_send;
    return NULL;
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

static void start_webhook(apr_pool_t *pconf, na_shared_sink *sink, const na_event_rule *rule)
{
    na_webhook *webhook = apr_palloc(pconf, sizeof *webhook);
    *webhook = (na_webhook){sink->target, rule->keys};
    sink->keys = rule->keys;
    sink->sink.data = webhook;
    sink->sink.send = na_webhook_send;
}

na_error *na_sinks_take_rule(apr_pool_t *pconf, const server_rec *s, const na_event_rule *rule,
                             na_shared_sink **sink)
{
    int is_new;
    NA_TRY(take_sink(pconf, s, rule->target, na_server_conf_of(s)->plan.delivery.max_items, sink,
                     &is_new));
    if (!is_new)
        return na_webhook_same_keys((*sink)->keys, rule->keys)
                   ? NULL
                   : na_error_new(pconf, NA_CONFIGURATION,
                                  "NextAuthEvent: the sink %s has another secret in another "
                                  "virtual host",
                                  (*sink)->sink.name);
    (*sink)->sink.name = name_of(pconf, *sink);
    (*sink)->sink.told = count_event;
    if (*rule->target == '|')
        return start_program(pconf, *sink);
    start_webhook(pconf, *sink, rule);
    return NULL;
}

na_error *na_sinks_take_sentry(apr_pool_t *pconf, const server_rec *s, na_shared_sink **sink)
{
    const na_sentry_dsn *dsn = &na_server_conf_of(s)->plan.delivery.sentry->dsn;
    int is_new;
    NA_TRY(take_sink(pconf, s, dsn->text, NA_SENTRY_QUEUE_MAX, sink, &is_new));
    if (!is_new)
        return NULL;
    (*sink)->sink.name = apr_pstrcat(pconf, "Sentry at ", dsn->origin, NULL);
    (*sink)->sink.told = count_report;
    (*sink)->sink.data = (void *)dsn;
    (*sink)->sink.send = na_sentry_send;
    (*sink)->sink.max_attempts = NA_SENTRY_ATTEMPTS_MAX;
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
