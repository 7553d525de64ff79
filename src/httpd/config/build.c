/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "base/url.h"
#include "httpd/config/build.h"
#include "httpd/findings.h"
#include "httpd/startup.h"

static na_error *interpret_all(na_building *b, const apr_array_header_t *written, int early)
{
    for (int i = 0; i < written->nelts; i++) {
        na_build_look_at(b, &APR_ARRAY_IDX(written, i, na_written), NULL);
        NA_TRY(na_build_noted(b, na_build_interpret(b, b->at, early)));
    }
    return NULL;
}

static na_error *mode_from_environment(na_building *b, const apr_array_header_t *written)
{
    if (na_build_last_of(written, "NextAuthMode"))
        return NULL;
    const char *mode = na_build_from_environment(b, "NODE_ENV", "NextAuthMode");
    return mode ? na_error_with_hint(na_build_mode(b, mode),
                                     "set one of these, or NextAuthMode, which goes first")
                : NULL;
}

static na_error *secret_from_environment(na_building *b, const char *name)
{
    const char *secret = na_build_from_environment(b, name, "NextAuthSecret");
    return secret ? na_build_add_secret(b, secret) : NULL;
}

/* Auth.js: the highest number is the newest; AUTH_SECRET itself is the oldest. */
static na_error *secrets_from_environment(na_building *b)
{
    static const char *const numbered[] = {"AUTH_SECRET_3", "AUTH_SECRET_2", "AUTH_SECRET_1"};
    int is_v4 = na_environment_has(&b->environment, "NEXTAUTH_SECRET");
    for (int i = 0; i < 3; i++)
        NA_TRY(secret_from_environment(b, numbered[i]));
    return secret_from_environment(b, is_v4 ? "NEXTAUTH_SECRET" : "AUTH_SECRET");
}

static na_error *finish_secrets(na_building *b)
{
    if (na_build_is_wrong(b, "NextAuthSecret") || na_build_is_wrong(b, "NextAuthEnvFile"))
        return NULL;
    if (!b->secrets->nelts)
        NA_TRY(secrets_from_environment(b));
    if (!b->secrets->nelts)
        return na_error_with_hint(
            na_wrong(b, "there is no NextAuthSecret, and NEXTAUTH_SECRET is not set"),
            "make one with 'nextauthctl secret' and write NextAuthSecret file:PATH");
    b->config->secrets = (const char *const *)b->secrets->elts;
    b->config->secret_count = b->secrets->nelts;
    return NULL;
}

/* ServerName's address where none was given; never the Host header's. */
static const char *address_of_server(na_building *b)
{
    const server_rec *s = b->server;
    const char *host = s->server_hostname;
    int port = s->port ? s->port : s->addrs ? s->addrs->host_port : 0;
    if (!host || !*host)
        return NULL;
    const char *scheme = s->server_scheme ? s->server_scheme : port == 443 ? "https" : "http";
    return port ? apr_psprintf(b->pool, "%s://%s:%d", scheme, host, port)
                : apr_pstrcat(b->pool, scheme, "://", host, NULL);
}

/* NextAuthURL's, a variable's, or the server's own. */
static const char *find_address(na_building *b)
{
    if (!b->url)
        b->url = na_build_from_environment(b, "NEXTAUTH_URL", "NextAuthURL");
    if (!b->url)
        b->url = na_build_from_environment(b, "AUTH_URL", "NextAuthURL");
    if (b->url && !strstr(b->url, "://")) /* as NextAuth reads it */
        b->url = apr_pstrcat(b->pool, "https://", b->url, NULL);
    return b->url ? b->url : address_of_server(b);
}

