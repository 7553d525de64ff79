/* SPDX-License-Identifier: Apache-2.0 */
/* The relying party of a passkey provider: its ID and its origins. */
#include <string.h>

#include <apr_strings.h>

#include "base/url.h"
#include "provider/provider.h"

/* Returns 1 if the host is the RP ID or below it (Web Authentication Level 3, section 5.1.3). */
static int is_below(const char *host, const char *rp_id)
{
    size_t len = strlen(host), id_len = strlen(rp_id);
    return len >= id_len && strcmp(host + len - id_len, rp_id) == 0 &&
           (len == id_len || host[len - id_len - 1] == '.');
}

/* Neither a top-level domain nor an IP address can be one; localhost is for developers. */
static int is_rp_id(const char *rp_id)
{
    size_t digits = strspn(rp_id, "0123456789.");
    return na_is_host(rp_id) && !strchr(rp_id, ':') && rp_id[digits] &&
           (strchr(rp_id, '.') || strcmp(rp_id, "localhost") == 0);
}

static na_error *wrong(apr_pool_t *pool, const na_provider *provider, const char *what,
                       const char *hint)
{
    return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION, "provider '%s': %s",
                                           provider->id, what),
                              hint);
}

static na_error *add_origin(apr_pool_t *pool, const na_provider *provider, const char *text,
                            apr_array_header_t *origins)
{
    na_url url;
    if (!na_url_parse(pool, text, &url) || (*url.path && strcmp(url.path, "/") != 0))
        return wrong(pool, provider, apr_psprintf(pool, "invalid origin='%s'", text),
                     "use https://HOST[:PORT], separated by commas");
    APR_ARRAY_PUSH(origins, const char *) = url.origin;
    return NULL;
}

na_error *na_provider_finish_passkey(apr_pool_t *pool, na_provider *provider, const char *origin)
{
    apr_array_header_t *origins = apr_array_make(pool, 2, sizeof(const char *));
    char *last, *list = apr_pstrdup(pool, provider->origin_list ? provider->origin_list : "");
    na_url site;
    na_url_parse(pool, origin, &site);
    if (!provider->rp_id)
        provider->rp_id = site.host;
    if (!provider->rp_name)
        provider->rp_name = site.origin + strlen(site.scheme) + strlen("://");
    if (!is_rp_id(provider->rp_id))
        return wrong(pool, provider, apr_psprintf(pool, "invalid RP ID '%s'", provider->rp_id),
                     "passkeys require a domain: set NextAuthURL to a host name (localhost for "
                     "tests), or rpID= to a domain");
    NA_TRY(add_origin(pool, provider, origin, origins));
    for (char *text = apr_strtok(list, ", ", &last); text; text = apr_strtok(NULL, ", ", &last))
        NA_TRY(add_origin(pool, provider, text, origins));
    provider->origins = origins;
    return NULL;
}

int na_provider_is_related(const na_provider *provider, const char *origin)
{
    const char *host = strstr(origin, "://") + strlen("://");
    size_t len = strcspn(host, ":");
    char copy[256];
    apr_cpystrn(copy, host, len < sizeof copy ? len + 1 : sizeof copy);
    return !is_below(copy, provider->rp_id);
}
