/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthProvider, and providers of the environment. */
#include <string.h>

#include <apr_strings.h>

#include <ap_provider.h>
#include <mod_auth.h>

#include "base/file.h"
#include "base/spelling.h"
#include "httpd/config/build.h"
#include "httpd/config/targets.h"
#include "httpd/config/settings.h"
#include "httpd/config/tenants.h"

/* Returns the value of the provider's variable of this kind; NULL if none is set. */
static const char *variable_value(const na_builder *b, const na_provider *p, const char *kind)
{
    const char *name = na_variable_of_provider(&b->environment, p->id, kind);
    return name ? na_environment_get(&b->environment, name) : NULL;
}

/* Attributes an error to the variable whose value caused it. */
static na_error *blame_variable(na_builder *b, const na_provider *p, const char *kind,
                                na_error *error)
{
    if (error)
        na_build_look_at_variable(b, na_variable_of_provider(&b->environment, p->id, kind),
                                  na_directive_name(NextAuthProvider));
    return error;
}

static na_error *fill_tenant(na_builder *b, na_provider *p)
{
    const char *tenant = na_provider_mentions(p, "{tenant}") && !p->tenant
                             ? variable_value(b, p, NA_VARIABLE_TENANT)
                             : NULL;
    if (!tenant)
        return NULL;
    p->tenant = tenant;
    return blame_variable(b, p, NA_VARIABLE_TENANT, na_provider_check_tenant(b->pool, tenant));
}

/* The issuer is part of URLs, or replaces the built-in URL of the discovery document. */
static na_error *fill_issuer(na_builder *b, na_provider *p)
{
    int is_part = na_provider_mentions(p, "{issuer}");
    int is_open =
        is_part ? !p->issuer : p->type == NA_OIDC && !p->tenant && (!p->issuer || p->well_known);
    const char *issuer = is_open ? variable_value(b, p, NA_VARIABLE_ISSUER) : NULL;
    if (!issuer)
        return NULL;
    p->issuer = issuer;
    if (!is_part)
        p->well_known = NULL;
    return blame_variable(b, p, NA_VARIABLE_ISSUER,
                          na_provider_check_issuer(b->pool, issuer, b->config->http.allow_http));
}

/* Sets options without a directive from NextAuth's variables; v5's names take precedence. */
static na_error *fill_from_environment(na_builder *b, na_provider *p)
{
    if (p->type > NA_OAUTH)
        return NULL;
    if (!p->client_id)
        p->client_id = variable_value(b, p, NA_VARIABLE_ID);
    if (!p->client_secret)
        p->client_secret = variable_value(b, p, NA_VARIABLE_SECRET);
    NA_TRY(fill_tenant(b, p));
    return fill_issuer(b, p);
}

/* Returns the kind of variable that would set what the provider lacks; NULL if it lacks none. */
static const char *missing_kind(const na_provider *p)
{
    if (p->type > NA_OAUTH)
        return NULL;
    if (!p->client_id)
        return NA_VARIABLE_ID;
    if (!na_provider_can_authenticate(p, p->token_auth))
        return NA_VARIABLE_SECRET;
    if (na_provider_mentions(p, "{tenant}") && !p->tenant)
        return NA_VARIABLE_TENANT;
    return !p->issuer &&
                   (na_provider_mentions(p, "{issuer}") || (p->type == NA_OIDC && !p->well_known))
               ? NA_VARIABLE_ISSUER
               : NULL;
}

static na_error *finish_provider(na_builder *b, na_provider *p)
{
    NA_TRY(fill_from_environment(b, p));
    if (p->type <= NA_OAUTH && !p->redirect_proxy)
        p->redirect_proxy = b->config->redirect_proxy;
    na_error *error = na_provider_finish(b->pool, p, b->config->http.allow_http);
    const char *missing = error ? missing_kind(p) : NULL;
    if (!missing)
        return error;
    return na_error_with_hint(error, apr_pstrcat(b->pool, na_error_hint(error), ", or set ",
                                                 na_variables_for_provider(b->pool, p->id, missing),
                                                 NULL));
}