static na_error *read_address(na_building *b, const char *address, na_url *url)
{
    if (!address)
        return na_error_with_hint(na_wrong(b, "there is neither NextAuthURL nor ServerName"),
                                  "write NextAuthURL https://HOST, as browsers see the site");
    if (!na_url_parse(b->pool, address, url) || strpbrk(url->path, "?#"))
        return na_error_with_hint(na_wrong(b, "'%s' is no address", address),
                                  "https://host[:port][/base/path] is wanted, without user, query "
                                  "and fragment");
    if (b->config->mode == NA_PRODUCTION && strcmp(url->scheme, "https") != 0)
        return na_error_with_hint(
            na_wrong(b, "the canonical address %s%s is not https", url->origin,
                     b->url ? "" : " (from ServerName)"),
            "write NextAuthURL https://HOST, or NextAuthMode development on a developer's machine");
    return NULL;
}

static int is_below(const char *path, const char *parent)
{
    size_t len = strlen(parent);
    return strncmp(path, parent, len) == 0 && (!path[len] || path[len] == '/');
}

/* As NextAuth reads its variable, a path alone is that of the endpoints: often the site's is meant.
 */
static void warn_of_paths(na_building *b, const char *path)
{
    const char *last = strrchr(path, '/');
    if (*b->config->prefix)
        na_build_warn_aloud(
            b, na_error_with_hint(
                   na_wrong(b,
                            "%s is not below %s: browsers find the endpoints at %s, so a proxy in "
                            "front has to take %s off",
                            b->base_path, path, b->config->base_url, path),
                   apr_pstrcat(b->pool, "if there is none, write NextAuthBasePath ", path,
                               b->base_path, NULL)));
    else if (!b->base_path && last && !strstr(last, "auth"))
        na_build_warn_aloud(
            b, na_error_with_hint(na_wrong(b, "every path below %s is one of the endpoints", path),
                                  apr_pstrcat(b->pool, "if the site is at ", path,
                                              ", add NextAuthBasePath ", path, "/api/auth", NULL)));
}

static na_error *finish_address(na_building *b)
{
    na_config *config = b->config;
    na_url url;
    NA_TRY(read_address(b, find_address(b), &url));
    size_t len = strlen(url.path);
    while (len && url.path[len - 1] == '/')
        len--;
    const char *path = apr_pstrmemdup(b->pool, url.path, len);
    config->origin = config->home = url.origin;
    config->prefix = "";
    config->base_path = b->base_path ? b->base_path : len ? path : "/api/auth";
    if (na_build_is_wrong(b, "NextAuthBasePath"))
        return NULL;
    if (b->base_path && !is_below(b->base_path, path))
        config->prefix = path;
    if (b->base_path)
        config->home = apr_pstrcat(b->pool, url.origin, path, NULL);
    config->base_url = apr_pstrcat(b->pool, url.origin, config->prefix, config->base_path, NULL);
    NA_TRY(na_build_check_base_path(b, config->base_path));
    warn_of_paths(b, path);
    return NULL;
}

static na_error *derive_foreign_keys(na_building *b, na_foreign_checks *checks, na_dialect dialect)
{
    const na_config *config = b->config;
    for (int i = NA_COOKIE_STATE; i <= NA_COOKIE_NONCE; i++)
        NA_TRY(na_keyring_derive(b->pool, dialect, config->secrets, config->secret_count,
                                 checks->cookies[i].name, &checks->rings[i]));
    return NULL;
}

static na_error *derive_keys(na_building *b)
{
    na_config *config = b->config;
    for (int i = 0; i < config->session.source_count; i++) {
        na_session_source *source = &config->session.sources[i];
        source->name_len = strlen(source->cookie.name);
        NA_TRY(na_keyring_derive(b->pool, source->dialect, config->secrets, config->secret_count,
                                 source->dialect == NA_V4 ? "" : source->cookie.name,
                                 &source->ring));
    }
    NA_TRY(na_limits_derive(b->pool, &config->limits, config->secrets[0]));
    NA_TRY(na_keyring_derive(b->pool, config->dialect, config->secrets, config->secret_count,
                             config->cookies[NA_COOKIE_KNOWN_BROWSER].name, &config->limits.known));
    for (int i = NA_COOKIE_STATE; i <= NA_COOKIE_LINK; i++)
        NA_TRY(na_keyring_derive(b->pool, config->dialect, config->secrets, config->secret_count,
                                 config->cookies[i].name, &config->check_rings[i]));
    for (int k = 0; k < config->foreign_count; k++)
        NA_TRY(
            derive_foreign_keys(b, &config->foreign_checks[k], config->session.sources[k].dialect));
    return NULL;
}

