/* SPDX-License-Identifier: Apache-2.0 */
/* Verification that all JWTs of a provider for this client have in common. */
#include "oauth/provider_token.h"

#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "jose/jwe.h"

na_error *na_provider_token_refuse(const na_oauth *oauth, const char *what, const char *why)
{
    return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK, "%s refused: %s", what, why);
}

/*
 * Returns the accepted algorithms: the configured one, or the asymmetric ones of discovery, or
 * RS256 (Discovery 1.0 section 3). The token's header never adds to them.
 */
static const char *const *accepted_algs(const na_oauth *oauth, const na_metadata *metadata,
                                        const char *alg_set)
{
    size_t count = json_array_size(metadata->id_algs);
    const char **algs = apr_pcalloc(oauth->pool, (count + 2) * sizeof *algs);
    int n = 0;
    if (alg_set) {
        algs[0] = alg_set;
        return algs;
    }
    for (size_t i = 0; i < count; i++) {
        const char *alg = json_string_value(json_array_get(metadata->id_algs, i));
        if (alg && na_jws_alg_known(alg) && strncmp(alg, "HS", 2) != 0 &&
            (!oauth->provider->is_fapi2 || na_provider_is_fapi2_alg(alg)))
            algs[n++] = alg;
    }
    if (!count && !oauth->provider->is_fapi2)
        algs[0] = "RS256";
    return algs;
}

/* With HS256, HS384, and HS512 the client secret is the key (section 10.1). */
static na_error *keys_for(const na_oauth *oauth, const na_metadata *metadata, const char *what,
                          const char *alg, const na_jws *header, const na_jwks **keys)
{
    if (alg && strncmp(alg, "HS", 2) == 0) {
        if (!oauth->provider->client_secret)
            return na_provider_token_refuse(oauth, what, "HS256 requires a client secret");
        const na_jwk **one = apr_palloc(oauth->pool, sizeof *one);
        na_jwks *set = apr_palloc(oauth->pool, sizeof *set);
        one[0] = na_jwk_from_secret(oauth->pool, na_bytes_of(oauth->provider->client_secret));
        *set = (na_jwks){one, 1};
        *keys = set;
        return NULL;
    }
    NA_TRY(na_oauth_keys(oauth, metadata, keys));
    if (!na_jws_has_key(header, *keys))
        na_oauth_renew_keys(oauth, metadata, keys); /* the provider rotated its keys */
    return NULL;
}

/* The provider can have the public half under a name of its own, so `kid` does not choose. */
na_error *na_provider_token_open(apr_pool_t *pool, const na_jwks *keys, const char **token)
{
    na_error *error = NULL;
    na_bytes inner;
    if (!keys || !keys->count)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK,
                            "it is encrypted, and the provider has no privateKey=");
    for (int i = 0; i < keys->count; i++) {
        na_jwk key = *keys->keys[i];
        key.kid = NULL;
        error = na_jwe_open_private(pool, &key, *token, strlen(*token), &inner);
        if (error)
            continue;
        *token = (const char *)inner.data;
        return NULL;
    }
    return error;
}

/* A nested token has five parts (RFC 7516 section 3.1); inside is what was signed. */
int na_provider_token_is_encrypted(const char *token)
{
    int dots = 0;
    for (const char *dot = strchr(token, '.'); dot; dot = strchr(dot + 1, '.'))
        dots++;
    return dots == 4;
}

na_error *na_provider_token_decrypt(const na_oauth *oauth, const char **token, int *is_encrypted)
{
    *is_encrypted = na_provider_token_is_encrypted(*token);
    return *is_encrypted
               ? na_provider_token_open(oauth->pool, oauth->provider->decryption_keys, token)
               : NULL;
}

na_error *na_provider_token_verify(const na_oauth *oauth, const na_metadata *metadata,
                                   const char *what, const char *alg, na_jws *jws, json_t **claims)
{
    const na_jwks *keys;
    NA_TRY(keys_for(oauth, metadata, what, alg, jws, &keys));
    NA_TRY(na_jws_verify(oauth->pool, jws, keys, accepted_algs(oauth, metadata, alg)));
    return na_json_parse(oauth->pool, NA_ERR_OAUTH_CALLBACK, (const char *)jws->payload.data,
                         jws->payload.len, claims);
}

int na_provider_token_names_client(const json_t *aud, const char *client_id)
{
    const char *one = json_string_value(aud);
    if (one)
        return strcmp(one, client_id) == 0;
    return na_json_has_text(aud, client_id);
}

/* Step 3: other audiences must be trusted. Without a list, azp decides. */
static int trusts_all(const na_oauth *oauth, const json_t *aud)
{
    const apr_array_header_t *trusted = oauth->provider->audiences;
    for (size_t i = 0; i < json_array_size(aud); i++) {
        const char *one = json_string_value(json_array_get(aud, i));
        int is_trusted = one && strcmp(one, oauth->provider->client_id) == 0;
        for (int k = 0; one && k < trusted->nelts; k++)
            is_trusted |= strcmp(one, APR_ARRAY_IDX(trusted, k, const char *)) == 0;
        if (!is_trusted)
            return 0;
    }
    return 1;
}

/* Steps 3 to 5. */
static na_error *check_audience(const na_oauth *oauth, const char *what, const json_t *claims)
{
    const json_t *aud = json_object_get(claims, "aud");
    const json_t *azp = json_object_get(claims, "azp");
    const char *client_id = oauth->provider->client_id;
    if (!na_provider_token_names_client(aud, client_id))
        return na_provider_token_refuse(oauth, what, "aud does not name this client");
    if (oauth->provider->audiences && !trusts_all(oauth, aud))
        return na_provider_token_refuse(oauth, what,
                                        "aud has an audience that is not one of trustedAudiences=");
    if (json_array_size(aud) > 1 && !azp && !oauth->provider->audiences)
        return na_provider_token_refuse(oauth, what, "several audiences and no azp");
    if (azp && !na_provider_token_names_client(azp, client_id))
        return na_provider_token_refuse(oauth, what, "azp does not match this client");
    return NULL;
}

/* Step 2. A tenant fills the hole in Azure's issuer; it can add no other characters. */
static na_error *check_issuer(const na_oauth *oauth, const na_metadata *metadata, const char *what,
                              const json_t *claims)
{
    const char *expected = metadata->issuer, *issuer = na_json_string(claims, "iss");
    const char *hole = strstr(expected, "{tenantid}"), *tenant = na_json_string(claims, "tid");
    if (hole) {
        if (!tenant || !*tenant || strspn(tenant, "0123456789abcdefABCDEF-") != strlen(tenant))
            return na_provider_token_refuse(oauth, what, "tid is not a tenant ID");
        expected = apr_pstrcat(oauth->pool,
                               apr_pstrmemdup(oauth->pool, expected, (apr_size_t)(hole - expected)),
                               tenant, hole + strlen("{tenantid}"), NULL);
    }
    return issuer && strcmp(issuer, expected) == 0
               ? NULL
               : na_provider_token_refuse(oauth, what, "iss does not match the issuer");
}

na_error *na_provider_token_check_parties(const na_oauth *oauth, const na_metadata *metadata,
                                          const char *what, const json_t *claims)
{
    NA_TRY(check_issuer(oauth, metadata, what, claims));
    return check_audience(oauth, what, claims);
}
