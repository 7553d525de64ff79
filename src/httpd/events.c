/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ap_mpm.h>
#include <apr_atomic.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <http_main.h>
#include <mod_watchdog.h>
#include <unixd.h>

#include "base/crypto.h"
#include "base/url.h"
#include "httpd/module.h"
#include "ops/program.h"
#include "ops/webhook.h"

/* Sinks of a whole server, all virtual hosts together: each has a thread in every child. */
#define SINKS_MAX 32

#define LOOK_EVERY (APR_USEC_PER_SEC / 5)
#define CALL_TIMEOUT_MS 10000L

typedef struct shared_sink {
    na_sink sink;
    const char *target;             /* an address, "|program arguments", or a DSN */
    const apr_array_header_t *keys; /* of a webhook */
    na_http_options http;           /* for the child's own client */
} shared_sink;

/* Filled before the fork, opened in the child. */
static shared_sink sinks[SINKS_MAX];
static int sink_count;
static na_delivery_counts *shared_counts;

const na_delivery_counts *na_events_counts(int sink, const char **name)
{
    if (sink >= sink_count)
        return NULL;
    *name = sinks[sink].sink.name;
    return sinks[sink].sink.counts;
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

static shared_sink *find(const char *folder)
{
    for (int i = 0; i < sink_count; i++)
        if (strcmp(sinks[i].sink.spool.folder, folder) == 0)
            return &sinks[i];
    return NULL;
}

/* The sink of a target, with its queue; *is_new where it was not there yet. */
static na_error *take_sink(apr_pool_t *pconf, const server_rec *s, const char *target,
                           long max_items, shared_sink **taken, int *is_new)
{
    const na_server_conf *conf = na_server_conf_of(s);
    const char *base = conf->delivery.folder ? conf->delivery.folder
                                             : ap_runtime_dir_relative(pconf, "nextauth-events");
    const char *folder = folder_of(pconf, base, target);
    *taken = find(folder);
    *is_new = !*taken;
    if (*taken)
        return NULL;
    if (sink_count == SINKS_MAX)
        return na_error_new(pconf, NA_CONFIGURATION, "more than %d sinks of events", SINKS_MAX);
    NA_TRY(make_folder(pconf, base, folder));
    shared_sink *made = *taken = &sinks[sink_count];
    *made = (shared_sink){.target = target, .http = conf->config->http};
    made->http.timeout_ms =
        made->http.timeout_ms < CALL_TIMEOUT_MS ? made->http.timeout_ms : CALL_TIMEOUT_MS;
    made->http.max_concurrent = 1;
    made->sink.counts = &shared_counts[sink_count++];
    made->sink.spool = (na_spool){folder, (apr_uint32_t)max_items, &made->sink.counts->depth};
    return na_spool_open(&made->sink.spool, pconf);
}

/* Says where, not the path or the query, which may hold a secret; nor a program's arguments. */
static const char *name_of(apr_pool_t *pool, const shared_sink *sink)
{
    na_url url;
    const char *folder = strrchr(sink->sink.spool.folder, '/') + 1;
    if (*sink->target == '|')
        return apr_pstrmemdup(pool, sink->target, 1 + strcspn(sink->target + 1, " "));
    if (!na_url_parse(pool, sink->target, &url))
        return folder;
    return apr_psprintf(pool, "%s (%.8s)", url.origin, folder);
}

static na_error *start_program(apr_pool_t *pconf, shared_sink *sink)
{
    na_program *program = apr_pcalloc(pconf, sizeof *program);
    piped_log *piped = ap_open_piped_log(pconf, sink->target + 1 + strspn(sink->target + 1, " "));
    if (!piped)
        return na_error_new(pconf, NA_CONFIGURATION, "cannot start %s", sink->sink.name);
    program->pipe = ap_piped_log_write_fd(piped);
    apr_file_pipe_timeout_set(program->pipe, 0);
    sink->sink.data = program;
    sink->sink.send = na_program_send;
    return NULL;
}

static void start_webhook(apr_pool_t *pconf, shared_sink *sink, const na_event_rule *rule)
{
    na_webhook *webhook = apr_palloc(pconf, sizeof *webhook);
    *webhook = (na_webhook){sink->target, rule->keys};
    sink->keys = rule->keys;
    sink->sink.data = webhook;
    sink->sink.send = na_webhook_send;
}

static int are_same(const apr_array_header_t *a, const apr_array_header_t *b)
{
    if (a == b)
        return 1;
    if (!a || !b || a->nelts != b->nelts)
        return 0;
    for (int i = 0; i < a->nelts; i++) {
        na_bytes x = APR_ARRAY_IDX(a, i, na_bytes), y = APR_ARRAY_IDX(b, i, na_bytes);
        if (x.len != y.len || memcmp(x.data, y.data, x.len) != 0)
            return 0;
    }
    return 1;
}

static na_error *take_rule(apr_pool_t *pconf, const server_rec *s, const na_event_rule *rule,
                           shared_sink **sink)
{
    int is_new;
    NA_TRY(
        take_sink(pconf, s, rule->target, na_server_conf_of(s)->delivery.max_items, sink, &is_new));
    if (!is_new)
        return are_same((*sink)->keys, rule->keys)
                   ? NULL
                   : na_error_new(pconf, NA_CONFIGURATION,
                                  "NextAuthEvent: the sink %s has two different secrets (for a "
                                  "rotation, write both into one secret=, space separated)",
                                  (*sink)->sink.name);
    (*sink)->sink.name = name_of(pconf, *sink);
    if (*rule->target == '|')
        return start_program(pconf, *sink);
    start_webhook(pconf, *sink, rule);
    return NULL;
}

static na_error *prepare_events(apr_pool_t *pconf, server_rec *s)
{
    na_server_conf *conf = na_server_conf_of(s);
    na_events *events = apr_pcalloc(pconf, sizeof *events);
    apr_array_header_t *routes = apr_array_make(pconf, 4, sizeof(na_event_route));
    for (int i = 0; i < conf->delivery.rules->nelts; i++) {
        const na_event_rule *rule = &APR_ARRAY_IDX(conf->delivery.rules, i, na_event_rule);
        shared_sink *sink;
        NA_TRY(take_rule(pconf, s, rule, &sink));
        na_event_route *route = NULL;
        for (int k = 0; k < routes->nelts && !route; k++)
            if (APR_ARRAY_IDX(routes, k, na_event_route).sink == &sink->sink)
                route = &APR_ARRAY_IDX(routes, k, na_event_route);
        if (!route) {
            route = apr_array_push(routes);
            *route = (na_event_route){0, &sink->sink};
        }
        route->kinds |= rule->kinds;
        events->kinds |= rule->kinds;
    }
    events->routes = routes;
    conf->events = events;
    return NULL;
}

static na_error *prepare_sentry(apr_pool_t *pconf, server_rec *s)
{
    static const char *const modes[] = {
        [NA_PRODUCTION] = "production", [NA_DEVELOPMENT] = "development", [NA_TEST] = "test"};
    na_server_conf *conf = na_server_conf_of(s);
    const na_sentry_options *options = conf->delivery.sentry;
    shared_sink *sink;
    int is_new;
    NA_TRY(take_sink(pconf, s, options->dsn.text, NA_SENTRY_QUEUE_MAX, &sink, &is_new));
    if (is_new) {
        sink->sink.name = apr_pstrcat(pconf, "Sentry at ", options->dsn.origin, NULL);
        sink->sink.data = (void *)&options->dsn;
        sink->sink.send = na_sentry_send;
        sink->sink.max_attempts = NA_SENTRY_ATTEMPTS_MAX;
    }
    conf->sentry = apr_palloc(pconf, sizeof *conf->sentry);
    *conf->sentry = (na_sentry){.options = options,
                                .site = conf->config->origin,
                                .mode = modes[conf->config->mode],
                                .server_name = s->server_hostname,
                                .sink = &sink->sink};
    return NULL;
}

/* ── who delivers ──────────────────────────────────────────────────────────────────────────── */

/* Of this child: it ends, and so many threads are at it. */
static volatile apr_uint32_t is_ending, busy;

static int is_stopping(void *unused)
{
    int state;
    return apr_atomic_read32(&is_ending) || ap_mpm_query(AP_MPMQ_MPM_STATE, &state) != APR_SUCCESS || state == AP_MPMQ_STOPPING;
}

static void write_line(void *unused, na_delivery_level level, const char *line)
{
    ap_log_error(APLOG_MARK, level == NA_DELIVERY_WARNING ? APLOG_WARNING : APLOG_INFO, 0,
                 ap_server_conf, "events: %s", line);
}

/* In one child at a time, but for the moment after a restart: the queue's lock sees to that. */
static apr_status_t deliver(int state, void *sink, apr_pool_t *pool)
{
    static const na_courier courier = {NULL, is_stopping, write_line};
    apr_atomic_inc32(&busy);
    if (state == AP_WATCHDOG_STATE_RUNNING && !is_stopping(NULL))
        na_deliver(sink, &courier, pool);
    apr_atomic_dec32(&busy);
    return APR_SUCCESS;
}

/* Before the pool takes away what the threads use: calls under way are given up within a second. */
static apr_status_t finish(void *unused)
{
    apr_atomic_set32(&is_ending, 1);
    while (apr_atomic_read32(&busy))
        apr_sleep(10 * 1000);
    return APR_SUCCESS;
}

/* A thread for each sink, so that none waits for another. */
static na_error *watch_sinks(apr_pool_t *pconf)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *watch =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    if (sink_count && (!get || !watch))
        return na_error_new(pconf, NA_CONFIGURATION,
                            "NextAuthEvent and NextAuthSentry need mod_watchdog, to deliver: "
                            "load it");
    for (int i = 0; i < sink_count; i++) {
        ap_watchdog_t *watchdog;
        const char *name = apr_psprintf(pconf, "_nextauth_events_%d_", i);
        if (get(&watchdog, name, 0, 1, pconf) != APR_SUCCESS ||
            watch(watchdog, LOOK_EVERY, &sinks[i].sink, deliver) != APR_SUCCESS)
            return na_error_new(pconf, NA_CONFIGURATION, "mod_watchdog takes no callback");
    }
    return NULL;
}

