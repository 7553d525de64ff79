/* SPDX-License-Identifier: Apache-2.0 */
/* nextauthctl check --connect: connects to providers, databases, session stores and mail. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <ap_provider.h>
#include <apr_signal.h>
#include <apr_strings.h>

#include "base/clock.h"
#include "base/url.h"
#include "db/database.h"
#include "db/migrate.h"
#include "httpd/config/build.h"
#include "httpd/findings.h"
#include "oauth/introspection.h"

/* seconds; the Date header itself is only precise to one */
#define SKEW_MAX (2 * NA_CLOCK_TOLERANCE)

typedef struct connecting {
    const na_builder *b;
    apr_pool_t *pool; /* closes all connections when it is destroyed */
    na_http *http;
    na_documents *documents;
    apr_interval_time_t skew; /* of the clock that differs most */
    const char *skewed;       /* the provider with that clock; NULL if none answered */
} connecting;

static void add_result(const connecting *c, const char *subject, const char *done,
                       const na_error *error, const char *hint)
{
    const char *own = error ? na_error_hint(error) : NULL;
    na_findings_say(c->b->server, NA_GROUP_CONNECTIONS, subject, error ? NA_WRONG : NA_RIGHT,
                    !error ? NULL
                    : own  ? own
                           : hint,
                    "%s", error ? na_error_reason(c->b->pool, error) : done);
}

/* ── providers ─────────────────────────────────────────────────────────────────────────────── */

static void note_clock(connecting *c, const char *id, apr_time_t date)
{
    apr_interval_time_t skew = date ? date - apr_time_now() : 0;
    if ((skew < 0 ? -skew : skew) <= (c->skew < 0 ? -c->skew : c->skew))
        return;
    c->skew = skew;
    c->skewed = id;
}

/* Any response is enough: the server is reachable, and its certificate is trusted. */
static na_error *reach_endpoint(connecting *c, const char *id, const char *url)
{
    na_http_request request = {.url = url};
    na_http_response response;
    if (!url)
        return NULL;
    NA_TRY(na_http_fetch(c->http, c->pool, &request, &response));
    note_clock(c, id, response.date);
    return NULL;
}

static na_error *read_keys(connecting *c, const char *id, const char *url)
{
    na_http_request request = {.url = url};
    na_http_response response;
    const na_jwks *keys;
    if (!url)
        return na_error_new(c->pool, NA_ERR_OAUTH_CALLBACK, "the provider publishes no key set");
    NA_TRY(na_http_fetch(c->http, c->pool, &request, &response));
    note_clock(c, id, response.date);
    if (response.status != 200)
        return na_error_new(c->pool, NA_ERR_OAUTH_CALLBACK, "'%s' returned status %ld", url,
                            response.status);
    return na_jwks_parse(c->pool, (const char *)response.body.data, response.body.len, &keys);
}

static na_error *compare_token_auth(connecting *c, const na_oauth *oauth,
                                    const na_metadata *metadata)
{
    na_token_auth auth;
    int is_offered;
    NA_TRY(na_oauth_token_auth(oauth, metadata, &auth, &is_offered));
    if (!is_offered)
        na_findings_say(c->b->server, NA_GROUP_CONNECTIONS, oauth->provider->id, NA_WARNING,
                        "remove token_endpoint_auth_method= to use a method that it offers",
                        "the provider does not offer token_endpoint_auth_method=%s",
                        na_token_auth_name(auth));
    return NULL;
}

static na_error *ask_provider(connecting *c, const na_provider *p)
{
    const na_oauth oauth = {.pool = c->pool,
                            .provider = p,
                            .http = c->http,
                            .documents = c->documents,
                            .now = apr_time_now(),
                            .allow_http = c->b->config->http.allow_http};
    na_metadata metadata;
    NA_TRY(na_oauth_metadata(&oauth, &metadata));
    NA_TRY(compare_token_auth(c, &oauth, &metadata));
    NA_TRY(na_oauth_check_request(&oauth, &metadata));
    if (p->type == NA_OIDC)
        return read_keys(c, p->id, metadata.jwks_url);
    NA_TRY(reach_endpoint(c, p->id, metadata.authorization_url));
    return reach_endpoint(c, p->id, metadata.token_url);
}

static void try_providers(connecting *c)
{
    for (int i = 0; i < c->b->config->providers->nelts; i++) {
        const na_provider *p = APR_ARRAY_IDX(c->b->config->providers, i, const na_provider *);
        if (p->type == NA_OIDC)
            add_result(
                c, p->id, "discovery document and key set are available, and the issuer matches",
                ask_provider(c, p),
                "check that issuer= is the provider's issuer, and that outgoing connections are "
                "allowed");
        if (p->type == NA_OAUTH)
            add_result(c, p->id, "authorization and token endpoints respond", ask_provider(c, p),
                       "check that the URLs are the provider's, and that outgoing connections are "
                       "allowed");
    }
}

