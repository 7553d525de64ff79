/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens that are JWTs (RFC 9068), verified by the issuer's keys. */
#include "oauth/access_token_jwt.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "jose/compact.h"
#include "jose/jws.h"
#include "oauth/access_token_claims.h"

int na_access_token_peek(apr_pool_t *pool, const char *token, json_t **claims)
{
    na_jws jws;
    na_bytes payload;
    return !na_jws_read(pool, token, strlen(token), &jws) &&
           !na_compact_decode(pool, NA_ERR_OAUTH_CALLBACK, "payload", jws.parts[NA_JWS_PAYLOAD],
                              &payload) &&
           !na_json_parse(pool, NA_ERR_OAUTH_CALLBACK, (const char *)payload.data, payload.len,
                          claims);
}

static na_error *refuse(const na_oauth *oauth, const char *code, const char *why)
{
    return na_error_new(oauth->pool, code, "access token refused: %s", why);
}

/* RFC 9068 section 2.1; RFC 7515 section 4.1.9: "application/" can be left out. */
static int is_access_token(const char *typ)
{
    static const char prefix[] = "application/";
    if (typ && strncasecmp(typ, prefix, strlen(prefix)) == 0)
        typ += strlen(prefix);
    return typ && strcasecmp(typ, "at+jwt") == 0;
}

static int is_plain(const char *typ)
{
    return !typ || strcasecmp(typ, "JWT") == 0 || strcasecmp(typ, "application/jwt") == 0;
}

/* Section 4: an ID token, a logout token, or any other JWT of the issuer is not an access token. */
static na_error *check_type(const na_oauth *oauth, const na_issuer *issuer, const char *typ)
{
    if (is_access_token(typ) || (issuer->accepts_any_type && is_plain(typ)))
        return NULL;
    return na_error_with_hint(
        na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                     "access token refused: its type is '%s', not at+jwt",
                     na_one_line(oauth->pool, typ, 40)),
        "have the issuer make JWT access tokens by RFC 9068, or set tokenType=JWT");
}

/*
 * Of a JWT whose type says nothing, what it has tells other kinds apart: ID tokens (OpenID Connect
 * Core 1.0 sections 2 and 3.1.3.6), logout tokens (Back-Channel Logout 1.0 section 2.4), and
 * Keycloak's refresh tokens, whose claim `typ` says so.
 */
static int is_of_another_kind(const json_t *claims)
{
    static const char *const telling[] = {"nonce", "at_hash", "c_hash", "s_hash", "events"};
    const char *typ = na_json_string(claims, "typ");
    for (size_t i = 0; i < sizeof telling / sizeof *telling; i++)
        if (json_object_get(claims, telling[i]))
            return 1;
    return typ && strcasecmp(typ, "Bearer") != 0 && strcasecmp(typ, "DPoP") != 0;
}

static int has_text(const json_t *claims, const char *name)
{
    const char *text = na_json_string(claims, name);
    return text && *text;
}

/* Section 2.2. */
static na_error *check_required(const na_oauth *oauth, const na_issuer *issuer, const char *typ,
                                const json_t *claims)
{
    json_int_t seconds;
    if (!has_text(claims, "iss") || !na_json_number(claims, "exp", &seconds))
        return refuse(oauth, NA_ERR_SESSION, "it has no iss or no exp");
    if (!is_access_token(typ))
        return is_of_another_kind(claims)
                   ? refuse(oauth, NA_ERR_OAUTH_CALLBACK, "it is a token of another kind")
                   : NULL;
    return has_text(claims, "sub") && has_text(claims, "client_id") && has_text(claims, "jti") &&
                   na_json_number(claims, "iat", &seconds)
               ? NULL
               : refuse(oauth, NA_ERR_SESSION, "it lacks one of sub, client_id, jti, and iat");
}

/* Discovery is not asked for what is configured. */
static na_error *find_metadata(const na_oauth *oauth, na_metadata *metadata)
{
    const na_provider *provider = oauth->provider;
    *metadata = (na_metadata){.issuer = provider->issuer, .jwks_url = provider->jwks_url};
    return provider->keys || provider->jwks_url ? NULL : na_oauth_metadata(oauth, metadata);
}

static na_error *find_keys(const na_oauth *oauth, const na_jws *jws, const na_jwks **keys)
{
    na_metadata metadata;
    NA_TRY(find_metadata(oauth, &metadata));
    NA_TRY(na_oauth_keys(oauth, &metadata, keys));
    if (!na_jws_has_key(jws, *keys))
        na_oauth_renew_keys(oauth, &metadata, keys); /* at most a few times a minute */
    return NULL;
}

/* The client cannot help it, so that its token is not refused but unknown. */
static na_error *get_keys(const na_oauth *oauth, const na_jws *jws, const na_jwks **keys)
{
    na_error *error = find_keys(oauth, jws, keys);
    if (!error || na_is_unavailable(error))
        return error;
    return na_error_wrap(oauth->pool, error, NA_ERR_UNAVAILABLE,
                         "the keys of token issuer '%s' are not available", oauth->provider->id);
}

na_error *na_access_token_verify(const na_oauth *oauth, const na_issuer *issuer, const char *token,
                                 json_t **claims)
{
    const na_jwks *keys;
    na_jws jws;
    NA_TRY(na_jws_read(oauth->pool, token, strlen(token), &jws));
    NA_TRY(check_type(oauth, issuer, jws.typ));
    NA_TRY(get_keys(oauth, &jws, &keys));
    NA_TRY(na_jws_verify(oauth->pool, &jws, keys, issuer->algs));
    NA_TRY(na_json_parse(oauth->pool, NA_ERR_OAUTH_CALLBACK, (const char *)jws.payload.data,
                         jws.payload.len, claims));
    NA_TRY(check_required(oauth, issuer, jws.typ, *claims));
    NA_TRY(na_token_claims_check(oauth, issuer, *claims));
    na_oauth_step(oauth, "ACCESS_TOKEN", "access token of %s verified: %s", oauth->provider->issuer,
                  jws.alg);
    return NULL;
}
