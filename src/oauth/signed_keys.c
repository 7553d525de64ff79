/* SPDX-License-Identifier: Apache-2.0 */
/* Key sets that are signed (OpenID Federation 1.0). */
#include "oauth/signed_keys.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "jose/jws.h"
#include "oauth/issuer.h"

static na_error *refuse(apr_pool_t *pool, const char *why)
{
    return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "signed key set refused: %s", why);
}

/* A JWT of another kind that the same key signed is not a key set (RFC 8725 section 3.11). */
static int is_key_set(const na_jws *jws)
{
    return jws->typ && (strcasecmp(jws->typ, "jwk-set+jwt") == 0 ||
                        strcasecmp(jws->typ, "application/jwk-set+jwt") == 0);
}

static int names(const json_t *claims, const char *claim, const char *value)
{
    const char *found = na_json_string(claims, claim);
    return found && strcmp(found, value) == 0;
}

/* `exp` and `iat` are optional; what is there must be a number. */
static na_error *check_claims(apr_pool_t *pool, const na_signed_keys_check *check,
                              const json_t *claims, apr_int64_t *expires)
{
    json_int_t exp = 0, iat = 0;
    if (!names(claims, "iss", check->issuer))
        return refuse(pool, "iss does not match the issuer");
    if (!names(claims, "sub", check->issuer))
        return refuse(pool, "sub does not match the issuer");
    if (json_object_get(claims, "exp") &&
        (!na_json_number(claims, "exp", &exp) || exp <= check->now - check->tolerance))
        return refuse(pool, "it has expired");
    if (json_object_get(claims, "iat") &&
        (!na_json_number(claims, "iat", &iat) || iat > check->now + check->tolerance))
        return refuse(pool, "iat is in the future");
    *expires = exp;
    return NULL;
}

na_error *na_signed_keys_read(apr_pool_t *pool, const na_signed_keys_check *check, na_bytes text,
                              const na_signed_keys **keys)
{
    na_signed_keys *made = apr_palloc(pool, sizeof *made);
    const na_jwks *set;
    json_t *claims;
    na_jws jws;
    NA_TRY(na_jws_read(pool, (const char *)text.data, text.len, &jws));
    if (!is_key_set(&jws))
        return refuse(pool, "its type is not jwk-set+jwt");
    NA_TRY(na_jws_verify(pool, &jws, check->signers, na_issuer_default_algs));
    const char *payload = (const char *)jws.payload.data;
    NA_TRY(na_json_parse(pool, NA_ERR_OAUTH_CALLBACK, payload, jws.payload.len, &claims));
    NA_TRY(check_claims(pool, check, claims, &made->expires));
    NA_TRY(na_jwks_parse(pool, payload, jws.payload.len, &set));
    made->set = *set;
    *keys = made;
    return NULL;
}
