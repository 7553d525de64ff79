/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <ap_provider.h>
#include <apr_strings.h>
#include <mod_ssl.h>

#include "httpd/build.h"
#include "httpd/findings.h"

#define YEARS_10 (10L * 365 * 24 * 3600)

na_error *na_build_max_age(na_building *b, const na_written *w)
{
    return na_build_number(b, w->argv[0], 60, YEARS_10, &b->config->session.lifetime.max_age);
}

na_error *na_build_update_age(na_building *b, const na_written *w)
{
    return na_build_number(b, w->argv[0], 0, YEARS_10, &b->config->session.update_age);
}

/* Off, or seconds. */
static na_error *timeout_of(na_building *b, const na_written *w, long *seconds)
{
    *seconds = 0;
    return ap_cstr_casecmp(w->argv[0], "off") == 0
               ? NULL
               : na_build_number(b, w->argv[0], 60, YEARS_10, seconds);
}

na_error *na_build_idle_timeout(na_building *b, const na_written *w)
{
    return timeout_of(b, w, &b->config->session.lifetime.idle);
}

na_error *na_build_absolute_timeout(na_building *b, const na_written *w)
{
    return timeout_of(b, w, &b->config->session.lifetime.absolute);
}

na_error *na_build_strategy(na_building *b, const na_written *w)
{
    int on_server = strcmp(w->argv[0], "database") == 0;
    b->config->session.strategy = on_server ? NA_STRATEGY_DATABASE : NA_STRATEGY_JWT;
    return on_server || strcmp(w->argv[0], "jwt") == 0
               ? NULL
               : na_wrong(b, "'%s': jwt or database is wanted", w->argv[0]);
}

na_error *na_build_bind(na_building *b, const na_written *w)
{
    na_config *config = b->config;
    config->bind_expression = (const na_expression *)w->expression;
    config->bind = strcmp(w->argv[0], "certificate") == 0    ? NA_BIND_CERTIFICATE
                   : strcmp(w->argv[0], "fingerprint") == 0  ? NA_BIND_FINGERPRINT
                   : ap_cstr_casecmp(w->argv[0], "off") == 0 ? NA_BIND_NOTHING
                                                             : NA_BIND_EXPRESSION;
    if (config->bind == NA_BIND_CERTIFICATE && !APR_RETRIEVE_OPTIONAL_FN(ssl_var_lookup))
        return na_wrong(b, "client certificates are mod_ssl's: load it (a2enmod ssl)");
    if (config->bind == NA_BIND_EXPRESSION && !strstr(w->argv[0], "%{") && !strchr(w->argv[0], '('))
        return na_wrong(b,
                        "'%s': certificate, fingerprint, off or an expression with %%{...} is "
                        "wanted",
                        w->argv[0]);
    return NULL;
}

/* ── where sessions are kept ───────────────────────────────────────────────────────────────── */

static na_error *as_seconds(na_building *b, const char *value, void *member)
{
    return na_build_number(b, value, 0, 3600, member);
}

/* refuse, or serve:SECONDS. */
static na_error *as_when_down(na_building *b, const char *value, void *member)
{
    if (strncmp(value, "serve:", 6) == 0)
        return na_build_number(b, value + 6, 1, 24 * 3600, member);
    *(long *)member = 0;
    return strcmp(value, "refuse") == 0
               ? NULL
               : na_wrong(b, "whenDown=%s: refuse or serve:SECONDS is wanted", value);
}

static na_error *add_store_name(na_building *b, const char *name, apr_array_header_t *names)
{
    if (!ap_lookup_provider(NA_STORE_GROUP, name, NA_STORE_VERSION))
        return na_wrong(b, "'%s' is no session store: redis, database, socache or none is wanted",
                        name);
    for (int i = 0; i < names->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(names, i, const char *), name) == 0)
            return na_error_mended_by(na_wrong(b, "'%s' is named twice", name), "leave one out");
    APR_ARRAY_PUSH(names, const char *) = name;
    return NULL;
}

