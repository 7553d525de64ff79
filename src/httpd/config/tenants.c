/* SPDX-License-Identifier: Apache-2.0 */
/* Directives with tenants=: each stands for one directive of each tenant. */
#include "httpd/config/tenants.h"

#include <string.h>

#include <apr_strings.h>

const char *na_option_of(const na_directive *written, const char *key)
{
    size_t len = strlen(key);
    for (int i = 1; i < written->argc; i++)
        if (strncmp(written->argv[i], key, len) == 0 && written->argv[i][len] == '=')
            return written->argv[i] + len + 1;
    return NULL;
}

na_error *na_build_tenants(na_builder *b, const na_directive *written,
                           const apr_array_header_t **tenants)
{
    const char *value = na_option_of(written, "tenants");
    na_provider template = {0};
    *tenants = NULL;
    if (!value)
        return NULL;
    NA_TRY(na_value_resolve(&b->environment, value, &value));
    NA_TRY(na_provider_set(b->pool, &template, "tenants", value));
    *tenants = template.tenants;
    return NULL;
}

na_directive na_build_directive_for(na_builder *b, const na_directive *written, const char *tenant)
{
    apr_array_header_t *argv = apr_array_make(b->pool, written->argc, sizeof(const char *));
    na_directive own = *written;
    APR_ARRAY_PUSH(argv, const char *) = written->argv[0]; /* to which the tenant is added */
    for (int i = 1; i < written->argc; i++)
        if (strncmp(written->argv[i], "tenants=", 8) != 0)
            APR_ARRAY_PUSH(argv, const char *) =
                na_provider_text_for(b->pool, written->argv[i], tenant);
    own.argc = argv->nelts;
    own.argv = (const char *const *)argv->elts;
    return own;
}

na_error *na_build_set_apart(na_builder *b, apr_hash_t *known, const char *identity,
                             const char *what, const char *tenant)
{
    const char *other = apr_hash_get(known, identity, APR_HASH_KEY_STRING);
    apr_hash_set(known, identity, APR_HASH_KEY_STRING, tenant);
    if (!other)
        return NULL;
    return na_error_with_hint(na_wrong(b, "tenants '%s' and '%s' have the same issuer and %s",
                                       other, tenant, what),
                              "put {tenant} into issuer=, such as "
                              "issuer=https://id.example.org/realms/{tenant}");
}

/* ── their place ───────────────────────────────────────────────────────────────────────────── */

static const na_provider *provider_at(const na_placed *placed, const apr_array_header_t *elements,
                                      int i)
{
    return placed->provider(APR_ARRAY_IDX(elements, i, const void *));
}

static int has_configured_id(const na_placed *placed, const apr_array_header_t *elements, int i,
                             const char *id)
{
    return strcmp(na_provider_configured_id(provider_at(placed, elements, i)), id) == 0;
}

static int has_id(const na_placed *placed, const apr_array_header_t *elements, const char *id)
{
    for (int i = 0; i < elements->nelts; i++)
        if (strcmp(provider_at(placed, elements, i)->id, id) == 0)
            return 1;
    return 0;
}

/* Returns a name of the other one that `id`, or what was made for it, has as well; NULL if none. */
static const char *common_name(const na_placed *placed, const char *id,
                               const apr_array_header_t *made, const na_provider *other)
{
    const char *configured = na_provider_configured_id(other);
    if (strcmp(other->id, id) == 0 || has_id(placed, made, other->id))
        return other->id;
    return has_id(placed, made, configured) ? configured : NULL;
}

/*
 * The ID of a tenant's provider can also be that of another one that is configured, or of a
 * template: Require would then mean both.
 */