/* Trailers would come in behind the removal of forged identity headers. */
static na_error *check_server(na_building *b)
{
    const core_server_config *core = ap_get_core_module_config(b->server->module_config);
    return core->merge_trailers == AP_MERGE_TRAILERS_ENABLE
               ? na_error_with_hint(
                     na_wrong(b, "MergeTrailers On lets clients forge identity headers"),
                     "turn it off")
               : NULL;
}

/* An application that signs users in has a page for it. */
static na_error *check_providers(na_building *b)
{
    return b->config->providers->nelts || b->config->pages.sign_in ||
                   na_build_is_wrong(b, "NextAuthProvider")
               ? NULL
               : na_error_with_hint(na_wrong(b,
                                             "there is no NextAuthProvider: nobody could sign in"),
                                    "add one: nextauthctl providers lists those that need only an "
                                    "ID and a secret; or, if an application signs users in, name "
                                    "its page: NextAuthPages signIn=/api/auth/signin");
}

static na_config *config_with_defaults(apr_pool_t *pool)
{
    na_config *config = apr_pcalloc(pool, sizeof *config);
    config->redirect_origins = apr_array_make(pool, 2, sizeof(const char *));
    config->sign_in_rules = apr_array_make(pool, 2, sizeof(na_sign_in_rule));
    config->roles = apr_array_make(pool, 4, sizeof(na_role_rule));
    config->claims = apr_array_make(pool, 4, sizeof(na_claim_rule));
    config->session_claims = apr_array_make(pool, 4, sizeof(const char *));
    config->session.identity_claims = apr_array_make(pool, 4, sizeof(const char *));
    config->session.lifetime.max_age = 30L * 24 * 3600;
    config->session.update_age = 24L * 3600;
    config->session.check_interval = NA_CHECK_INTERVAL;
    config->theme.color_scheme = "auto";
    config->password_rules = NA_PASSWORD_RULES_DEFAULT;
    for (int i = 0; i < NA_MAIL_KINDS; i++)
        config->mail_templates[i] = na_mail_template_default((na_mail_kind)i);
    config->http = (na_http_options){.timeout_ms = 10000,
                                     .connect_timeout_ms = 5000,
                                     .max_bytes = 1024 * 1024,
                                     .max_concurrent = 16};
    return config;
}

/* What others depend on, whatever the order in the file. */
static na_error *build_early(na_building *b, const apr_array_header_t *written)
{
    na_build_look_at(b, na_build_last_of(written, "NextAuthEnvFile"), NULL);
    if (b->at)
        NA_TRY(na_build_noted(b, na_envfile_read(b->pool,
                                                 ap_server_root_relative(b->pool, b->at->argv[0]),
                                                 &b->environment.file)));
    return interpret_all(b, written, 1);
}

static na_error *build_address(na_building *b, const apr_array_header_t *written)
{
    if (na_build_is_wrong(b, "NextAuthURL"))
        return NULL;
    na_build_look_at(b, na_build_last_of(written, "NextAuthURL"), "NextAuthURL");
    NA_TRY(na_build_noted(b, finish_address(b)));
    if (na_build_is_wrong(b, "NextAuthURL"))
        return NULL;
    na_findings_name_site(b->server, b->config->origin);
    return na_build_cookies(b, written);
}