static na_error *share_counts(apr_pool_t *pconf)
{
    const apr_size_t size = sizeof *shared_counts * SINKS_MAX;
    apr_shm_t *shm;
    if (apr_shm_create(&shm, size, NULL, pconf) != APR_SUCCESS)
        return na_error_new(pconf, NA_CONFIGURATION, "no shared memory for the queues of events");
    shared_counts = apr_shm_baseaddr_get(shm);
    memset(shared_counts, 0, size);
    return NULL;
}

na_error *na_events_prepare(apr_pool_t *pconf, server_rec *s)
{
    sink_count = 0;
    NA_TRY(share_counts(pconf));
    for (; s; s = s->next) {
        const na_server_conf *conf = na_server_conf_of(s);
        if (conf->config && conf->delivery.rules)
            NA_TRY(prepare_events(pconf, s));
        if (conf->config && conf->delivery.sentry)
            NA_TRY(prepare_sentry(pconf, s));
    }
    return watch_sinks(pconf);
}

na_error *na_events_open(apr_pool_t *pool, server_rec *s)
{
    for (int i = 0; i < sink_count; i++)
        if (*sinks[i].target != '|')
            NA_TRY(na_http_make(pool, &sinks[i].http, &sinks[i].sink.http));
    apr_pool_pre_cleanup_register(pool, NULL, finish);
    for (; s; s = s->next) {
        na_server_conf *conf = na_server_conf_of(s);
        if (conf->sentry)
            NA_TRY(na_sentry_memory_make(pool, &conf->sentry->memory));
    }
    return NULL;
}
