/* SPDX-License-Identifier: Apache-2.0 */
/* ID tokens: verified. */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>
#include <openssl/evp.h>

#include "base/crypto.h"
#include "base/json.h"
#include "oauth/provider_token.h"

#define WHAT "ID token"

static na_error *refuse(const na_oauth *oauth, const char *why)
{
    return na_provider_token_refuse(oauth, WHAT, why);
}

/* Section 3.1.3.7 step 1. */
static na_error *decrypt_id_token(const na_oauth *oauth, const char **token)
{
    int is_encrypted;
    na_error *error = na_provider_token_decrypt(oauth, token, &is_encrypted);
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
                                 const json_t *claims, apr_int64_t max_age)
{
    json_int_t auth_time, began = apr_time_sec(checks->began ? checks->began : oauth->now);
    if (max_age < 0)
        return NULL;
    if (!na_json_number(claims, "auth_time", &auth_time))
        return deny(oauth, "max_age was requested, and it has no auth_time");
    return auth_time < began - max_age - oauth->provider->clock_tolerance
               ? deny(oauth, "auth_time is older than max_age")
               : NULL;
}

/* Step 12. */
static na_error *check_acr(const na_oauth *oauth, const json_t *claims, const char *values)
{
    return !values || na_is_word_of(na_json_string(claims, "acr"), values)
               ? NULL
               : deny(oauth, "acr is not one of acr_values");
}

/* A page for which the sign-in does not suffice names another reason than the provider's options.
 */
static na_error *check_wishes(const na_oauth *oauth, const na_checks *checks, const json_t *claims)
{
    const na_wishes *wishes = checks->wishes;
    if (!wishes || !wishes->are_demanded)
        return NULL;
    na_error *error = check_auth_time(oauth, checks, claims, wishes->max_age);
    if (!error)
        error = check_acr(oauth, claims, wishes->acr_values);
    return error ? na_error_wrap(oauth->pool, error, NA_ERR_STEP_UP,
                                 "the provider did not sign the user in as the path requires")
                 : NULL;
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
    const na_provider *provider = oauth->provider;
    NA_TRY(check_auth_time(oauth, checks, claims, provider->max_auth_age));
    NA_TRY(check_acr(oauth, claims, provider->acr_values));
    NA_TRY(check_wishes(oauth, checks, claims));
    return check_hosted_domain(oauth, claims);
}

static na_error *check_claims(const na_oauth *oauth, const na_metadata *metadata,
                              const na_tokens *tokens, const na_checks *checks, const char *alg,
                              const json_t *claims)
{
    const char *sub = na_json_string(claims, "sub");
    NA_TRY(na_provider_token_check_parties(oauth, metadata, WHAT, claims));
    NA_TRY(check_times(oauth, claims));
    if (!sub || !*sub)
        return refuse(oauth, "it has no sub");
    if (checks->nonce &&
        !na_equal_secret(checks->nonce, na_json_string(claims, "nonce"))) /* step 11 */
        return na_error_new(oauth->pool, NA_ERR_INVALID_CHECK,
                            "ID token refused: nonce does not match");
    NA_TRY(check_hash(oauth, claims, alg, "at_hash", tokens->access_token));
    if (tokens->code)
        NA_TRY(check_hash(oauth, claims, alg, "c_hash", tokens->code));
    return checks->is_renewal ? NULL : check_demands(oauth, checks, claims);
}

na_error *na_oauth_verify_id_token(const na_oauth *oauth, const na_metadata *metadata,
                                   const na_tokens *tokens, const na_checks *checks,
                                   json_t **claims)
{
    const char *token = tokens->id_token;
    na_jws jws;
    NA_TRY(decrypt_id_token(oauth, &token));
    NA_TRY(na_jws_read(oauth->pool, token, strlen(token), &jws));
    NA_TRY(check_type(oauth, &jws));
    NA_TRY(na_provider_token_verify(oauth, metadata, WHAT, oauth->provider->id_token_alg, &jws,
                                    claims));
    NA_TRY(check_claims(oauth, metadata, tokens, checks, jws.alg, *claims));
    na_oauth_step(oauth, "PROFILE_DATA", "ID token of %s verified: %s", metadata->issuer, jws.alg);
    return NULL;
}

static na_error *verify_signed(const na_oauth *oauth, const na_metadata *metadata,
                               const char *token, json_t **claims)
{
    na_jws jws;
    NA_TRY(na_jws_read(oauth->pool, token, strlen(token), &jws));
    return na_provider_token_verify(oauth, metadata, "userinfo response",
                                    oauth->provider->userinfo_alg, &jws, claims);
}

/* A response that was encrypted alone came from the endpoint, as plain JSON does. */
static na_error *read_jwt(const na_oauth *oauth, const na_metadata *metadata, const char *token,
                          json_t **claims)
{
    int is_encrypted;
    NA_TRY(na_provider_token_decrypt(oauth, &token, &is_encrypted));
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
        !na_provider_token_names_client(json_object_get(*claims, "aud"),
                                        oauth->provider->client_id))
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "iss or aud of the signed userinfo response does not match");
    return NULL;
}