/* ── issuers of access tokens ──────────────────────────────────────────────────────────────── */

/* A token that no one issued is not active, which only a known client is told. */
static na_error *ask_issuer(connecting *c, const na_issuer *issuer)
{
    const na_oauth oauth = {.pool = c->pool,
                            .provider = issuer->provider,
                            .http = c->http,
                            .documents = c->documents,
                            .now = apr_time_now(),
                            .allow_http = c->b->config->http.allow_http};
    na_metadata metadata = {.jwks_url = issuer->provider->jwks_url};
    json_t *claims;
    if (issuer->introspects != NA_INTROSPECTS_NONE)
        NA_TRY(na_oauth_introspect(&oauth, issuer, "nextauthctl-check", &claims));
    if (issuer->introspects == NA_INTROSPECTS_ALL || issuer->provider->keys)
        return NULL;
    if (!metadata.jwks_url)
        NA_TRY(na_oauth_metadata(&oauth, &metadata));
    return read_keys(c, issuer->provider->id, metadata.jwks_url);
}

static void try_issuers(connecting *c)
{
    for (int i = 0; i < c->b->issuers->nelts; i++) {
        const na_issuer *issuer = APR_ARRAY_IDX(c->b->issuers, i, const na_issuer *);
        add_result(c, apr_pstrcat(c->b->pool, "NextAuthTokenIssuer ", issuer->provider->id, NULL),
                   issuer->introspects == NA_INTROSPECTS_NONE
                       ? "the key set is available"
                       : "the introspection endpoint knows this server",
                   ask_issuer(c, issuer),
                   "check that issuer= is the issuer of the tokens, and that outgoing connections "
                   "are allowed");
    }
}

static void try_clock(connecting *c)
{
    long seconds = (long)apr_time_sec(c->skew < 0 ? -c->skew : c->skew);
    if (c->skewed && seconds > SKEW_MAX)
        na_findings_say(c->b->server, NA_GROUP_CONNECTIONS, "clock", NA_WARNING,
                        "synchronize this machine's clock with NTP (timedatectl set-ntp true)",
                        "this machine's clock is %ld s %s that of '%s': valid tokens can seem "
                        "expired or issued in the future",
                        seconds, c->skew > 0 ? "behind" : "ahead of", c->skewed);
    else if (c->skewed)
        na_findings_say(c->b->server, NA_GROUP_CONNECTIONS, "clock", NA_RIGHT, NULL,
                        "within %d s of the providers' clocks", SKEW_MAX);
}

/* ── the database ──────────────────────────────────────────────────────────────────────────── */

/* SQLite would create the file, which would then belong to the user of this check, not of httpd. */
static na_error *check_file(const connecting *c, const na_db_options *options)
{
    return options->file && access(options->file, F_OK) != 0
               ? na_error_new(c->pool, NA_ERR_UNAVAILABLE, "%s does not exist", options->name)
               : NULL;
}

static na_error *check_version(apr_pool_t *pool, const na_db_options *options, int version)
{
    if (version == options->adapter->steps)
        return NULL;
    return na_error_new(pool, NA_ERR_CONFIGURATION, "%s is at migration step %d of %d",
                        options->name, version, options->adapter->steps);
}

static na_error *ask_database(const connecting *c, const na_db_options *options)
{
    na_breaker_state *health = apr_pcalloc(c->pool, sizeof *health);
    na_breaker *breaker = apr_pcalloc(c->pool, sizeof *breaker);
    na_db *db;
    int version;
    *breaker = (na_breaker){.name = options->name, .health = health};
    NA_TRY(check_file(c, options));
    NA_TRY(na_db_open(c->pool, options, breaker, &db));
    NA_TRY(na_db_version(db, c->pool, &version));
    NA_TRY(check_version(c->pool, options, version));
    return na_db_check_tables(db, c->pool);
}

static void try_database(const connecting *c, const char *subject, const na_db_options *options)
{
    na_error *error = ask_database(c, options);
    int is_down = error && na_is_unavailable(error);
    add_result(
        c, subject, apr_psprintf(c->b->pool, "%s is available, and has all tables", options->name),
        error,
        is_down
            ? "check that it is running, and that URL and password are correct; run nextauthctl "
              "migrate if it does not exist yet"
            : "run nextauthctl migrate");
}

