/* SPDX-License-Identifier: Apache-2.0 */
/* Session stores, shared by the virtual hosts that name them, and each virtual host's registry. */
#include <string.h>

#include <ap_provider.h>
#include <apr_atomic.h>
#include <apr_strings.h>
#include <http_main.h>

#include "httpd/resource/resource.h"
#include "metrics/observers.h"
#include "session/epoch.h"

/* limit for all virtual hosts together */
#define STORES_MAX 32

/* verified tokens that a child process remembers, about 1.5 KB each */
#define TOKENS 4096

typedef struct shared_store {
    const char *identity;
    const na_store_provider *provider;
    server_rec *server; /* one of those that name it */
    na_store store;
} shared_store;

/* filled when the configuration is checked, opened in the child process */
static shared_store stores[STORES_MAX];
static int store_count;

void na_register_stores(apr_pool_t *pool)
{
    ap_register_provider(pool, NA_STORE_GROUP, "socache", NA_STORE_VERSION, &na_socache_provider);
    ap_register_provider(pool, NA_STORE_GROUP, "redis", NA_STORE_VERSION, &na_redis_provider);
    ap_register_provider(pool, NA_STORE_GROUP, "database", NA_STORE_VERSION, &na_database_provider);
}

static shared_store *find_store(const char *identity)
{
    for (int i = 0; i < store_count; i++)
        if (strcmp(stores[i].identity, identity) == 0)
            return &stores[i];
    return NULL;
}

na_store_kind na_first_store_kind(const na_server_conf *conf)
{
    const char *name = APR_ARRAY_IDX(conf->plan.stores.names, 0, const char *);
    const na_store_provider *provider = ap_lookup_provider(NA_STORE_GROUP, name, NA_STORE_VERSION);
    return provider->kind;
}

static const char *identity_of(apr_pool_t *pool, const server_rec *s, const char *name,
                               const na_store_provider **provider)
{
    *provider = ap_lookup_provider(NA_STORE_GROUP, name, NA_STORE_VERSION);
    return apr_pstrcat(pool, name, " ", (*provider)->identity(s), NULL);
}

static void begin_stores(apr_pool_t *pconf)
{
    store_count = 0;
}

static na_error *take_store(apr_pool_t *pool, server_rec *s, const char *name)
{
    const na_store_provider *provider;
    const char *identity = identity_of(pool, s, name, &provider);
    if (find_store(identity))
        return NULL;
    if (store_count == STORES_MAX)
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                               "too many different session stores: at most %d",
                                               STORES_MAX),
                                  "use the same options in several virtual hosts, so that they "
                                  "share a store");
    stores[store_count++] = (shared_store){.identity = identity, .provider = provider, .server = s};
    return NULL;
}

static na_error *take_stores(apr_pool_t *pool, server_rec *s, const na_directive **at)
{
    const na_server_conf *conf = na_server_conf_of(s);
    const apr_array_header_t *names = conf->plan.stores.names;
    *at = na_last_of(conf->written, NextAuthSessionStore);
    for (int i = 0; names && i < names->nelts; i++)
        NA_TRY(take_store(pool, s, APR_ARRAY_IDX(names, i, const char *)));
    return NULL;
}

/* The health of a store is shared by all child processes. */
static na_error *share_store_health(apr_pool_t *pconf)
{
    void *memory;
    if (!store_count)
        return NULL;
    NA_TRY(na_share(pconf, sizeof(na_breaker_state) * STORES_MAX, "the stores' health", &memory));
    for (int i = 0; i < store_count; i++)
        stores[i].store.breaker.health = (na_breaker_state *)memory + i;
    return NULL;
}

static na_error *prepare_stores(apr_pool_t *pconf, server_rec *s)
{
    for (int i = 0; i < store_count; i++)
        if (stores[i].provider->prepare)
            NA_TRY(stores[i].provider->prepare(pconf, stores[i].server));
    return share_store_health(pconf);
}

static void log_store_change(void *data, int is_down, const char *message)
{
    const shared_store *store = data;
    na_log_server(store->server, is_down ? NA_LOG_ERROR : NA_LOG_WARNING, "SESSION_STORE_ERROR",
                  "session store: %s", message);
}

static void count_store_failure(void *data)
{
    const shared_store *store = data;
    na_metrics_count(na_process_of_child()->metrics, NA_METRIC_STORE_ERRORS,
                     store->store.breaker.name, NULL);
}

void na_stores_read(apr_array_header_t *readings)
{
    for (int i = 0; i < store_count; i++) {
        const na_breaker *breaker = &stores[i].store.breaker;
        const na_reading up = {NA_METRIC_STORE_UP,
                               {breaker->name},
                               !apr_atomic_read32(&breaker->health->failures)};
        na_reading_add(readings, &up);
    }
}

static void log_refused(void *data, const char *store)
{
    na_log_server(data, NA_LOG_WARNING, "SESSION_STORE_EMPTY",
                  "session store %s is empty, new or was emptied: existing sessions are refused "
                  "unless it has a record of them (whenLost=refuse)",
                  store);
}

static void log_accepted(void *data, const char *store)
{
    na_log_server(data, NA_LOG_WARNING, "SESSION_STORE_EMPTY",
                  "session store %s is empty, new or was emptied: existing sessions are accepted, "
                  "including those that were signed out (whenLost=accept)",
                  store);
}