static na_error *check_unique(na_builder *b, const na_placed *placed, const na_directive *written,
                              const apr_array_header_t *made)
{
    const char *id = written->argv[0];
    for (int i = 0; i < placed->all->nelts; i++) {
        int is_same = has_configured_id(placed, placed->all, i, id);
        int is_here = APR_ARRAY_IDX(placed->servers, i, const server_rec *) == written->server;
        const char *again =
            is_same ? (is_here ? id : NULL)
                    : common_name(placed, id, made, provider_at(placed, placed->all, i));
        if (again)
            return na_error_with_hint(
                na_wrong(b, "duplicate %s '%s'", placed->what, again),
                "remove one of them; only a virtual host's replaces the main server's");
    }
    return NULL;
}

static void add(const na_placed *placed, const void *element, const server_rec *server)
{
    APR_ARRAY_PUSH(placed->all, const void *) = element;
    APR_ARRAY_PUSH(placed->servers, const server_rec *) = server;
}

static void add_all(const na_placed *placed, const apr_array_header_t *made,
                    const server_rec *server)
{
    for (int i = 0; i < made->nelts; i++)
        add(placed, APR_ARRAY_IDX(made, i, const void *), server);
}

/* The arrays stay the same: the configuration has them, too. */
na_error *na_build_place(na_builder *b, const na_placed *placed, const na_directive *written,
                         const apr_array_header_t *made)
{
    int is_done = 0;
    NA_TRY(check_unique(b, placed, written, made));
    const apr_array_header_t *before = apr_array_copy(b->pool, placed->all);
    const apr_array_header_t *servers = apr_array_copy(b->pool, placed->servers);
    apr_array_clear(placed->all);
    apr_array_clear(placed->servers);
    for (int i = 0; i < before->nelts; i++) {
        if (!has_configured_id(placed, before, i, written->argv[0])) {
            add(placed, APR_ARRAY_IDX(before, i, const void *),
                APR_ARRAY_IDX(servers, i, const server_rec *));
        } else if (!is_done) {
            add_all(placed, made, written->server);
            is_done = 1;
        }
    }
    if (!is_done)
        add_all(placed, made, written->server);
    return NULL;
}

/* ── the whole ─────────────────────────────────────────────────────────────────────────────── */

/* Returns a provider of one tenant, or else one of all hosts; NULL if there is none. */
static const na_provider *find_provider(const na_builder *b, int for_tenant)
{
    for (int i = 0; i < b->providers->nelts; i++) {
        const na_provider *provider = APR_ARRAY_IDX(b->providers, i, const na_provider *);
        if (for_tenant == (provider->for_tenant != NULL))
            return provider;
    }
    return NULL;
}

static int has_wildcard(const na_config *config)
{
    for (int i = 0; config->hosts && i < config->hosts->nelts; i++)
        if (APR_ARRAY_IDX(config->hosts, i, na_host_pattern).star)
            return 1;
    return 0;
}

/* Each issuer vouches for any email address, and the database has one user for each. */
static void warn_of_shared_users(na_builder *b, const apr_array_header_t *written,
                                 const na_provider *tenant)
{
    const na_provider *shared = find_provider(b, 0);
    if (!b->config->database || !shared || b->config->sign_in_rules->nelts)
        return;
    na_build_look_at(b, na_last_of(written, NextAuthProvider), NULL);
    na_build_warn_aloud(
        b, na_error_with_hint(na_wrong(b,
                                       "who manages the issuer of a tenant of '%s' can create the "
                                       "user of any email address, which its owner then enters "
                                       "with '%s'",
                                       tenant->template_id, shared->id),
                              "let each issuer vouch for its own domain with NextAuthSignInRule"));
}

na_error *na_build_finish_tenants(na_builder *b, const apr_array_header_t *written)
{
    const na_provider *tenant = find_provider(b, 1);
    if (!tenant)
        return NULL;
    warn_of_shared_users(b, written, tenant);
    if (!b->config->site_name || !has_wildcard(b->config))
        return NULL;
    na_build_look_at(b, na_last_of(written, NextAuthSite), NULL);
    return na_build_noted(
        b,
        na_error_with_hint(na_wrong(b, "NextAuthSite makes one site of all hosts: the session of "
                                       "one tenant would be valid at the hosts of the others"),
                           "remove it, or tenants= of the providers"));
}
