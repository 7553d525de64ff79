/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens that the issuer is asked about (RFC 7662). */
#include "oauth/introspection.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/json.h"
#include "jose/jws.h"
#include "oauth/access_token_claims.h"
#include "oauth/post.h"

/* RFC 9701 section 4. */
#define JWT_TYPE "application/token-introspection+jwt"

static na_error *invalid(const na_oauth *oauth, const char *why)
{
    return na_error_new(oauth->pool, NA_ERR_UNAVAILABLE,
                        "invalid introspection response of token issuer '%s': %s",
                        oauth->provider->id, why);
}

/* ── what the answer says ──────────────────────────────────────────────────────────────────── */

static int is_usable_type(const char *type)
{
    return !type || strcasecmp(type, "Bearer") == 0 || strcasecmp(type, "DPoP") == 0;
}

/*
 * Section 2.2. An issuer can also know refresh tokens, and Keycloak ID tokens, which it tells apart
 * by `typ`.
 */
static int is_access_token(const json_t *answer)
{
    return is_usable_type(na_json_string(answer, "token_type")) &&
           is_usable_type(na_json_string(answer, "typ"));
}

na_error *na_introspection_read(const na_oauth *oauth, const na_issuer *issuer,
                                const json_t *answer, json_t **claims)
{
    const json_t *active = json_object_get(answer, "active");
    *claims = NULL;
    if (!json_is_boolean(active))
        return invalid(oauth, "active is neither true nor false");
    if (!json_is_true(active))
        return NULL;
    if (!is_access_token(answer))
        return na_error_new(oauth->pool, NA_ERR_SESSION,
                            "access token refused: it is a token of another kind");
    NA_TRY(na_token_claims_check(oauth, issuer, answer));
    *claims = (json_t *)answer;
    return NULL;
}

/* ── signed answers (RFC 9701) ─────────────────────────────────────────────────────────────── */

/* Section 5: for this server, from that issuer, made for this request. */
static na_error *check_envelope(const na_oauth *oauth, const json_t *envelope)
{
    const char *iss = na_json_string(envelope, "iss"), *client = oauth->provider->client_id;
    const json_t *aud = json_object_get(envelope, "aud");
    const char *only = json_string_value(aud);
    json_int_t iat, now = apr_time_sec(oauth->now), tolerance = oauth->provider->clock_tolerance;
    if (!iss || strcmp(iss, oauth->provider->issuer) != 0)
        return invalid(oauth, "iss does not match the issuer");
    if (only ? strcmp(only, client) != 0 : !na_json_has_text(aud, client))
        return invalid(oauth, "aud does not name this client");
    if (!na_json_number(envelope, "iat", &iat) || iat > now + tolerance || iat < now - tolerance)
        return invalid(oauth, "iat is not the time of the request: check the clocks");
    return json_is_object(json_object_get(envelope, "token_introspection"))
               ? NULL
               : invalid(oauth, "it has no token_introspection");
}

static na_error *verify_answer(const na_oauth *oauth, const na_issuer *issuer,
                               const na_metadata *metadata, const char *text, json_t **envelope)
{
    const char *const algs[] = {issuer->introspection_alg, NULL};
    const na_jwks *keys;
    na_jws jws;
    NA_TRY(na_jws_read(oauth->pool, text, strlen(text), &jws));
    if (!jws.typ ||
        (strcasecmp(jws.typ, "token-introspection+jwt") != 0 && strcasecmp(jws.typ, JWT_TYPE) != 0))
        return invalid(oauth, "its type is not token-introspection+jwt");
    NA_TRY(na_oauth_keys(oauth, metadata, &keys));
    if (!na_jws_has_key(&jws, keys))
        na_oauth_renew_keys(oauth, metadata, &keys);
    NA_TRY(na_jws_verify(oauth->pool, &jws, keys, algs));
    return na_json_parse(oauth->pool, NA_ERR_OAUTH_CALLBACK, (const char *)jws.payload.data,
                         jws.payload.len, envelope);
}