/* Splits key=value: the key cannot be empty, the value can contain more '='. */
static int split_option(apr_pool_t *pool, const char *argument, const char **key,
                        const char **value)
{
    const char *equals = strchr(argument, '=');
    if (!equals || equals == argument)
        return 0;
    *key = apr_pstrmemdup(pool, argument, (apr_size_t)(equals - argument));
    *value = equals + 1;
    return 1;
}

static const char *hint_for_unknown(const na_builder *b, const char *id)
{
    const apr_array_header_t *ids = na_catalogue_ids(b->pool, b->catalogue);
    na_spelling spelling = na_spelling_of(id);
    na_spelling_try(&spelling, "credentials");
    na_spelling_try(&spelling, "passkey");
    for (int i = 0; i < ids->nelts; i++)
        na_spelling_try(&spelling, APR_ARRAY_IDX(ids, i, const char *));
    const char *meant = spelling.nearest ? apr_pstrcat(b->pool, "check whether ", spelling.nearest,
                                                       " is meant, or ", NULL)
                                         : "";
    return apr_pstrcat(b->pool, meant,
                       "use one that nextauthctl providers lists, or add type=oidc, type=oauth, "
                       "type=credentials, type=email, or type=webauthn",
                       NULL);
}

static na_error *start_provider(na_builder *b, const na_directive *written, na_provider **provider)
{
    apr_pool_t *pool = b->pool;
    const char *id = written->argv[0], *type = na_option_of(written, "type");
    NA_TRY(na_provider_from_catalogue(pool, b->catalogue, id, provider));
    if (*provider)
        return NULL;
    if (!type && strcmp(id, "credentials") == 0)
        type = id;
    if (!type && strcmp(id, "passkey") == 0)
        type = "webauthn";
    if (!type)
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION, "unknown provider '%s'",
                                               id),
                                  hint_for_unknown(b, id));
    return na_provider_new(pool, id, type, provider);
}

static na_error *set_option(const na_environment *environment, na_provider *provider,
                            const char *argument)
{
    const char *key, *value;
    if (!split_option(environment->pool, argument, &key, &value))
        return na_error_with_hint(na_error_new(environment->pool, NA_ERR_CONFIGURATION,
                                               "invalid argument '%s': expected key=value",
                                               argument),
                                  "put quotation marks around an argument with spaces, such as "
                                  "\"name=Our users\"");
    if (!na_provider_has_option(key)) /* reported before the value is read from a file */
        return na_provider_set(environment->pool, provider, key, value);
    if (strcmp(key, "backend") != 0) /* where file: is the kind of backend */
        NA_TRY(na_value_resolve(environment, value, &value));
    else if (strncmp(value, "file:", 5) == 0)
        value = apr_pstrcat(environment->pool,
                            "file:", ap_server_root_relative(environment->pool, value + 5), NULL);
    return na_provider_set(environment->pool, provider, key, value);
}

static na_error *check_authn_provider(apr_pool_t *pool, const char *name)
{
    const authn_provider *found =
        ap_lookup_provider(AUTHN_PROVIDER_GROUP, name, AUTHN_PROVIDER_VERSION);
    const char *kind = strcmp(name, "ldap") == 0 ? "authnz" : "authn";
    if (!found)
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                               "unknown authentication provider '%s'", name),
                                  apr_psprintf(pool, "load its module, such as mod_%s_%s", kind,
                                               name));
    if (!found->check_password)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "authentication provider '%s' cannot verify passwords", name);
    return NULL;
}

/* mod_authn_socache caches the results of the providers after it. */
static na_error *check_authn_providers(apr_pool_t *pool, const apr_array_header_t *names)
{
    const char *last = NULL;
    for (int i = 0; names && i < names->nelts; i++) {
        last = APR_ARRAY_IDX(names, i, const char *);
        NA_TRY(check_authn_provider(pool, last));
    }
    if (!last || strcmp(last, "socache") != 0)
        return NULL;
    return na_error_with_hint(
        na_error_new(pool, NA_ERR_CONFIGURATION,
                     "authentication provider 'socache' only caches results of providers after it"),
        "name it before the one that verifies passwords, such as backend=authn:socache,file");
}