static void try_databases(connecting *c)
{
    const na_db_options *options = c->b->config->database;
    if (!options || na_build_is_wrong(c->b, NextAuthDatabase))
        return;
    try_database(c, "NextAuthDatabase", options);
    for (int i = 0; options->replicas && i < options->replicas->nelts; i++)
        try_database(c, "replica", APR_ARRAY_IDX(options->replicas, i, const na_db_options *));
}

/* ── session stores ────────────────────────────────────────────────────────────────────────── */

static na_error *ask_store(const connecting *c, const na_store_provider *provider, na_store *store)
{
    na_store_key key;
    na_bytes value;
    store->breaker.health = apr_pcalloc(c->pool, sizeof(na_breaker_state));
    NA_TRY(provider->open(c->pool, c->b->server, store));
    na_store_key_make(&key, "session", "nextauthctl check");
    return na_store_get(store, c->pool, &key, 1, &value);
}

static void add_advice(const connecting *c, const char *name, na_error *advice)
{
    if (advice)
        na_findings_say(c->b->server, NA_GROUP_CONNECTIONS, name, NA_WARNING, na_error_hint(advice),
                        "%s", na_error_reason(c->b->pool, advice));
}

static void try_store(const connecting *c, const char *name)
{
    const na_store_provider *provider = ap_lookup_provider(NA_STORE_GROUP, name, NA_STORE_VERSION);
    na_store store = {.breaker = {.name = name}};
    if (provider->kind == NA_STORE_DATABASE || na_build_is_noted(c->b, provider->directive))
        return; /* checked with the databases, or invalid */
    if (provider->kind == NA_STORE_MEMORY) {
        add_result(c, name, "not checked: it is in the memory of the running server", NULL, NULL);
        return;
    }
    na_error *error = ask_store(c, provider, &store);
    add_result(c, name, apr_pstrcat(c->b->pool, store.breaker.name, " is available", NULL), error,
               "check that it is running, and that URL, password and TLS options are correct");
    if (!error && provider->advise)
        add_advice(c, name, provider->advise(c->pool, &store));
}

static void try_stores(connecting *c)
{
    const apr_array_header_t *names = c->b->plan->stores.names;
    if (na_build_is_wrong(c->b, NextAuthSessionStore))
        return;
    for (int i = 0; names && i < names->nelts; i++)
        try_store(c, APR_ARRAY_IDX(names, i, const char *));
}

/* ── mail ──────────────────────────────────────────────────────────────────────────────────── */

static void ignore_line(void *data, na_level level, const char *line)
{
}

static na_error *ask_mail(const connecting *c)
{
    const na_mail_log log = {ignore_line, NULL};
    na_mail *mail;
    NA_TRY(na_mail_make(c->pool, c->b->config->mail, c->http, &log, &mail));
    return na_mail_probe(mail, c->pool);
}

static const char *mail_result(const connecting *c, const na_mail_options *mail)
{
    if (mail->host)
        return apr_psprintf(c->b->pool, "%s:%d is available%s; no email was sent", mail->host,
                            mail->port, mail->user ? ", and accepts the password" : "");
    return strcmp(mail->transport, "log") == 0
               ? "not checked: emails are written to the error log"
               : apr_pstrcat(c->b->pool, mail->transport,
                             " is available; the key was not checked, and no email was sent", NULL);
}

static void try_mail(connecting *c)
{
    const na_mail_options *mail = c->b->config->mail;
    if (mail && !na_build_is_wrong(c->b, NextAuthMail))
        add_result(
            c, "NextAuthMail", mail_result(c, mail), ask_mail(c),
            "check that URL, username and password are correct, and that outgoing connections are "
            "allowed");
}

/* ── all of them ───────────────────────────────────────────────────────────────────────────── */

static void (*const checks[])(connecting *c) = {try_providers, try_issuers, try_clock,
                                                try_databases, try_stores,  try_mail};

static na_error *prepare_http(connecting *c)
{
    na_http_global_init();
    NA_TRY(na_http_make(c->pool, &c->b->config->http, &c->http));
    return na_documents_make(c->pool, NULL, NULL, &c->documents);
}

/* As in child processes, a connection that the other side closes must not end this process. */
void na_check_connections(const na_builder *b)
{
    connecting c = {.b = b};
    apr_signal(SIGPIPE, SIG_IGN);
    apr_pool_create(&c.pool, b->pool);
    na_error *error = prepare_http(&c);
    if (error)
        add_result(&c, "connections", NULL, error, NULL);
    for (apr_size_t i = 0; !error && i < sizeof checks / sizeof *checks; i++)
        checks[i](&c);
    apr_pool_destroy(c.pool);
}
