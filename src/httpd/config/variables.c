/* SPDX-License-Identifier: Apache-2.0 */
/* Environment variables of NextAuth and Auth.js projects. */
#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/crypto.h"
#include "httpd/config/build.h"
#include "httpd/config/environment.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Variables, the directive that takes precedence over each, and its first argument. */
static const struct {
    const char *name;
    na_directive_id directive;
    const char *argument;
} variables[] = {
    {"NEXTAUTH_URL", NextAuthURL, NULL},
    {"AUTH_URL", NextAuthURL, NULL},
    {"NEXTAUTH_SECRET", NextAuthSecret, NULL},
    {"AUTH_SECRET", NextAuthSecret, NULL},
    {"AUTH_SECRET_1", NextAuthSecret, NULL},
    {"AUTH_SECRET_2", NextAuthSecret, NULL},
    {"AUTH_SECRET_3", NextAuthSecret, NULL},
    {"NODE_ENV", NextAuthMode, NULL},
    {"ENABLE_RATE_LIMITING", NextAuthFeature, "rateLimiting"},
    {"REDIS_URL", NextAuthRedis, NULL},
    {"EMAIL_SERVER", NextAuthMail, NULL},
    {"EMAIL_FROM", NextAuthMail, NULL},
    {"SENTRY_DSN", NextAuthSentry, NULL},
    {"SENTRY_RELEASE", NextAuthSentry, NULL},
    {"SENTRY_ENVIRONMENT", NextAuthSentry, NULL},
};

static const char *row_directive(apr_pool_t *pool, apr_size_t row)
{
    const char *name = na_directive_name(variables[row].directive);
    return variables[row].argument ? apr_pstrcat(pool, name, " ", variables[row].argument, NULL)
                                   : name;
}

const char *na_variable_directive(apr_pool_t *pool, const char *variable)
{
    for (apr_size_t i = 0; i < COUNT(variables); i++)
        if (strcmp(variables[i].name, variable) == 0)
            return row_directive(pool, i);
    return NULL;
}

/* A provider's ID is in the middle of its variables' names; v5's name of each kind comes first. */
static const struct {
    const char *kind, *before, *after;
} of_provider[] = {
    {NA_VARIABLE_ID, "AUTH_", "_ID"},
    {NA_VARIABLE_ID, "", "_CLIENT_ID"},
    {NA_VARIABLE_ID, "", "_ID"},
    {NA_VARIABLE_SECRET, "AUTH_", "_SECRET"},
    {NA_VARIABLE_SECRET, "", "_CLIENT_SECRET"},
    {NA_VARIABLE_SECRET, "", "_SECRET"},
    {NA_VARIABLE_ISSUER, "AUTH_", "_ISSUER"},
    {NA_VARIABLE_ISSUER, "", "_ISSUER"},
    {NA_VARIABLE_TENANT, "AUTH_", "_TENANT_ID"},
    {NA_VARIABLE_TENANT, "", "_TENANT_ID"},
};

/* Returns the spelling of a provider's ID in variables: GOOGLE, AZURE_AD. */
static const char *stem_of(apr_pool_t *pool, const char *id)
{
    char *stem = apr_pstrdup(pool, id);
    for (char *p = stem; *p; p++)
        *p = *p == '-' ? '_' : (char)apr_toupper(*p);
    return stem;
}

static const char *provider_variable(apr_pool_t *pool, apr_size_t row, const char *stem)
{
    return apr_pstrcat(pool, of_provider[row].before, stem, of_provider[row].after, NULL);
}

const char *na_variable_of_provider(const na_environment *environment, const char *id,
                                    const char *kind)
{
    const char *stem = stem_of(environment->pool, id);
    for (apr_size_t i = 0; i < COUNT(of_provider); i++) {
        const char *name = provider_variable(environment->pool, i, stem);
        if (strcmp(of_provider[i].kind, kind) == 0 && na_environment_has(environment, name))
            return name;
    }
    return NULL;
}

const char *na_variables_for_provider(apr_pool_t *pool, const char *id, const char *kind)
{
    const char *names = NULL, *last = NULL, *stem = stem_of(pool, id);
    for (apr_size_t i = 0; i < COUNT(of_provider); i++) {
        if (strcmp(of_provider[i].kind, kind) != 0)
            continue;
        if (last)
            names = names ? apr_pstrcat(pool, names, ", ", last, NULL) : last;
        last = provider_variable(pool, i, stem);
    }
    return names ? apr_pstrcat(pool, names, " or ", last, NULL) : last;
}

void na_variables_add_provider(apr_pool_t *pool, apr_table_t *known, const char *id)
{
    const char *directive = apr_pstrcat(pool, "NextAuthProvider ", id, NULL);
    for (apr_size_t i = 0; i < COUNT(of_provider); i++)
        apr_table_setn(known, provider_variable(pool, i, stem_of(pool, id)), directive);
}

apr_table_t *na_variables_known(apr_pool_t *pool, const apr_array_header_t *providers)
{
    apr_table_t *known = apr_table_make(pool, 64);
    for (apr_size_t i = 0; i < COUNT(variables); i++)
        apr_table_setn(known, variables[i].name, row_directive(pool, i));
    for (int i = 0; i < providers->nelts; i++) {
        const na_provider *provider = APR_ARRAY_IDX(providers, i, const na_provider *);
        if (provider->type == NA_OIDC || provider->type == NA_OAUTH)
            na_variables_add_provider(pool, known, provider->id);
    }
    return known;
}

/* Recorded now, because the values of NextAuthEnvFile are not kept. */
const apr_table_t *na_variables_note(const na_environment *environment,
                                     const apr_array_header_t *providers)
{
    const apr_table_t *known = na_variables_known(environment->pool, providers);
    const apr_array_header_t *all = apr_table_elts(known);
    apr_table_t *noted = apr_table_make(environment->pool, all->nelts);
    for (int i = 0; i < all->nelts; i++) {
        const char *name = APR_ARRAY_IDX(all, i, apr_table_entry_t).key;
        apr_table_setn(noted, name, na_environment_has(environment, name) ? "1" : "");
    }
    return noted;
}

static int forget_variable(void *unused, const char *name, const char *value)
{
    char *own = getenv(name);
    if (own) {
        na_wipe(own, strlen(own));
        unsetenv(name);
    }
    return 1;
}

void na_variables_forget(const server_rec *s)
{
    for (; s; s = s->next) {
        const na_plan *plan = &na_server_conf_of(s)->plan;
        if (!plan->variables)
            continue;
        apr_table_do(forget_variable, NULL, plan->variables, NULL);
        apr_table_do(forget_variable, NULL, plan->used_variables, NULL);
    }
}
