/* SPDX-License-Identifier: Apache-2.0 */
/* Health of each virtual host: the memory that child processes share, and what is checked. */
#include "httpd/resource/resource.h"

static apr_size_t health_size(const na_config *config)
{
    return APR_ALIGN_DEFAULT(sizeof(na_shared_health) +
                             (apr_size_t)config->providers->nelts * sizeof(na_peer));
}

static na_error *prepare_health(apr_pool_t *pconf, server_rec *first)
{
    apr_size_t size = 0;
    void *memory;
    for (const server_rec *s = first; s; s = s->next)
        if (na_server_conf_of(s)->config)
            size += health_size(na_server_conf_of(s)->config);
    if (!size)
        return NULL;
    NA_TRY(na_share(pconf, size, "the providers' health", &memory));
    char *free = memory;
    for (const server_rec *s = first; s; s = s->next) {
        if (!na_server_conf_of(s)->config)
            continue;
        na_server_conf_of(s)->shared_health = (na_shared_health *)free;
        free += health_size(na_server_conf_of(s)->config);
    }
    return NULL;
}

static void log_provider_change(void *server, int is_down, const char *message)
{
    na_log_server(server, NA_LOG_WARNING, "PROVIDER_STATE", "%s", message);
}

static na_error *open_health_desk(apr_pool_t *pool, server_rec *s)
{
    na_server_conf *conf = na_server_conf_of(s);
    na_shared_health *shared = conf->shared_health;
    na_peers *peers =
        na_peers_make(pool, conf->config->providers, shared->peers, log_provider_change, s);
    na_http_observe(conf->http, na_peers_observer(pool, peers));
    const na_health_site site = {.sessions = &conf->sessions,
                                 .store_names = conf->plan.stores.names,
                                 .db = conf->db,
                                 .peers = peers,
                                 .mail = conf->mails ? &shared->mail : NULL,
                                 .audit = conf->audit};
    return na_health_cache_make(pool, &site, &conf->health_cache);
}

static na_error *open_health(apr_pool_t *pool, server_rec *s)
{
    for (; s; s = s->next)
        if (na_server_conf_of(s)->config)
            NA_TRY(open_health_desk(pool, s));
    return NULL;
}

void na_health_now(const server_rec *s, apr_pool_t *pool, na_health_report *report)
{
    na_health_ask(na_server_conf_of(s)->health_cache, pool, report);
}

const na_resource na_health = {.prepare = prepare_health, .open = open_health};
