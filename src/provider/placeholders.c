/* SPDX-License-Identifier: Apache-2.0 */
/* The site's own values in URLs of a provider: its issuer, tenant, client ID, and choices. */
#include <string.h>

#include <apr_strings.h>

#include "base/url.h"
#include "provider/provider.h"

/* A tenant becomes part of a URL, so its characters matter. */
na_error *na_provider_check_tenant(apr_pool_t *pool, const char *tenant)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    if ((*tenant && strspn(tenant, word) == strlen(tenant)) ||
        (!strpbrk(tenant, "/?#%\\ {}") && strchr(tenant, '.')))
        return NULL;
    return na_error_with_hint(
        na_error_new(pool, NA_ERR_CONFIGURATION, "invalid tenant=%s", tenant),
        "set tenant= to a tenant's ID or domain, common, organizations, or consumers");
}

/* Returns the value of a placeholder, and the option that sets it; *option is NULL if it is not one
 * of these: others are filled at a sign-in. */
static const char *value_of(apr_pool_t *pool, const na_provider *provider, const char *name,
                            apr_size_t len, const char **option)
{
    const struct {
        const char *name, *value;
    } all[] = {{"issuer", provider->issuer},
               {"tenant", provider->tenant},
               {"clientId", provider->client_id},
               {"primaryUserFlow", provider->user_flow},
               {"photo", provider->photo}};
    *option = NULL;
    for (apr_size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strlen(all[i].name) != len || strncmp(all[i].name, name, len) != 0)
            continue;
        *option = all[i].name;
        if (i == 0 && all[i].value) { /* paths follow it, with a slash of their own */
            apr_size_t end = strlen(all[i].value);
            while (end && all[i].value[end - 1] == '/')
                end--;
            return apr_pstrmemdup(pool, all[i].value, end);
        }
        return i == 2 && all[i].value ? na_percent_encode(pool, all[i].value) : all[i].value;
    }
    return NULL;
}

/*
 * Returns how much of a query to keep before the parameter whose value begins at `value`, and
 * writes what follows the parameter, from `*rest` on.
 */
static apr_size_t leave_out_parameter(const char *text, const char *value, const char **rest)
{
    apr_size_t len = (apr_size_t)(value - text);
    while (len && text[len - 1] != '?' && text[len - 1] != '&')
        len--;
    if (**rest == '&')
        ++*rest;
    else if (len)
        len--;
    return len;
}

/* A parameter with {NAME?} as its value is left out if the option is not set. */
static na_error *fill(apr_pool_t *pool, const na_provider *provider, const char **text)
{
    const char *rest = *text;
    apr_array_header_t *parts = apr_array_make(pool, 4, sizeof(const char *));
    for (const char *open = rest ? strchr(rest, '{') : NULL; open; open = strchr(open, '{')) {
        const char *option, *name = open + 1;
        apr_size_t len = strcspn(name, "}");
        int is_optional = len && name[len - 1] == '?';
        const char *value = value_of(pool, provider, name, len - (apr_size_t)is_optional, &option);
        const char *end = name + len + 1;
        open = name;
        if (!option || name[len] != '}')
            continue;
        if (!value && !is_optional)
            return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                                   "provider '%s' requires %s=", provider->id,
                                                   option),
                                      apr_psprintf(pool, "set %s=, which is part of %s", option,
                                                   *text));
        apr_size_t kept =
            value ? (apr_size_t)(name - 1 - rest) : leave_out_parameter(rest, name - 1, &end);
        APR_ARRAY_PUSH(parts, const char *) = apr_pstrmemdup(pool, rest, kept);
        APR_ARRAY_PUSH(parts, const char *) = value ? value : "";
        rest = open = end;
    }
    if (!parts->nelts)
        return NULL;
    APR_ARRAY_PUSH(parts, const char *) = rest;
    *text = na_join(pool, parts, "");
    return NULL;
}

#define TEMPLATES 13

/* The texts that can have placeholders. */
static void list_templates(na_provider *provider, const char **templates[TEMPLATES])
{
    const char **const all[TEMPLATES] = {
        &provider->authorization_url, &provider->authorization_params,
        &provider->token_url,         &provider->token_params,
        &provider->userinfo_url,      &provider->userinfo_header_fields,
        &provider->jwks_url,          &provider->end_session_url,
        &provider->revocation_url,    &provider->profile.image,
        &provider->well_known,        &provider->pushed_url,
        &provider->photo_url};
    memcpy(templates, all, sizeof all);
}

int na_provider_mentions(const na_provider *provider, const char *placeholder)
{
    na_provider copy = *provider;
    const char **templates[TEMPLATES];
    list_templates(&copy, templates);
    for (int i = 0; i < TEMPLATES; i++)
        if (*templates[i] && strstr(*templates[i], placeholder))
            return 1;
    return provider->issuer && strstr(provider->issuer, placeholder) != NULL;
}

na_error *na_provider_fill(apr_pool_t *pool, na_provider *provider)
{
    const char **templates[TEMPLATES];
    int is_base = provider->well_known && strstr(provider->well_known, "{issuer}");
    if (provider->tenant)
        NA_TRY(na_provider_check_tenant(pool, provider->tenant));
    if (provider->user_flow && strpbrk(provider->user_flow, "/?#%\\ {}"))
        return na_error_new(pool, NA_ERR_CONFIGURATION, "invalid primaryUserFlow=%s",
                            provider->user_flow);
    list_templates(provider, templates);
    NA_TRY(fill(pool, provider, &provider->issuer));
    for (int i = 0; i < TEMPLATES; i++)
        NA_TRY(fill(pool, provider, templates[i]));
    if (is_base) /* the issuer in the document differs from the URL below which the document is */
        provider->issuer = NULL;
    return NULL;
}