static na_error *complete_provider(na_builder *b, const na_directive *written,
                                   na_provider *provider)
{
    for (int i = 1; i < written->argc; i++)
        NA_TRY(set_option(&b->environment, provider, written->argv[i]));
    NA_TRY(finish_provider(b, provider));
    if (provider->password_file)
        NA_TRY(na_children_check_readable(b->pool, provider->password_file));
    return check_authn_providers(b->pool, provider->authn_providers);
}

/* ── from the environment alone ────────────────────────────────────────────────────────────── */

static void warn_of_partial(na_builder *b, const char *id, const char *set, const char *missing)
{
    na_error *error = na_error_with_hint(
        na_wrong(b, "is set, but provider '%s' is not added: its client %s is missing", id,
                 strcmp(missing, NA_VARIABLE_ID) == 0 ? "ID" : "secret"),
        apr_pstrcat(b->pool, "set ", na_variables_for_provider(b->pool, id, missing), NULL));
    na_build_look_at_variable(b, set, NULL);
    if (!na_build_warn(b, error))
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_WARNING, 0, b->server, "%s: %s %s",
                     na_directive_name(b->providers_from_env ? NextAuthProvidersFromEnv
                                                             : NextAuthFromEnv),
                     set, na_error_text(b->pool, error));
}

/* Adds a built-in provider if its ID and secret are set. */
static na_error *add_built_in(na_builder *b, const char *id)
{
    na_provider *provider;
    const char *client_id = na_variable_of_provider(&b->environment, id, NA_VARIABLE_ID);
    const char *secret = na_variable_of_provider(&b->environment, id, NA_VARIABLE_SECRET);
    if (!client_id && !secret)
        return NULL;
    if (!client_id || !secret) {
        warn_of_partial(b, id, client_id ? client_id : secret,
                        client_id ? NA_VARIABLE_SECRET : NA_VARIABLE_ID);
        return NULL;
    }
    NA_TRY(na_provider_from_catalogue(b->pool, b->catalogue, id, &provider));
    NA_TRY(finish_provider(b, provider));
    APR_ARRAY_PUSH(b->providers, na_provider *) = provider;
    return NULL;
}

static na_error *add_from_environment(na_builder *b, const na_directive *at)
{
    const apr_array_header_t *ids = na_catalogue_client_ids(b->pool, b->catalogue);
    for (int i = 0; i < ids->nelts; i++) {
        const char *id = APR_ARRAY_IDX(ids, i, const char *);
        if (na_provider_configured(b->providers, id))
            continue;
        na_build_look_at(b, at, NULL);
        NA_TRY(na_build_noted(b, add_built_in(b, id)));
    }
    return NULL;
}

/* ── NextAuthProvider ──────────────────────────────────────────────────────────────────────── */

/* Catalogues have {tenant} in URLs, which tenant= sets if the arguments do not. */
static na_error *build_for_tenant(na_builder *b, const na_directive *written, const char *tenant,
                                  na_provider **provider)
{
    NA_TRY(start_provider(b, written, provider));
    if ((*provider)->type > NA_OAUTH)
        return na_error_with_hint(na_wrong(b, "tenants= requires a provider of type oidc or oauth"),
                                  "remove tenants=");
    (*provider)->tenant = tenant;
    NA_TRY(complete_provider(b, written, *provider));
    if ((*provider)->allow_linking)
        return na_error_with_hint(
            na_wrong(b, "allowDangerousEmailAccountLinking with tenants=: who manages the issuer "
                        "of one tenant could sign in as the users of others"),
            "remove allowDangerousEmailAccountLinking=");
    return na_provider_give_to(b->pool, *provider, tenant);
}

/* Wherever its documents are, an issuer is one. */
static const char *identity_of(apr_pool_t *pool, const na_provider *p)
{
    if (p->type == NA_OIDC && p->issuer)
        return apr_pstrcat(pool, p->issuer, "\n", p->client_id, NULL);
    return apr_pstrcat(pool, p->issuer ? p->issuer : "", "\n", p->well_known ? p->well_known : "",
                       "\n", p->token_url ? p->token_url : "", "\n", p->client_id, NULL);
}