static na_error *open_answer(const na_oauth *oauth, const na_issuer *issuer,
                             const na_metadata *metadata, const na_http_response *response,
                             const json_t **answer)
{
    json_t *envelope;
    if (strncasecmp(response->content_type, JWT_TYPE, strlen(JWT_TYPE)) != 0)
        return invalid(oauth, "introspection_signed_response_alg= is set, and it is not a JWT");
    NA_TRY(verify_answer(oauth, issuer, metadata, (const char *)response->body.data, &envelope));
    NA_TRY(check_envelope(oauth, envelope));
    *answer = json_object_get(envelope, "token_introspection");
    return NULL;
}

/* ── asking ────────────────────────────────────────────────────────────────────────────────── */

static na_error *find_endpoint(const na_oauth *oauth, const na_issuer *issuer,
                               na_metadata *metadata)
{
    const na_provider *provider = oauth->provider;
    int has_keys = provider->keys || provider->jwks_url || !issuer->introspection_alg;
    *metadata = (na_metadata){.issuer = provider->issuer,
                              .jwks_url = provider->jwks_url,
                              .introspection_url = issuer->introspection_url};
    if (!issuer->introspection_url || !has_keys)
        NA_TRY(na_oauth_metadata(oauth, metadata));
    if (issuer->introspection_url)
        metadata->introspection_url = issuer->introspection_url;
    /* RFC 8414 section 2: the ways to authenticate there have a list of their own */
    if (metadata->introspection_auths)
        metadata->auths = metadata->introspection_auths;
    return metadata->introspection_url
               ? NULL
               : na_error_with_hint(na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                                                 "the issuer has no introspection endpoint"),
                                    "set introspection_endpoint=");
}

static na_error *post_token(const na_oauth *oauth, const na_issuer *issuer,
                            const na_metadata *metadata, const char *token,
                            na_http_response *response)
{
    apr_table_t *fields = apr_table_make(oauth->pool, 4);
    na_http_request request = na_oauth_request(oauth, metadata->introspection_url);
    request.accept = issuer->introspection_alg ? JWT_TYPE : NULL;
    request.repeatable = 1;
    apr_table_setn(fields, "token", token);
    apr_table_setn(fields, "token_type_hint", "access_token");
    NA_TRY(na_oauth_authenticate(oauth, metadata, &request, fields));
    NA_TRY(na_oauth_post(oauth, &request, fields, "INTROSPECTION", response));
    if (response->status == 200)
        return NULL;
    return na_error_with_hint(
        na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                     "the introspection endpoint returned status %ld", response->status),
        response->status == 401 || response->status == 403
            ? "check clientId= and clientSecret=, and that this client may introspect"
            : NULL);
}

static na_error *ask(const na_oauth *oauth, const na_issuer *issuer, const char *token,
                     const json_t **answer)
{
    na_metadata metadata;
    na_http_response response;
    json_t *parsed;
    NA_TRY(find_endpoint(oauth, issuer, &metadata));
    NA_TRY(post_token(oauth, issuer, &metadata, token, &response));
    if (issuer->introspection_alg)
        return open_answer(oauth, issuer, &metadata, &response, answer);
    NA_TRY(na_json_parse(oauth->pool, NA_ERR_OAUTH_CALLBACK, (const char *)response.body.data,
                         response.body.len, &parsed));
    *answer = parsed;
    return NULL;
}

/* Without a valid answer, the token is not refused but unknown. */
na_error *na_oauth_introspect(const na_oauth *oauth, const na_issuer *issuer, const char *token,
                              json_t **claims)
{
    const json_t *answer = NULL;
    na_error *error = ask(oauth, issuer, token, &answer);
    if (error && !na_is_unavailable(error))
        return na_error_wrap(oauth->pool, error, NA_ERR_UNAVAILABLE,
                             "could not ask token issuer '%s'", oauth->provider->id);
    NA_TRY(error);
    return na_introspection_read(oauth, issuer, answer, claims);
}