na_error *na_build_session_store(na_building *b, const na_written *w)
{
    static const na_key keys[] = {{"checkInterval", offsetof(na_session_config, check_interval),
                                   as_seconds},
                                  {"whenDown", offsetof(na_session_config, serve_for),
                                   as_when_down},
                                  {NULL, 0, NULL}};
    apr_array_header_t *names = apr_array_make(b->pool, 2, sizeof(const char *));
    int named = 0;
    b->config->session.check_interval = NA_CHECK_INTERVAL; /* not what another server had */
    b->config->session.serve_for = 0;
    for (; named < w->argc && !strchr(w->argv[named], '='); named++)
        if (strcmp(w->argv[named], "none") != 0)
            NA_TRY(add_store_name(b, w->argv[named], names));
    if (!named || (named > 1 && named != names->nelts))
        return na_wrong(b, "none, or the store to write to and then those of before, is wanted");
    b->plan->stores.names = names->nelts ? names : NULL;
    return na_build_keys(b, w, named, keys, &b->config->session);
}

na_error *na_build_socache(na_building *b, const na_written *w)
{
    b->plan->stores.socache = w->argv[0];
    return NULL;
}

/* ── Redis ─────────────────────────────────────────────────────────────────────────────────── */

static na_error *as_duration(na_building *b, const char *value, void *member)
{
    apr_interval_time_t duration;
    if (ap_timeout_parameter_parse(value, &duration, "s") != APR_SUCCESS ||
        duration < apr_time_from_msec(10) || duration > apr_time_from_sec(60))
        return na_wrong(b, "'%s': a time from 10ms to 60s is wanted", value);
    *(long *)member = (long)apr_time_as_msec(duration);
    return NULL;
}

static na_error *as_connections(na_building *b, const char *value, void *member)
{
    long number;
    NA_TRY(na_build_number(b, value, 1, 1000, &number));
    *(int *)member = (int)number;
    return NULL;
}

static const char *part(const char *text)
{
    return text ? text : "-";
}

/* Servers whose options come to the same share connections; a hash, as there are passwords. */
static const char *identity_of(apr_pool_t *pool, const na_redis_options *o)
{
    unsigned char hash[NA_SHA256_LEN];
    const char *all =
        apr_psprintf(pool,
                     "%s\n%d\n%s\n%d\n%s\n%s\n%d\n%ld\n%ld\n%s\n%s\n%s\n%d\n%s\n%s\n%s\n%s\n%s\n%d",
                     part(o->host), o->port, part(o->unix_path), o->tls, part(o->user),
                     part(o->password), o->db, o->timeout_ms, o->connect_timeout_ms,
                     part(o->ca_file), part(o->cert_file), part(o->key_file), o->max_connections,
                     part(o->prefix), part(o->sentinels), part(o->master), part(o->sentinel_user),
                     part(o->sentinel_password), o->cluster);
    na_sha256(hash, na_bytes_of(all), na_bytes_of(""));
    return na_hex(pool, hash, sizeof hash);
}

static na_error *set_redis(na_building *b, const char *url, const na_written *w, int first)
{
    static const na_key keys[] = {
        {"timeout", offsetof(na_redis_options, timeout_ms), as_duration},
        {"connectTimeout", offsetof(na_redis_options, connect_timeout_ms), as_duration},
        {"username", offsetof(na_redis_options, user), na_as_resolved},
        {"password", offsetof(na_redis_options, password), na_as_secret},
        {"caFile", offsetof(na_redis_options, ca_file), na_as_file},
        {"certFile", offsetof(na_redis_options, cert_file), na_as_file},
        {"keyFile", offsetof(na_redis_options, key_file), na_as_file},
        {"maxConnections", offsetof(na_redis_options, max_connections), as_connections},
        {"prefix", offsetof(na_redis_options, prefix), na_as_text},
        {"sentinels", offsetof(na_redis_options, sentinels), na_as_text},
        {"master", offsetof(na_redis_options, master), na_as_text},
        {"sentinelUsername", offsetof(na_redis_options, sentinel_user), na_as_resolved},
        {"sentinelPassword", offsetof(na_redis_options, sentinel_password), na_as_secret},
        {"cluster", offsetof(na_redis_options, cluster), na_as_switch},
        {NULL, 0, NULL}};
    na_redis_options *options = apr_pcalloc(b->pool, sizeof *options);
    NA_TRY(na_redis_url_parse(b->pool, url, options));
    if (w)
        NA_TRY(na_build_keys(b, w, first, keys, options));
    b->plan->stores.redis = options;
    b->plan->stores.redis_identity = identity_of(b->pool, options);
    return na_redis_options_check(b->pool, options);
}

