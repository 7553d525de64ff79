/* SPDX-License-Identifier: Apache-2.0 */
/* Protected resources: APIs of this site that publish who issues their tokens (RFC 9728). */
#include "oauth/resource.h"

#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "base/url.h"
#include "oauth/dpop_proof.h"

const char *na_resource_of_path(const char *path)
{
    size_t len = strlen(NA_RESOURCE_WELL_KNOWN);
    return path && strncmp(path, NA_RESOURCE_WELL_KNOWN, len) == 0 &&
                   (!path[len] || path[len] == '/')
               ? path + len
               : NULL;
}

const char *na_resource_path(apr_pool_t *pool, const char *audience, const char *origin)
{
    na_url url;
    if (!na_url_parse(pool, audience, &url) || strcmp(url.origin, origin) != 0 ||
        strpbrk(url.path, "?#"))
        return NULL;
    return strcmp(url.path, "/") == 0 ? "" : url.path; /* section 3.1 */
}

/* Returns the audience that is the resource at `path`; NULL if the issuer has none. */
static const char *audience_at(apr_pool_t *pool, const na_issuer *issuer, const char *origin,
                               const char *path)
{
    for (int i = 0; issuer->publishes && i < issuer->audiences->nelts; i++) {
        const char *audience = APR_ARRAY_IDX(issuer->audiences, i, const char *);
        const char *own = na_resource_path(pool, audience, origin);
        if (own && strcmp(own, path) == 0)
            return audience;
    }
    return NULL;
}

static json_t *dpop_algs(void)
{
    json_t *algs = json_array();
    for (const char *alg = NA_DPOP_ALGS; *alg; alg += strspn(alg, " ")) {
        size_t len = strcspn(alg, " ");
        json_array_append_new(algs, json_stringn(alg, len));
        alg += len;
    }
    return algs;
}

/* Section 2. */
json_t *na_resource_metadata(apr_pool_t *pool, const apr_array_header_t *issuers,
                             const char *origin, const char *path)
{
    json_t *servers = json_array();
    const char *resource = NULL;
    int requires_dpop = 1, requires_certificate = 1;
    for (int i = 0; i < issuers->nelts; i++) {
        const na_issuer *issuer = APR_ARRAY_IDX(issuers, i, const na_issuer *);
        const char *audience =
            audience_at(pool, issuer, origin, strcmp(path, "/") == 0 ? "" : path);
        if (!audience)
            continue;
        resource = audience;
        requires_dpop &= issuer->binding == NA_BINDING_DPOP;
        requires_certificate &= issuer->binding == NA_BINDING_CERTIFICATE;
        if (!na_json_has_text(servers, issuer->provider->issuer))
            json_array_append_new(servers, json_string(issuer->provider->issuer));
    }
    json_t *metadata =
        na_json_own(pool,
                    json_pack("{s:s*, s:o, s:[s], s:o, s:b, s:b}", "resource", resource,
                              "authorization_servers", servers, "bearer_methods_supported",
                              "header", "dpop_signing_alg_values_supported", dpop_algs(),
                              "dpop_bound_access_tokens_required", requires_dpop,
                              "tls_client_certificate_bound_access_tokens", requires_certificate));
    return resource ? metadata : NULL;
}

static int is_accepted(const apr_array_header_t *accepted, const na_provider *provider)
{
    for (int i = 0; accepted && i < accepted->nelts; i++)
        if (na_provider_is_named(provider, APR_ARRAY_IDX(accepted, i, const char *)))
            return 1;
    return !accepted;
}

/* Returns 1 if `path` is that of the resource, or below it. */
static int is_within(const char *path, const char *resource)
{
    size_t len = strlen(resource);
    return strncmp(path, resource, len) == 0 &&
           (!len || resource[len - 1] == '/' || !path[len] || path[len] == '/');
}

const char *na_resource_metadata_url(apr_pool_t *pool, const apr_array_header_t *issuers,
                                     const apr_array_header_t *accepted, const char *origin,
                                     const char *path)
{
    const char *narrowest = NULL;
    for (int i = 0; i < issuers->nelts; i++) {
        const na_issuer *issuer = APR_ARRAY_IDX(issuers, i, const na_issuer *);
        if (!issuer->publishes || !is_accepted(accepted, issuer->provider))
            continue;
        for (int k = 0; k < issuer->audiences->nelts; k++) {
            const char *own =
                na_resource_path(pool, APR_ARRAY_IDX(issuer->audiences, k, const char *), origin);
            if (own && is_within(path, own) && (!narrowest || strlen(own) > strlen(narrowest)))
                narrowest = own;
        }
    }
    return narrowest ? apr_pstrcat(pool, origin, NA_RESOURCE_WELL_KNOWN, narrowest, NULL) : NULL;
}