/* What is asked of all directives together. */
static na_error *check_whole(na_building *b, const apr_array_header_t *written)
{
    const na_written *engine = na_build_last_of(written, "NextAuthEngine");
    na_build_look_at(b, engine, "NextAuthSecret");
    NA_TRY(na_build_noted(b, finish_secrets(b)));
    na_build_look_at(b, engine, "MergeTrailers");
    NA_TRY(na_build_noted(b, check_server(b)));
    na_build_look_at(b, engine, "NextAuthProvider");
    return na_build_noted(b, check_providers(b));
}

static na_error *build_site(na_building *b, const apr_array_header_t *written)
{
    NA_TRY(na_build_noted(b, mode_from_environment(b, written)));
    NA_TRY(interpret_all(b, written, 0));
    b->config->http.allow_http = b->config->mode != NA_PRODUCTION;
    NA_TRY(na_build_providers(b, written));
    NA_TRY(build_address(b, written));
    NA_TRY(check_whole(b, written));
    if (!b->wrong->nelts)
        NA_TRY(derive_keys(b));
    NA_TRY(na_build_noted(b, na_build_finish_limits(b)));
    NA_TRY(na_build_noted(b, na_build_finish_mail(b)));
    NA_TRY(na_build_finish_users(b, written));
    na_build_look_at(b, na_build_last_of(written, "NextAuthEvent"), "NextAuthEvent");
    NA_TRY(na_build_noted(b, na_build_finish_delivery(b)));
    na_build_look_at(b, na_build_last_of(written, "NextAuthAuditLog"), "NextAuthAuditLog");
    NA_TRY(na_build_noted(b, na_build_finish_audit(b)));
    NA_TRY(na_build_finish_session(b, written));
    if (na_exposure_of(b->pool, b->server, b->config).how)
        b->config->theme.banner = b->config->mode == NA_TEST
                                      ? "Test mode – do not use with real users"
                                      : "Development mode – do not use with real users";
    return NULL;
}

static na_error *take_shared(na_building *b)
{
    static na_taker *const takers[] = {na_databases_take, na_stores_take, na_delivery_take,
                                       na_audits_take};
    na_build_look_at(b, NULL, NULL);
    for (apr_size_t i = 0; i < sizeof takers / sizeof *takers; i++) {
        na_error *error = takers[i](b->pool, b->server, &b->at);
        NA_TRY(na_build_noted(b, error));
    }
    return NULL;
}

/* All that nextauthctl check says of a site besides its mistakes. */
static void tell(const na_building *b, const apr_array_header_t *written)
{
    na_check_site(b);
    na_check_server(b);
    na_check_directives(b, written);
    na_check_environment(b, written);
    if (na_findings_connect(b->server))
        na_check_connections(b);
}

na_error *na_config_build(apr_pool_t *pool, server_rec *s, na_server_conf *conf,
                          const na_written **at)
{
    na_building b = {.pool = pool,
                     .server = s,
                     .environment = {.pool = pool, .used = apr_table_make(pool, 16)},
                     .config = config_with_defaults(pool),
                     .plan = &conf->plan,
                     .secrets = apr_array_make(pool, 2, sizeof(const char *)),
                     .accepted = 1 << NA_V4,
                     .wrong = apr_array_make(pool, 2, sizeof(const char *))};
    conf->config = NULL;
    conf->plan = (na_plan){0};
    na_error *error = build_early(&b, conf->written);
    int is_on = b.engine || na_build_is_wrong(&b, "NextAuthEngine");
    if (!error && is_on)
        error = build_site(&b, conf->written);
    if (!error && is_on && !b.wrong->nelts) {
        conf->config = b.config;
        error = take_shared(&b);
    }
    *at = b.at;
    if (error || !is_on)
        return error;
    conf->plan.variables = na_variables_note(&b.environment, b.config->providers);
    conf->plan.used_variables = b.environment.used;
    if (na_findings_are_wanted(s))
        tell(&b, conf->written);
    return NULL;
}