na_error *na_build_redis(na_building *b, const na_written *w)
{
    const char *url;
    NA_TRY(na_as_address(b, w->argv[0], &url));
    return set_redis(b, url, w, 1);
}

/* ── the database ──────────────────────────────────────────────────────────────────────────── */

static na_error *as_schema(na_building *b, const char *value, void *member)
{
    const na_schema *schema = na_schema_find(value);
    if (!schema)
        return na_wrong(b, "schema=%s: authjs, prisma, prisma-without-times or snake is wanted",
                        value);
    *(const na_schema **)member = schema;
    return NULL;
}

static na_error *add_replica(na_building *b, const char *value, void *member)
{
    const apr_array_header_t **replicas = member;
    na_db_options *replica = apr_pcalloc(b->pool, sizeof *replica);
    const char *url;
    NA_TRY(na_as_address(b, value, &url));
    NA_TRY(na_db_url_parse(b->pool, url, ap_server_root_relative(b->pool, ""), replica));
    if (!*replicas)
        *replicas = apr_array_make(b->pool, 2, sizeof(const na_db_options *));
    APR_ARRAY_PUSH((apr_array_header_t *)*replicas, const na_db_options *) = replica;
    return NULL;
}

/* A replica has what its primary has. */
static na_error *finish_replicas(na_building *b, const na_db_options *primary)
{
    for (int i = 0; primary->replicas && i < primary->replicas->nelts; i++) {
        na_db_options *replica = APR_ARRAY_IDX(primary->replicas, i, na_db_options *);
        if (replica->engine != primary->engine)
            return na_error_mended_by(na_wrong(b,
                                               "replica=: it is of another kind than its primary"),
                                      "name a copy of this database");
        if (strcmp(replica->parameters, primary->parameters) == 0)
            return na_error_mended_by(na_wrong(b, "replica=: it is the primary itself"),
                                      "name the copy's own address, or leave replica= out");
        replica->schema = primary->schema;
        replica->max_connections = primary->max_connections;
        replica->timeout_ms = primary->timeout_ms;
    }
    return NULL;
}

static na_error *set_database(na_building *b, const char *url, const na_written *w)
{
    static const na_key keys[] = {{"schema", offsetof(na_db_options, schema), as_schema},
                                  {"maxConnections", offsetof(na_db_options, max_connections),
                                   as_connections},
                                  {"timeout", offsetof(na_db_options, timeout_ms), as_duration},
                                  {"replica", offsetof(na_db_options, replicas), add_replica},
                                  {NULL, 0, NULL}};
    na_db_options *options = apr_pcalloc(b->pool, sizeof *options);
    const char *root = ap_server_root_relative(b->pool, "");
    NA_TRY(na_db_url_parse(b->pool, url, root, options));
    NA_TRY(na_build_keys(b, w, 1, keys, options));
    NA_TRY(finish_replicas(b, options));
    b->config->database = options;
    return na_db_check_driver(b->pool, options);
}

na_error *na_build_database(na_building *b, const na_written *w)
{
    const char *url;
    NA_TRY(na_as_address(b, w->argv[0], &url));
    return set_database(b, url, w);
}

na_error *na_build_role_column(na_building *b, const na_written *w)
{
    return na_as_switch(b, w->argv[0], &b->config->session.role_column);
}

/* ── once all is read ──────────────────────────────────────────────────────────────────────── */

static int names_store(const na_building *b, const char *name)
{
    for (int i = 0; b->plan->stores.names && i < b->plan->stores.names->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(b->plan->stores.names, i, const char *), name) == 0)
            return 1;
    return 0;
}