static na_error *make_registry(apr_pool_t *pool, server_rec *s)
{
    na_server_conf *conf = na_server_conf_of(s);
    const na_session_config *config = &conf->config->session;
    const apr_array_header_t *names = conf->plan.stores.names;
    const na_store **of_server = apr_palloc(pool, (apr_size_t)names->nelts * sizeof *of_server);
    for (int i = 0; i < names->nelts; i++) {
        const na_store_provider *provider;
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        of_server[i] = &find_store(identity_of(pool, s, name, &provider))->store;
    }
    na_epoch_cache *epoch;
    NA_TRY(na_epoch_cache_make(pool, &config->record_keys, config->namespaces, &epoch));
    na_registry *registry = apr_palloc(pool, sizeof *registry);
    *registry = (na_registry){.keys = &config->record_keys,
                              .token_keys = config->token_keys.count ? &config->token_keys : NULL,
                              .namespaces = config->namespaces,
                              .stores = of_server,
                              .store_count = names->nelts,
                              .remember = na_lifetime_remember(&config->lifetime),
                              .use_interval = na_lifetime_use_interval(&config->lifetime),
                              .accepts_lost = config->accepts_lost,
                              .epoch = epoch,
                              .observer = conf->sessions.observer,
                              .forgot = config->accepts_lost ? log_accepted : log_refused,
                              .forgot_data = s};
    conf->sessions.registry = registry;
    if (config->strategy == NA_STRATEGY_DATABASE && na_first_store_kind(conf) == NA_STORE_DATABASE)
        conf->sessions.table = conf->db;
    return NULL;
}

static na_error *open_stores(apr_pool_t *pool, server_rec *s)
{
    const na_session_observer *observer =
        na_metrics_of_sessions(pool, na_process_of_child()->metrics);
    na_token_cache *tokens;
    na_verified *verified = NULL;
    NA_TRY(na_token_cache_make(pool, TOKENS, &tokens));
    for (int i = 0; i < store_count; i++) {
        stores[i].store.breaker.changed = log_store_change;
        stores[i].store.breaker.failed = count_store_failure;
        stores[i].store.breaker.data = &stores[i];
        NA_TRY(stores[i].provider->open(pool, stores[i].server, &stores[i].store));
        stores[i].store.is_memory = stores[i].provider->kind == NA_STORE_MEMORY;
        na_metrics_name(na_process_of_child()->metrics, NA_STORES, stores[i].store.breaker.name);
    }
    for (; s; s = s->next) {
        na_server_conf *conf = na_server_conf_of(s);
        if (!conf->config)
            continue;
        conf->sessions = (na_sessions){.config = &conf->config->session,
                                       .tokens = tokens,
                                       .observer = observer,
                                       .users = conf->db};
        if (conf->plan.stores.names)
            NA_TRY(make_registry(pool, s));
        if (conf->sessions.registry || conf->sessions.users) {
            if (!verified)
                NA_TRY(na_verified_make(pool, &verified));
            conf->sessions.verified = verified;
        }
        if (conf->config->is_by_host)
            NA_TRY(na_tenants_make(pool, conf->config, &conf->sessions, &conf->tenants));
    }
    return NULL;
}

const na_resource na_stores = {begin_stores, take_stores, prepare_stores, open_stores};

/* ── Redis ─────────────────────────────────────────────────────────────────────────────────── */

static na_error *check_redis(apr_pool_t *pool, const server_rec *s, const char **notice)
{
    return na_server_conf_of(s)->plan.stores.redis
               ? NULL
               : na_error_with_hint(
                     na_error_new(pool, NA_ERR_CONFIGURATION,
                                  "session store redis requires NextAuthRedis, or REDIS_URL in the "
                                  "environment"),
                     "set NextAuthRedis redis://HOST");
}

static const char *redis_identity(const server_rec *s)
{
    return na_server_conf_of(s)->plan.stores.redis_identity;
}

static na_error *open_redis(apr_pool_t *pool, server_rec *s, na_store *store)
{
    return na_redis_make(pool, na_server_conf_of(s)->plan.stores.redis, store);
}

/* A session whose revocation Redis evicts, or loses in a crash, can become valid again. */
static na_error *advise_redis(apr_pool_t *pool, const na_store *store)
{
    const char *name = store->breaker.name;
    na_redis_habits habits;
    na_error *error = na_redis_ask_habits(store, pool, &habits);
    if (error)
        return na_error_with_hint(
            na_error_wrap(pool, error, NULL, "could not determine whether %s keeps its entries",
                          name),
            "allow its user to run INFO, or check maxmemory-policy and appendonly yourself");
    if (habits.evicts)
        return na_error_with_hint(
            na_error_new(
                pool, NA_ERR_CONFIGURATION,
                "%s evicts entries when its memory is full (maxmemory-policy %s): sessions "
                "end then, and those without an ID from this module can be valid again",
                name, habits.policy),
            "set maxmemory-policy noeviction, or use a separate Redis server");
    if (!habits.appends)
        return na_error_with_hint(
            na_error_new(pool, NA_ERR_CONFIGURATION,
                         "%s has appendonly off: if it restarts, sessions that were signed out "
                         "since its last snapshot are valid again, and without snapshots all "
                         "sessions end",
                         name),
            "set appendonly yes");
    return NULL;
}

const na_store_provider na_redis_provider = {.kind = NA_STORE_SERVER,
                                             .directive = "NextAuthRedis",
                                             .check = check_redis,
                                             .identity = redis_identity,
                                             .open = open_redis,
                                             .advise = advise_redis};
