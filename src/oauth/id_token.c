/* SPDX-License-Identifier: Apache-2.0 */
/* ID tokens: verified. */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>
#include <openssl/evp.h>

#include "base/crypto.h"
#include "base/json.h"
#include "jose/jwe.h"
#include "jose/jws.h"
#include "oauth/oauth.h"

static na_error *refuse(const na_oauth *oauth, const char *why)
{
    return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK, "ID token refused: %s", why);
}

/*
 * Returns the accepted algorithms: the configured one, or the asymmetric ones of discovery, or
 * RS256 (Discovery 1.0 section 3). The token's header never adds to them.
 */
static const char *const *accepted_algs(const na_oauth *oauth, const na_metadata *metadata)
{
    size_t count = json_array_size(metadata->id_algs);
    const char **algs = apr_pcalloc(oauth->pool, (count + 2) * sizeof *algs);
    int n = 0;
    if (oauth->provider->id_token_alg) {
        algs[0] = oauth->provider->id_token_alg;
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
static na_error *keys_for(const na_oauth *oauth, const na_metadata *metadata, const char *alg,
                          const na_jws *header, const na_jwks **keys)
{
    if (alg && strncmp(alg, "HS", 2) == 0) {
        if (!oauth->provider->client_secret)
            return refuse(oauth, "HS256 requires a client secret");
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
static na_error *open_with_any(const na_oauth *oauth, const char *token, na_bytes *inner)
{
    const na_jwks *keys = oauth->provider->decryption_keys;
    na_error *error = NULL;
    for (int i = 0; i < keys->count; i++) {
        na_jwk key = *keys->keys[i];
        key.kid = NULL;
        error = na_jwe_open_private(oauth->pool, &key, token, strlen(token), inner);
        if (!error)
            return NULL;
    }
    return error;
}

/* A nested token has five parts (RFC 7516 section 3.1); inside is what was signed. */
static na_error *decrypt(const na_oauth *oauth, const char **token, int *is_encrypted)
{
    int dots = 0;
    na_bytes inner;
    for (const char *p = *token; *p; p++)
        dots += *p == '.';
    *is_encrypted = dots == 4;
    if (!*is_encrypted)
        return NULL;
    if (!oauth->provider->decryption_keys)
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "it is encrypted, and the provider has no privateKey=");
    NA_TRY(open_with_any(oauth, *token, &inner));
    *token = (const char *)inner.data;
    return NULL;
}

/* Section 3.1.3.7 step 1. */
static na_error *decrypt_id_token(const na_oauth *oauth, const char **token)
{
    int is_encrypted;
    na_error *error = decrypt(oauth, token, &is_encrypted);
    if (error)
        return na_error_wrap(oauth->pool, error, NULL, "ID token refused");
    return is_encrypted || !oauth->provider->requires_encryption
               ? NULL
               : refuse(oauth, "it is not encrypted");
}

/*
 * A token of another type, such as an access token (RFC 9068) or a logout token, is not an ID token
 * (RFC 8725 section 3.11). ID tokens have no type of their own.
 */
static na_error *check_type(const na_oauth *oauth, const na_jws *header)
{
    const char *typ = header->typ;
    if (!typ || strcasecmp(typ, "JWT") == 0 || strcasecmp(typ, "application/jwt") == 0)
        return NULL;
    return refuse(oauth,
                  apr_psprintf(oauth->pool, "its type is '%s'", na_one_line(oauth->pool, typ, 40)));
}

static int names_client(const json_t *aud, const char *client_id)
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
static na_error *check_audience(const na_oauth *oauth, const json_t *claims)
{
    const json_t *aud = json_object_get(claims, "aud");
    const json_t *azp = json_object_get(claims, "azp");
    const char *client_id = oauth->provider->client_id;
    if (!names_client(aud, client_id))
        return refuse(oauth, "aud does not name this client");
    if (oauth->provider->audiences && !trusts_all(oauth, aud))
        return refuse(oauth, "aud has an audience that is not one of trustedAudiences=");
    if (json_array_size(aud) > 1 && !azp && !oauth->provider->audiences)
        return refuse(oauth, "several audiences and no azp");
    if (azp && !names_client(azp, client_id))
        return refuse(oauth, "azp does not match this client");
    return NULL;
}

/* Step 2. A tenant fills the hole in Azure's issuer; it can add no other characters. */
static na_error *check_issuer(const na_oauth *oauth, const na_metadata *metadata,
                              const json_t *claims)
{
    const char *expected = metadata->issuer, *issuer = na_json_string(claims, "iss");
    const char *hole = strstr(expected, "{tenantid}"), *tenant = na_json_string(claims, "tid");
    if (hole) {
        if (!tenant || !*tenant || strspn(tenant, "0123456789abcdefABCDEF-") != strlen(tenant))
            return refuse(oauth, "tid is not a tenant ID");
        expected = apr_pstrcat(oauth->pool,
                               apr_pstrmemdup(oauth->pool, expected, (apr_size_t)(hole - expected)),
                               tenant, hole + strlen("{tenantid}"), NULL);
    }
    return issuer && strcmp(issuer, expected) == 0 ? NULL
                                                   : refuse(oauth, "iss does not match the issuer");
}

/* Steps 9 and 10, and nbf of RFC 7519 section 4.1.5. */
static na_error *check_times(const na_oauth *oauth, const json_t *claims)
{
    json_int_t exp, iat, nbf, now = apr_time_sec(oauth->now);
    if (!na_json_number(claims, "exp", &exp) || exp <= now - oauth->provider->clock_tolerance)
        return refuse(oauth, "it has expired, or has no exp");
    if (!na_json_number(claims, "iat", &iat) || iat > now + oauth->provider->clock_tolerance)
        return refuse(oauth, "iat is in the future, or missing: check the clocks");
    if (json_object_get(claims, "nbf") &&
        (!na_json_number(claims, "nbf", &nbf) || nbf > now + oauth->provider->clock_tolerance))
        return refuse(oauth, "nbf is in the future: check the clocks");
    return NULL;
}

/* Sections 3.1.3.8 and 3.3.2.11: the left half of a value's hash, if the token has it. */
static na_error *check_hash(const na_oauth *oauth, const json_t *claims, const char *alg,
                            const char *name, const char *value)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    size_t len = 0;
    if (!json_object_get(claims, name))
        return NULL;
    if (EVP_Q_digest(NULL, na_jws_digest(alg), NULL, value, strlen(value), hash, &len) != 1)
        return refuse(oauth, apr_pstrcat(oauth->pool, "could not compute ", name, NULL));
    return na_equal_secret(na_json_string(claims, name),
                           na_base64url_encode(oauth->pool, hash, len / 2))
               ? NULL
               : refuse(oauth,
                        apr_pstrcat(oauth->pool, name, " does not match the ",
                                    strcmp(name, "c_hash") == 0 ? "code" : "access token", NULL));
}

/* ── what the authorization request demands ───────────────────────────────────────────────── */

/* Users can remove the requirement from the request, so this is not the fault of the provider. */
static na_error *deny(const na_oauth *oauth, const char *why)
{
    return na_error_new(oauth->pool, NA_ERR_ACCESS_DENIED, "ID token refused: %s", why);
}

/* Step 13. The age counts from the request, because consent can take time. */
static na_error *check_auth_time(const na_oauth *oauth, const na_checks *checks,
                                 const json_t *claims)
{
    json_int_t auth_time, began = apr_time_sec(checks->began ? checks->began : oauth->now);
    if (oauth->provider->max_auth_age < 0)
        return NULL;
    if (!na_json_number(claims, "auth_time", &auth_time))
        return deny(oauth, "max_age was requested, and it has no auth_time");
    return auth_time < began - oauth->provider->max_auth_age - oauth->provider->clock_tolerance
               ? deny(oauth, "auth_time is older than max_age")
               : NULL;
}

/* Step 12: a list, of which any value is enough. */
static na_error *check_acr(const na_oauth *oauth, const json_t *claims)
{
    const char *acr = na_json_string(claims, "acr"), *values = oauth->provider->acr_values;
    if (!values)
        return NULL;
    while (acr && *acr && *values) {
        size_t len = strcspn(values, " ");
        if (len == strlen(acr) && strncmp(acr, values, len) == 0)
            return NULL;
        values += len + strspn(values + len, " ");
    }
    return deny(oauth, "acr is not one of acr_values");
}

/* Google's claim for the organization of the account, which an address does not prove. */
static na_error *check_hosted_domain(const na_oauth *oauth, const json_t *claims)
{
    const char *hd = na_json_string(claims, "hd"), *demanded = oauth->provider->hosted_domain;
    if (!demanded || (hd && *hd && (strcmp(demanded, "*") == 0 || strcasecmp(hd, demanded) == 0)))
        return NULL;
    return deny(oauth, "hd does not match the requested hosted domain");
}

static na_error *check_demands(const na_oauth *oauth, const na_checks *checks, const json_t *claims)
{
    NA_TRY(check_auth_time(oauth, checks, claims));
    NA_TRY(check_acr(oauth, claims));
    return check_hosted_domain(oauth, claims);
}

static na_error *check_claims(const na_oauth *oauth, const na_metadata *metadata,
                              const na_tokens *tokens, const na_checks *checks, const char *alg,
                              const json_t *claims)
{
    const char *sub = na_json_string(claims, "sub");
    NA_TRY(check_issuer(oauth, metadata, claims));
    NA_TRY(check_audience(oauth, claims));
    NA_TRY(check_times(oauth, claims));
    if (!sub || !*sub)
        return refuse(oauth, "it has no sub");
    if (checks->nonce &&
        !na_equal_secret(checks->nonce, na_json_string(claims, "nonce"))) /* step 11 */
        return na_error_new(oauth->pool, NA_ERR_INVALID_CHECK,
                            "ID token refused: nonce does not match");
    NA_TRY(check_hash(oauth, claims, alg, "at_hash", tokens->access_token));
    NA_TRY(check_hash(oauth, claims, alg, "c_hash", tokens->code));
    return check_demands(oauth, checks, claims);
}

na_error *na_oauth_verify_id_token(const na_oauth *oauth, const na_metadata *metadata,
                                   const na_tokens *tokens, const na_checks *checks,
                                   json_t **claims)
{
    const char *token = tokens->id_token;
    const na_jwks *keys;
    na_jws jws;
    NA_TRY(decrypt_id_token(oauth, &token));
    NA_TRY(na_jws_read(oauth->pool, token, strlen(token), &jws));
    NA_TRY(check_type(oauth, &jws));
    NA_TRY(keys_for(oauth, metadata, oauth->provider->id_token_alg, &jws, &keys));
    NA_TRY(na_jws_verify(oauth->pool, &jws, keys, accepted_algs(oauth, metadata)));
    NA_TRY(na_json_parse(oauth->pool, NA_ERR_OAUTH_CALLBACK, (const char *)jws.payload.data,
                         jws.payload.len, claims));
    NA_TRY(check_claims(oauth, metadata, tokens, checks, jws.alg, *claims));
    na_oauth_step(oauth, "PROFILE_DATA", "ID token of %s verified: %s", metadata->issuer, jws.alg);
    return NULL;
}

static na_error *verify_signed(const na_oauth *oauth, const na_metadata *metadata,
                               const char *token, json_t **claims)
{
    const char *const algs[] = {oauth->provider->userinfo_alg, NULL};
    const na_jwks *keys;
    na_jws jws;
    NA_TRY(na_jws_read(oauth->pool, token, strlen(token), &jws));
    NA_TRY(keys_for(oauth, metadata, algs[0], &jws, &keys));
    NA_TRY(na_jws_verify(oauth->pool, &jws, keys, algs));
    return na_json_parse(oauth->pool, NA_ERR_OAUTH_CALLBACK, (const char *)jws.payload.data,
                         jws.payload.len, claims);
}

/* A response that was encrypted alone came from the endpoint, as plain JSON does. */
static na_error *read_jwt(const na_oauth *oauth, const na_metadata *metadata, const char *token,
                          json_t **claims)
{
    int is_encrypted;
    NA_TRY(decrypt(oauth, &token, &is_encrypted));
    if (oauth->provider->userinfo_alg)
        return verify_signed(oauth, metadata, token, claims);
    if (!is_encrypted)
        return na_error_with_hint(na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                                               "it is signed, and no algorithm is set"),
                                  "set userinfo_signed_response_alg=");
    return na_json_parse(oauth->pool, NA_ERR_OAUTH_CALLBACK, token, strlen(token), claims);
}

/* Section 5.3.2: a signed response names its issuer and this client. */
na_error *na_oauth_verify_userinfo(const na_oauth *oauth, const na_metadata *metadata,
                                   const char *token, json_t **claims)
{
    na_error *error = read_jwt(oauth, metadata, token, claims);
    if (error)
        return na_error_wrap(oauth->pool, error, NULL, "invalid JWT of the userinfo endpoint");
    if (!oauth->provider->userinfo_alg)
        return NULL;
    const char *issuer = na_json_string(*claims, "iss");
    if (!issuer || !metadata->issuer || strcmp(issuer, metadata->issuer) != 0 ||
        !names_client(json_object_get(*claims, "aud"), oauth->provider->client_id))
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "iss or aud of the signed userinfo response does not match");
    return NULL;
}
