/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <http_main.h>

#include "httpd/answer.h"
#include "httpd/startup.h"

/* ── what processes share ──────────────────────────────────────────────────────────────────── */

static apr_size_t size_of(const na_config *config)
{
    return APR_ALIGN_DEFAULT(sizeof(na_shared_health) +
                             (apr_size_t)config->providers->nelts * sizeof(na_peer));
}

na_error *na_health_prepare(apr_pool_t *pconf, server_rec *first)
{
    apr_size_t size = 0;
    void *memory;
    for (const server_rec *s = first; s; s = s->next)
        if (na_server_conf_of(s)->config)
            size += size_of(na_server_conf_of(s)->config);
    if (!size)
        return NULL;
    NA_TRY(na_share(pconf, size, "the providers' health", &memory));
    char *free = memory;
    for (const server_rec *s = first; s; s = s->next) {
        if (!na_server_conf_of(s)->config)
            continue;
        na_server_conf_of(s)->shared_health = (na_shared_health *)free;
        free += size_of(na_server_conf_of(s)->config);
    }
    return NULL;
}

static void log_change(void *server, int is_down, const char *message)
{
    na_log_server(server, NA_LOG_WARNING, "PROVIDER_STATE", "%s", message);
}

static na_error *open_site(apr_pool_t *pool, server_rec *s)
{
    na_server_conf *conf = na_server_conf_of(s);
    na_shared_health *shared = conf->shared_health;
    na_peers *peers = na_peers_make(pool, conf->config->providers, shared->peers, log_change, s);
    na_http_observe(conf->http, na_peers_observer(pool, peers));
    conf->health = (na_health_site){.sessions = &conf->sessions,
                                    .store_names = conf->plan.stores.names,
                                    .db = conf->db,
                                    .peers = peers,
                                    .mail = conf->mails ? &shared->mail : NULL,
                                    .audit = conf->audit};
    conf->last_health = (na_health_report){0};
    return na_health_desk_make(pool, &conf->health_desk);
}

na_error *na_health_open(apr_pool_t *pool, server_rec *s)
{
    for (; s; s = s->next)
        if (na_server_conf_of(s)->config)
            NA_TRY(open_site(pool, s));
    return NULL;
}

void na_health_now(const server_rec *s, apr_pool_t *pool, na_health_report *report)
{
    na_server_conf *conf = na_server_conf_of(s);
    na_health_ask(conf->health_desk, &conf->last_health, &conf->health, pool, report);
}

/* ── the handler ───────────────────────────────────────────────────────────────────────────── */

/*
 * SetHandler nextauth-health: /live says that this process serves, /ready and the path itself what
 * the site rests on. Everybody may ask: the answer has no names, and asking often costs nothing
 * more.
 */

static int is_within(const char *uri, const char *path)
{
    size_t len = strlen(path);
    return strncmp(uri, path, len) == 0 &&
           ((len && path[len - 1] == '/') || uri[len] == '/' || uri[len] == '\0');
}

/* The path of the <Location> that has the SetHandler; "" where that is in another section. */
static const char *handler_path(const request_rec *r)
{
    const core_server_config *core = ap_get_core_module_config(r->server->module_config);
    const apr_array_header_t *locations = core->sec_url;
    for (int i = locations->nelts - 1; i >= 0; i--) {
        const core_dir_config *section =
            ap_get_core_module_config(APR_ARRAY_IDX(locations, i, ap_conf_vector_t *));
        if (section->expr_handler && !section->r && !section->d_is_fnmatch &&
            is_within(r->uri, section->d))
            return section->d;
    }
    return "";
}

static int answer_report(request_rec *r)
{
    na_health_report report;
    na_health_now(r->server, r->pool, &report);
    return na_answer_json(r, report.status == NA_UNHEALTHY ? HTTP_SERVICE_UNAVAILABLE : HTTP_OK,
                          na_health_json(r->pool, &report));
}

/* A name that is none must not be taken for another: who restarts what is not ready does harm. */
int na_answer_health(request_rec *r)
{
    const char *name = r->uri + strlen(handler_path(r));
    name += *name == '/';
    if (strcmp(name, "live") == 0)
        return na_answer_json(r, HTTP_OK, json_pack("{s:s}", "status", "alive"));
    if (!*name || strcmp(name, "ready") == 0)
        return answer_report(r);
    return na_answer_error(r, HTTP_NOT_FOUND,
                           "below the path of its <Location> nextauth-health has live and ready");
}