/* The directive is one provider of each tenant. */
static na_error *build_for_tenants(na_builder *b, const na_directive *written,
                                   const apr_array_header_t *tenants, apr_array_header_t *made)
{
    apr_hash_t *known = apr_hash_make(b->pool);
    for (int i = 0; i < tenants->nelts; i++) {
        na_provider *provider;
        const char *tenant = APR_ARRAY_IDX(tenants, i, const char *);
        const na_directive own = na_build_directive_for(b, written, tenant);
        na_error *error = build_for_tenant(b, &own, tenant, &provider);
        if (error)
            return na_error_wrap(b->pool, error, NULL, "tenant '%s'", tenant);
        NA_TRY(na_build_set_apart(b, known, identity_of(b->pool, provider), "client ID", tenant));
        APR_ARRAY_PUSH(made, na_provider *) = provider;
    }
    return NULL;
}

static na_error *build_providers(na_builder *b, const na_directive *written,
                                 apr_array_header_t *made)
{
    const apr_array_header_t *tenants;
    na_provider *provider;
    const char *secret = na_option_of(written, "clientSecret");
    if (secret)
        na_build_warn_if_literal(b, "clientSecret=", secret);
    NA_TRY(na_build_tenants(b, written, &tenants));
    if (tenants)
        return build_for_tenants(b, written, tenants, made);
    NA_TRY(start_provider(b, written, &provider));
    APR_ARRAY_PUSH(made, na_provider *) = provider;
    return complete_provider(b, written, provider);
}

static const na_provider *itself(const void *provider)
{
    return provider;
}

static na_error *check_domains(na_builder *b, const na_provider *provider, const na_provider *other)
{
    for (int i = 0; provider->email_domains && i < provider->email_domains->nelts; i++)
        for (int k = 0; other->email_domains && k < other->email_domains->nelts; k++) {
            const char *domain = APR_ARRAY_IDX(provider->email_domains, i, const char *);
            if (strcmp(domain, APR_ARRAY_IDX(other->email_domains, k, const char *)) == 0)
                return na_error_with_hint(na_wrong(b, "provider '%s' has emailDomains=%s already",
                                                   other->id, domain),
                                          "name each domain for one provider only");
        }
    return NULL;
}

/*
 * One of two providers with the same pattern would never be found. Those of the tenants of one
 * directive can have the same, because each host has one of them.
 */
static na_error *check_all_domains(na_builder *b, const apr_array_header_t *made)
{
    for (int i = 0; i < made->nelts; i++)
        for (int k = 0; k < b->providers->nelts; k++) {
            const na_provider *provider = APR_ARRAY_IDX(made, i, const na_provider *);
            const na_provider *other = APR_ARRAY_IDX(b->providers, k, const na_provider *);
            if (strcmp(na_provider_configured_id(provider), na_provider_configured_id(other)) != 0)
                NA_TRY(check_domains(b, provider, other));
        }
    return NULL;
}

na_error *na_build_provider(na_builder *b, const na_directive *w)
{
    const na_placed placed = {"provider", b->providers, b->provider_origins, itself};
    apr_array_header_t *made = apr_array_make(b->pool, 1, sizeof(na_provider *));
    NA_TRY(build_providers(b, w, made));
    NA_TRY(check_all_domains(b, made));
    return na_build_place(b, &placed, w, made);
}

/* 1 MB is thousands of providers. */
#define PROVIDER_FILE_MAX 1048576

na_error *na_build_provider_file(na_builder *b, const na_directive *w)
{
    const char *path = ap_server_root_relative(b->pool, w->argv[0]);
    const char *text;
    NA_TRY(na_file_read(b->pool, path, PROVIDER_FILE_MAX, &text));
    na_error *error = na_catalogue_add(b->pool, b->catalogue, text);
    return error ? na_error_wrap(b->pool, error, NULL, "%s", path) : NULL;
}

na_error *na_build_providers_from_env(na_builder *b, const na_directive *w)
{
    return na_as_switch(b, w->argv[0], &b->providers_from_env);
}

na_error *na_build_finish_providers(na_builder *b, const apr_array_header_t *written)
{
    if (b->providers_from_env)
        return add_from_environment(b, na_last_of(written, NextAuthProvidersFromEnv));
    return b->from_env ? add_from_environment(b, na_last_of(written, NextAuthFromEnv)) : NULL;
}
