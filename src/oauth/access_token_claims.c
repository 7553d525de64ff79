/* SPDX-License-Identifier: Apache-2.0 */
/* The demands on claims of an access token, from a JWT or an introspection response. */
#include "oauth/access_token_claims.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"

static na_error *refuse(const na_oauth *oauth, const char *why)
{
    return na_error_new(oauth->pool, NA_ERR_SESSION, "access token refused: %s", why);
}

/* An answer of the issuer itself need not name it (RFC 7662 section 2.2). */
static na_error *check_issuer(const na_oauth *oauth, const json_t *claims)
{
    const char *iss = na_json_string(claims, "iss");
    return !json_object_get(claims, "iss") || (iss && strcmp(iss, oauth->provider->issuer) == 0)
               ? NULL
               : refuse(oauth, "iss does not match the issuer");
}

/* Returns 0 if the member is there, and not a number. */
static int read_time(const json_t *claims, const char *name, json_int_t *seconds, int *is_there)
{
    *is_there = json_object_get(claims, name) != NULL;
    return !*is_there || na_json_number(claims, name, seconds);
}

static na_error *check_times(const na_oauth *oauth, const json_t *claims)
{
    json_int_t exp, nbf, iat, now = apr_time_sec(oauth->now);
    json_int_t latest = now + oauth->provider->clock_tolerance;
    int has_exp, has_nbf, has_iat;
    if (!read_time(claims, "exp", &exp, &has_exp) || !read_time(claims, "nbf", &nbf, &has_nbf) ||
        !read_time(claims, "iat", &iat, &has_iat))
        return refuse(oauth, "exp, nbf, or iat is not a number");
    if (has_exp && exp <= now - oauth->provider->clock_tolerance)
        return refuse(oauth, "it has expired");
    if ((has_nbf && nbf > latest) || (has_iat && iat > latest))
        return refuse(oauth, "nbf or iat is in the future: check the clocks");
    return NULL;
}

static const char *text_of(const json_t *claims, const char *name)
{
    const char *text = na_json_string(claims, name);
    return text && *text ? text : NULL;
}

/* RFC 9068 section 2.2; azp is what other issuers have. */
const char *na_token_client(const json_t *claims)
{
    const char *client = text_of(claims, "client_id");
    return client ? client : text_of(claims, "azp");
}

/*
 * RFC 9068 section 2.2: without a user, `sub` is the client, which a user must not be taken for
 * (section 5). Entra ID has an ID of its own there, and says so.
 */
const char *na_token_user(const json_t *claims)
{
    const char *sub = text_of(claims, "sub"), *client = na_token_client(claims);
    const char *kind = na_json_string(claims, "idtyp");
    if (!sub || (client && strcmp(sub, client) == 0) || (kind && strcmp(kind, "app") == 0))
        return NULL;
    return sub;
}

/* SHA-256 as base64url. */
static int is_thumbprint(const json_t *value)
{
    const char *text = json_string_value(value);
    unsigned char hash[NA_BASE64URL_DECODED_MAX(43)];
    apr_size_t len;
    return text && strlen(text) == 43 && na_base64url_decode_to(hash, &len, text, 43);
}

/*
 * RFC 7800 section 3.1: what is not understood cannot be checked, so that such a token would be
 * good for anyone who has it.
 */
static na_error *check_confirmation(const na_oauth *oauth, const json_t *claims)
{
    json_t *cnf = json_object_get(claims, "cnf"), *value;
    const char *name, *type = na_json_string(claims, "token_type");
    if (!cnf)
        return type && strcasecmp(type, "DPoP") == 0
                   ? refuse(oauth, "its type is DPoP, and it has no cnf")
                   : NULL;
    if (!json_object_size(cnf))
        return refuse(oauth, "cnf is not an object with members");
    json_object_foreach(cnf, name, value)
    {
        if ((strcmp(name, "jkt") != 0 && strcmp(name, "x5t#S256") != 0) || !is_thumbprint(value))
            return refuse(oauth, "cnf has a member that cannot be checked");
    }
    return NULL;
}

/* Amazon Cognito says it of JWTs, and Hydra in answers, whose refresh tokens are active, too. */
static int is_for_access(const json_t *claims)
{
    const char *use = na_json_string(claims, "token_use");
    return !json_object_get(claims, "token_use") ||
           (use && (strcmp(use, "access") == 0 || strcmp(use, "access_token") == 0));
}

na_error *na_token_claims_check(const na_oauth *oauth, const na_issuer *issuer,
                                const json_t *claims)
{
    NA_TRY(check_issuer(oauth, claims));
    if (!is_for_access(claims))
        return refuse(oauth, "token_use says that it is a token of another kind");
    if (!na_issuer_is_audience(issuer, claims))
        return refuse(oauth, "aud does not name this API");
    NA_TRY(check_times(oauth, claims));
    NA_TRY(check_confirmation(oauth, claims));
    return na_token_user(claims) || na_token_client(claims)
               ? NULL
               : refuse(oauth, "it names neither a user (sub) nor a client (client_id)");
}
