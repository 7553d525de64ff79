/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of providers, shared by all child processes, and refreshed before they are old. */
#include <http_main.h>
#include <util_mutex.h>

#include "httpd/resource/resource.h"
#include "httpd/watchdog.h"
#include "oauth/issuer.h"
#include "oauth/oauth.h"

#define LOOK_EVERY apr_time_from_sec(2)

/* created in the parent process for one configuration, inherited by its child processes */
static na_shared_documents *shared;
static apr_global_mutex_t *mutex;

static void log_failure(void *server, const char *event, const char *text)
{
    na_log_server(server, NA_LOG_WARNING, event, "%s", text);
}

static int is_stopping(void *unused)
{
    return na_watchdog_is_ending();
}

static void refresh_provider(const server_rec *s, apr_pool_t *pool, const na_provider *provider)
{
    const na_server_conf *conf = na_server_conf_of(s);
    const na_oauth oauth = {.pool = pool,
                            .provider = provider,
                            .http = conf->http,
                            .documents = na_process_of_child()->documents,
                            .now = apr_time_now(),
                            .allow_http = conf->config->http.allow_http,
                            .warn = log_failure,
                            .is_cancelled = is_stopping,
                            .data = (void *)s};
    if (provider->type == NA_OIDC && !is_stopping(NULL))
        na_oauth_refresh(&oauth);
}

static void refresh_site(const server_rec *s, apr_pool_t *pool, const na_config *config)
{
    for (int i = 0; i < config->providers->nelts; i++)
        refresh_provider(s, pool, APR_ARRAY_IDX(config->providers, i, const na_provider *));
    for (int i = 0; i < config->issuers->nelts; i++)
        refresh_provider(s, pool, APR_ARRAY_IDX(config->issuers, i, const na_issuer *)->provider);
}

/* Runs in one child process at a time. */
static apr_status_t refresh_documents(int state, void *unused, apr_pool_t *pool)
{
    for (const server_rec *s = ap_server_conf; s; s = s->next)
        if (na_server_conf_of(s)->config && state == AP_WATCHDOG_STATE_RUNNING)
            refresh_site(s, pool, na_server_conf_of(s)->config);
    return APR_SUCCESS;
}

/* A provider that hangs must not delay other periodic work: the thread is this work's own. */
static na_error *prepare_documents(apr_pool_t *pconf, server_rec *s)
{
    void *memory;
    mutex = NULL;
    if (!na_is_any_on(s))
        return NULL;
    NA_TRY(na_share(pconf, sizeof *shared, "provider documents", &memory));
    shared = memory;
    if (ap_global_mutex_create(&mutex, NULL, NA_DOCUMENT_MUTEX, NULL, s, pconf, 0) != APR_SUCCESS)
        return na_error_new(pconf, NA_ERR_CONFIGURATION,
                            "could not create the mutex of provider documents");
    return na_watchdog_is_here() ? na_watchdog_call(pconf, "_nextauth_documents_", LOOK_EVERY, NULL,
                                                    refresh_documents)
                                 : NULL;
}

static na_error *open_documents(apr_pool_t *pool, server_rec *s)
{
    if (mutex &&
        apr_global_mutex_child_init(&mutex, apr_global_mutex_lockfile(mutex), pool) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "could not open the mutex of provider documents");
    return na_documents_make(pool, shared, mutex, &na_process_of_child()->documents);
}

const na_resource na_provider_documents = {.prepare = prepare_documents, .open = open_documents};
