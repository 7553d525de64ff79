/* SPDX-License-Identifier: Apache-2.0 */
/* The jwks endpoint: the public halves of the keys that providers and applications need to know. */
#include "auth/respond.h"
#include "base/json.h"
#include "endpoint/endpoints.h"
#include "jose/jwk_public.h"

static int is_listed(const json_t *list, const char *kid, const char *use)
{
    size_t i;
    json_t *listed;
    json_array_foreach((json_t *)list, i, listed)
    {
        if (na_is_same(na_json_string(listed, "kid"), kid) &&
            na_is_same(na_json_string(listed, "use"), use))
            return 1;
    }
    return 0;
}

/* RFC 7517 section 4.2: `use` keeps a key for signatures apart from one for encryption. */
static na_error *add_keys(na_request *request, const na_jwks *keys, const char *use, json_t *list)
{
    for (int i = 0; keys && i < keys->count; i++) {
        const na_jwk *key = keys->keys[i];
        json_t *public;
        if (is_listed(list, key->kid, use))
            continue; /* several providers can have the same key */
        NA_TRY(na_jwk_public(request->pool, key, &public));
        json_object_set_new(public, "kid", json_string(key->kid));
        json_object_set_new(public, "use", json_string(use));
        json_array_append(list, public);
    }
    return NULL;
}

na_error *na_get_jwks(na_request *request, na_response *response)
{
    const apr_array_header_t *providers = request->config->providers;
    const apr_array_header_t *issuers = request->config->issuers;
    json_t *list = json_array();
    json_t *body = na_json_own(request->pool, json_pack("{s:o}", "keys", list));
    for (int i = 0; i < providers->nelts; i++) {
        const na_provider *provider = APR_ARRAY_IDX(providers, i, const na_provider *);
        NA_TRY(add_keys(request, provider->client_keys, "sig", list));
        NA_TRY(add_keys(request, provider->decryption_keys, "enc", list));
    }
    for (int i = 0; i < issuers->nelts; i++) /* which encrypt access tokens to them */
        NA_TRY(add_keys(request,
                        APR_ARRAY_IDX(issuers, i, const na_issuer *)->provider->decryption_keys,
                        "enc", list));
    NA_TRY(add_keys(request, request->config->identity.keys, "sig", list));
    na_respond_json(request, response, 200, body);
    return NULL;
}
