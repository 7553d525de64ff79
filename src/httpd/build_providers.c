/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include <ap_provider.h>
#include <mod_auth.h>

#include "httpd/build.h"

/* What no directive gave comes from NextAuth's variables, v5's names first. */
static void fill_from_environment(const na_environment *environment, na_provider *p)
{
    if (p->type == NA_CREDENTIALS || p->type == NA_EMAIL)
        return;
    if (!p->client_id)
        p->client_id = na_variable_of_provider(environment, p->id, NA_VARIABLE_ID);
    if (!p->client_secret)
        p->client_secret = na_variable_of_provider(environment, p->id, NA_VARIABLE_SECRET);
    if (!p->tenant)
        p->tenant = na_variable_of_provider(environment, p->id, NA_VARIABLE_TENANT);
    const char *issuer = na_variable_of_provider(environment, p->id, NA_VARIABLE_ISSUER);
    if (issuer && p->type == NA_OIDC && !p->tenant && (!p->issuer || p->well_known)) {
        p->issuer = issuer;
        p->well_known = NULL;
    }
}

/* key=value; the key may not be empty, the value may hold more '='. */
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

static const char *option_of(const na_written *written, const char *key)
{
    size_t len = strlen(key);
    for (int i = 1; i < written->argc; i++)
        if (strncmp(written->argv[i], key, len) == 0 && written->argv[i][len] == '=')
            return written->argv[i] + len + 1;
    return NULL;
}

static na_error *start(const na_environment *environment, const na_written *written,
                       na_provider **provider)
{
    apr_pool_t *pool = environment->pool;
    const char *id = written->argv[0], *type = option_of(written, "type");
    NA_TRY(na_provider_from_catalogue(pool, id, provider));
    if (*provider)
        return NULL;
    if (!type && (strcmp(id, "credentials") == 0 || strcmp(id, "email") == 0))
        type = id;
    if (!type)
        return na_error_new(pool, NA_CONFIGURATION,
                            "'%s' is not in the catalogue (%s): add type=oidc, type=oauth, "
                            "type=credentials or type=email for a provider of your own",
                            id, na_provider_catalogue_ids(pool));
    return na_provider_new(pool, id, type, provider);
}

static na_error *set_option(const na_environment *environment, na_provider *provider,
                            const char *argument)
{
    const char *key, *value;
    if (!split_option(environment->pool, argument, &key, &value))
        return na_error_new(environment->pool, NA_CONFIGURATION,
                            "'%s' is not key=value; an argument with spaces is quoted whole: "
                            "\"name=Our users\"",
                            argument);
    if (strcmp(key, "backend") != 0) /* file: means something else there */
        NA_TRY(na_value_resolve(environment, value, &value));
    else if (strncmp(value, "file:", 5) == 0)
        value = apr_pstrcat(environment->pool,
                            "file:", ap_server_root_relative(environment->pool, value + 5), NULL);
    return na_provider_set(environment->pool, provider, key, value);
}

static na_error *check_authn_providers(apr_pool_t *pool, const apr_array_header_t *names)
{
    for (int i = 0; names && i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        if (!ap_lookup_provider(AUTHN_PROVIDER_GROUP, name, AUTHN_PROVIDER_VERSION))
            return na_error_new(pool, NA_CONFIGURATION,
                                "httpd has no authentication provider '%s': load the module "
                                "that has it (mod_authn_%s?)",
                                name, name);
    }
    return NULL;
}

static na_error *build(na_building *b, const na_written *written, na_provider **provider)
{
    const na_environment *environment = &b->environment;
    int allow_http = b->config->http.allow_http;
    NA_TRY(start(environment, written, provider));
    for (int i = 1; i < written->argc; i++)
        NA_TRY(set_option(environment, *provider, written->argv[i]));
    const char *secret = option_of(written, "clientSecret");
    if (secret)
        na_build_warn_if_literal(b, "clientSecret=", secret);
    fill_from_environment(environment, *provider);
    NA_TRY(na_provider_finish(b->pool, *provider, allow_http));
    if ((*provider)->password_file)
        NA_TRY(na_children_check_readable(b->pool, (*provider)->password_file));
    return check_authn_providers(b->pool, (*provider)->authn_providers);
}

/* Index of the provider with that id, or -1. */
static int find(const apr_array_header_t *providers, const char *id)
{
    for (int i = 0; i < providers->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(providers, i, na_provider *)->id, id) == 0)
            return i;
    return -1;
}

/* Those of the catalogue whose ID and secret are in the environment. */
static na_error *add_from_environment(const na_environment *environment, int allow_http,
                                      apr_array_header_t *providers)
{
    apr_pool_t *pool = environment->pool;
    char *last, *ids = apr_pstrdup(pool, na_provider_catalogue_ids(pool));
    for (char *id = apr_strtok(ids, ", ", &last); id; id = apr_strtok(NULL, ", ", &last)) {
        na_provider *provider;
        if (find(providers, id) >= 0)
            continue;
        NA_TRY(na_provider_from_catalogue(pool, id, &provider));
        fill_from_environment(environment, provider);
        if (!provider->client_id || !provider->client_secret)
            continue;
        NA_TRY(na_provider_finish(pool, provider, allow_http));
        APR_ARRAY_PUSH(providers, na_provider *) = provider;
    }
    return NULL;
}

/* A virtual host's provider replaces the main server's of the same id. */
static na_error *place(apr_pool_t *pool, apr_array_header_t *providers, apr_array_header_t *origins,
                       na_provider *provider, const na_written *written)
{
    int index = find(providers, provider->id);
    if (index < 0) {
        APR_ARRAY_PUSH(providers, na_provider *) = provider;
        APR_ARRAY_PUSH(origins, const server_rec *) = written->server;
        return NULL;
    }
    if (APR_ARRAY_IDX(origins, index, const server_rec *) == written->server)
        return na_error_new(pool, NA_CONFIGURATION, "provider '%s' is there already", provider->id);
    APR_ARRAY_IDX(providers, index, na_provider *) = provider;
    APR_ARRAY_IDX(origins, index, const server_rec *) = written->server;
    return NULL;
}

static na_error *add(na_building *b, apr_array_header_t *providers, apr_array_header_t *origins,
                     const na_written *written)
{
    na_provider *provider;
    NA_TRY(build(b, written, &provider));
    return place(b->pool, providers, origins, provider, written);
}

na_error *na_build_providers(na_building *b, const apr_array_header_t *directives)
{
    apr_array_header_t *providers = apr_array_make(b->pool, 4, sizeof(na_provider *));
    apr_array_header_t *origins = apr_array_make(b->pool, 4, sizeof(const server_rec *));
    int from_env = 0;
    b->config->providers = providers;
    for (int i = 0; i < directives->nelts; i++) {
        const na_written *written = &APR_ARRAY_IDX(directives, i, na_written);
        if (strcmp(written->directive, "NextAuthProvidersFromEnv") == 0)
            from_env = ap_cstr_casecmp(written->argv[0], "on") == 0;
        if (strcmp(written->directive, "NextAuthProvider") != 0)
            continue;
        na_build_look_at(b, written, NULL);
        NA_TRY(na_build_noted(b, add(b, providers, origins, written)));
    }
    if (!from_env)
        return NULL;
    na_build_look_at(b, na_build_last_of(directives, "NextAuthProvidersFromEnv"), NULL);
    return na_build_noted(b, add_from_environment(&b->environment, b->config->http.allow_http,
                                                  providers));
}