static void notify(const na_building *b, const char *subject, const char *text, const char *mend)
{
    const na_finding finding = {.group = NA_GROUP_SITE,
                                .subject = subject,
                                .state = NA_WARNING,
                                .message = text,
                                .mend = mend};
    if (!na_findings_add(b->server, &finding))
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_NOTICE, 0, b->server,
                     "mod_nextauth for %s: %s%s%s", b->config->origin, text, mend ? ": " : "",
                     mend ? mend : "");
}

/* What a store needs may have been noted to be wrong itself. */
static int has_wrong_place(const na_building *b, const char *name)
{
    return (strcmp(name, "redis") == 0 && na_build_is_wrong(b, "NextAuthRedis")) ||
           (strcmp(name, "database") == 0 && na_build_is_wrong(b, "NextAuthDatabase")) ||
           (strcmp(name, "socache") == 0 && na_build_is_wrong(b, "NextAuthSOCache"));
}

static na_error *check_store(na_building *b, const char *name)
{
    const char *notice = NULL;
    const na_store_provider *provider = ap_lookup_provider(NA_STORE_GROUP, name, NA_STORE_VERSION);
    if (has_wrong_place(b, name))
        return NULL;
    NA_TRY(provider->check(b->pool, b->server, &notice));
    if (notice)
        notify(b, "NextAuthSessionStore",
               apr_psprintf(b->pool, "NextAuthSessionStore %s: %s", name, notice), NULL);
    return NULL;
}

/* The cache is described by a directive of its own. */
static const na_written *description_of(const na_building *b, const char *name)
{
    return strcmp(name, "socache") == 0
               ? na_build_last_of(na_server_conf_of(b->server)->written, "NextAuthSOCache")
               : NULL;
}

static na_error *check_stores(na_building *b)
{
    const na_written *store = b->at;
    for (int i = 0; i < b->plan->stores.names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(b->plan->stores.names, i, const char *);
        const na_written *description = description_of(b, name);
        na_build_look_at(b, description ? description : store,
                         description ? NULL : "NextAuthSessionStore");
        NA_TRY(na_build_noted(b, check_store(b, name)));
    }
    return NULL;
}

static na_error *finish_redis(na_building *b)
{
    if (!names_store(b, "redis") || b->plan->stores.redis)
        return NULL;
    const char *url = na_build_from_environment(b, "REDIS_URL", "NextAuthRedis");
    return url ? set_redis(b, url, NULL, 0) : NULL;
}

static na_error *check_strategy(na_building *b)
{
    if (b->config->session.strategy != NA_STRATEGY_DATABASE || b->plan->stores.names ||
        na_build_is_wrong(b, "NextAuthSessionStore"))
        return NULL;
    return na_error_mended_by(
        na_wrong(b, "NextAuthSessionStrategy database needs NextAuthSessionStore"),
        "redis, database or socache");
}

static apr_size_t largest_cookie_header(const server_rec *s)
{
    return s->limit_req_fieldsize > 0 ? (apr_size_t)s->limit_req_fieldsize
                                      : DEFAULT_LIMIT_REQUEST_FIELDSIZE;
}

na_error *na_build_finish_session(na_building *b, const apr_array_header_t *written)
{
    const na_written *store = na_build_last_of(written, "NextAuthSessionStore");
    na_session_config *session = &b->config->session;
    NA_TRY(na_build_noted(b, finish_redis(b)));
    b->plan->stores.database = b->config->database;
    na_build_look_at(b, na_build_last_of(written, "NextAuthSessionStrategy"), NULL);
    NA_TRY(na_build_noted(b, check_strategy(b)));
    na_build_look_at(b, store, NULL);
    NA_TRY(na_record_keys_derive(b->pool, b->config->secrets, b->config->secret_count,
                                 &session->record_keys));
    NA_TRY(na_record_namespaces_derive(b->pool, b->config->secrets, b->config->secret_count,
                                       &session->namespaces));
    session->cookie_max = largest_cookie_header(b->server);
    if (b->plan->stores.names) {
        session->lifetime.token = na_lifetime_of_tokens(&session->lifetime);
        return check_stores(b);
    }
    if (!store)
        notify(b, "NextAuthSessionStore",
               "there is no NextAuthSessionStore, so signing out clears cookies only: a copied "
               "session stays valid until it ends",
               "name a store; NextAuthSessionStore none accepts it as it is");
    return NULL;
}
