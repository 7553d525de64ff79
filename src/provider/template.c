/* SPDX-License-Identifier: Apache-2.0 */
/* Provider templates: one configured provider that stands for one of each tenant (tenants=). */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "base/hosts.h"
#include "base/url.h"
#include "provider/provider.h"

#define PLACEHOLDER "{tenant}"

/*
 * A tenant becomes a part of URLs, of paths of files, and of an ID, and is compared with a label of
 * a host name, as which a visitor chooses it (RFC 1123 section 2.1).
 */
static int is_tenant(const char *name)
{
    static const char label[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    size_t len = strlen(name);
    return len && len <= NA_LABEL_LEN_MAX && strspn(name, label) == len && *name != '-' &&
           name[len - 1] != '-';
}

static na_error *refuse(apr_pool_t *pool, const char *why, const char *name, const char *hint)
{
    return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION, "invalid tenants=: %s '%s'",
                                           why, name),
                              hint);
}

na_error *na_provider_set_tenants(apr_pool_t *pool, na_provider *provider, const char *value)
{
    apr_array_header_t *tenants = apr_array_make(pool, 16, sizeof(const char *));
    apr_hash_t *known = apr_hash_make(pool);
    char *last, *list = apr_pstrdup(pool, value);
    for (char *name = apr_strtok(list, " \t\r\n", &last); name;
         name = apr_strtok(NULL, " \t\r\n", &last)) {
        if (!is_tenant(name))
            return refuse(pool, "invalid name", na_one_line(pool, name, NA_LABEL_LEN_MAX),
                          "use lower-case letters, digits, and hyphens in between, at most 63, "
                          "separated by spaces or lines");
        if (apr_hash_get(known, name, APR_HASH_KEY_STRING))
            return refuse(pool, "duplicate", name, "remove one of them");
        apr_hash_set(known, name, APR_HASH_KEY_STRING, name);
        APR_ARRAY_PUSH(tenants, const char *) = name;
    }
    provider->tenants = tenants;
    if (tenants->nelts && tenants->nelts <= NA_TENANTS_MAX)
        return NULL;
    return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                           "tenants= has %d names: 1 to %d are possible",
                                           tenants->nelts, NA_TENANTS_MAX),
                              "name the tenants, or distribute them over several virtual hosts");
}

const char *na_provider_text_for(apr_pool_t *pool, const char *text, const char *tenant)
{
    apr_array_header_t *parts = apr_array_make(pool, 2, sizeof(const char *));
    for (const char *found; (found = strstr(text, PLACEHOLDER)); text = found + strlen(PLACEHOLDER))
        APR_ARRAY_PUSH(parts, const char *) =
            apr_pstrmemdup(pool, text, (apr_size_t)(found - text));
    APR_ARRAY_PUSH(parts, const char *) = text;
    return na_join(pool, parts, tenant);
}

/*
 * The tenant is part of the ID, so that everything that the ID distinguishes is apart: accounts,
 * because `sub` is unique at its issuer alone (OpenID Connect Core 1.0 section 5.7), sign-ins in
 * progress, kept tokens, and the provider's names of sessions.
 */
na_error *na_provider_give_to(apr_pool_t *pool, na_provider *provider, const char *tenant)
{
    provider->template_id = provider->id;
    provider->for_tenant = tenant;
    provider->id = apr_pstrcat(pool, provider->id, "-", tenant, NULL);
    if (strlen(provider->id) <= NA_PROVIDER_ID_MAX)
        return NULL;
    return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                           "the provider's ID would be '%s', which has more than "
                                           "%d characters",
                                           provider->id, NA_PROVIDER_ID_MAX),
                              "use a shorter ID of the provider, or a shorter name of the tenant");
}

const char *na_provider_configured_id(const na_provider *provider)
{
    return provider->template_id ? provider->template_id : provider->id;
}

int na_provider_is_named(const na_provider *provider, const char *name)
{
    return strcmp(provider->id, name) == 0 ||
           (provider->template_id && strcmp(provider->template_id, name) == 0);
}

const na_provider *na_provider_configured(const apr_array_header_t *providers, const char *id)
{
    for (int i = 0; i < providers->nelts; i++)
        if (na_provider_is_named(APR_ARRAY_IDX(providers, i, const na_provider *), id))
            return APR_ARRAY_IDX(providers, i, const na_provider *);
    return NULL;
}

/* A template that still stands for several tenants does not say which one is meant. */
const na_provider *na_provider_named(const apr_array_header_t *providers, const char *name)
{
    const na_provider *found = NULL;
    int at = na_provider_find(providers, name);
    if (at >= 0)
        return APR_ARRAY_IDX(providers, at, const na_provider *);
    for (int i = 0; i < providers->nelts; i++) {
        const na_provider *each = APR_ARRAY_IDX(providers, i, const na_provider *);
        if (!na_provider_is_named(each, name))
            continue;
        if (found)
            return NULL;
        found = each;
    }
    return found;
}
