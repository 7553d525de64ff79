/* SPDX-License-Identifier: Apache-2.0 */
/* Logout tokens: verified. */
#include "oauth/logout_token.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/json.h"
#include "oauth/provider_token.h"

#define WHAT "logout token"
#define EVENT "http://schemas.openid.net/event/backchannel-logout"

static na_error *refuse(const na_oauth *oauth, const char *why)
{
    return na_provider_token_refuse(oauth, WHAT, why);
}

/* Section 2.4: the type is recommended only, and many providers write that of any JWT. */
static na_error *check_type(const na_oauth *oauth, const na_jws *header)
{
    static const char *const types[] = {"logout+jwt", "application/logout+jwt", "JWT",
                                        "application/jwt"};
    for (apr_size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!header->typ || strcasecmp(header->typ, types[i]) == 0)
            return NULL;
    return refuse(oauth, apr_psprintf(oauth->pool, "its type is '%s'",
                                      na_one_line(oauth->pool, header->typ, 40)));
}

/*
 * Step 4, and nbf of RFC 7519 section 4.1.5. Providers that follow the first edition of the
 * specification send no `exp`: the maximum age limits their tokens, and those that expire late.
 */
static na_error *check_times(const na_oauth *oauth, const json_t *claims, na_logout_token *logout)
{
    json_int_t iat, exp, nbf, now = apr_time_sec(oauth->now);
    long tolerance = oauth->provider->clock_tolerance;
    if (!na_json_number(claims, "iat", &iat) || iat > now + tolerance)
        return refuse(oauth, "iat is in the future, or missing: check the clocks");
    exp = iat + NA_LOGOUT_TOKEN_MAX_AGE;
    if (json_object_get(claims, "exp") && !na_json_number(claims, "exp", &exp))
        return refuse(oauth, "exp is not a number");
    if (exp > iat + NA_LOGOUT_TOKEN_MAX_AGE)
        exp = iat + NA_LOGOUT_TOKEN_MAX_AGE;
    if (exp <= now - tolerance)
        return refuse(oauth, "it has expired");
    if (json_object_get(claims, "nbf") &&
        (!na_json_number(claims, "nbf", &nbf) || nbf > now + tolerance))
        return refuse(oauth, "nbf is in the future: check the clocks");
    logout->issued_at = iat;
    logout->expires = exp + tolerance;
    return NULL;
}

/* Returns 0 if there is such a claim, and it is not a text of at least one character. */
static int take_text(const json_t *claims, const char *name, const char **text)
{
    *text = na_json_string(claims, name);
    return *text ? **text != '\0' : !json_object_get(claims, name);
}

/* Steps 5 to 8. */
static na_error *check_meaning(const na_oauth *oauth, const json_t *claims, na_logout_token *logout)
{
    if (!take_text(claims, "sub", &logout->subject) ||
        !take_text(claims, "sid", &logout->session_id))
        return refuse(oauth, "sub or sid is not a text");
    if (!logout->subject && !logout->session_id)
        return refuse(oauth, "it has neither sub nor sid");
    if (!json_is_object(json_object_get(json_object_get(claims, "events"), EVENT)))
        return refuse(oauth, "events does not name a logout");
    if (json_object_get(claims, "nonce"))
        return refuse(oauth, "it has a nonce, as only ID tokens do");
    if (!take_text(claims, "jti", &logout->id) || !logout->id)
        return refuse(oauth, "it has no jti");
    return NULL;
}

na_error *na_oauth_check_logout_claims(const na_oauth *oauth, const na_metadata *metadata,
                                       const json_t *claims, na_logout_token *logout)
{
    NA_TRY(na_provider_token_check_parties(oauth, metadata, WHAT, claims));
    NA_TRY(check_times(oauth, claims, logout));
    NA_TRY(check_meaning(oauth, claims, logout));
    logout->issuer = na_json_string(claims, "iss");
    return NULL;
}

na_error *na_oauth_verify_logout_token(const na_oauth *oauth, const na_metadata *metadata,
                                       const char *token, na_logout_token *logout)
{
    na_jws jws;
    json_t *claims;
    int is_encrypted;
    NA_TRY(na_provider_token_decrypt(oauth, &token, &is_encrypted));
    if (!is_encrypted && oauth->provider->requires_encryption)
        return refuse(oauth, "it is not encrypted");
    NA_TRY(na_jws_read(oauth->pool, token, strlen(token), &jws));
    NA_TRY(check_type(oauth, &jws));
    NA_TRY(na_provider_token_verify(oauth, metadata, WHAT, oauth->provider->id_token_alg, &jws,
                                    &claims));
    return na_oauth_check_logout_claims(oauth, metadata, claims, logout);
}
