/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_T_UNIT_JOSE_JWS_KIT_H
#define NA_T_UNIT_JOSE_JWS_KIT_H

#include "jose/jws.h"
#include "jose_kit.h"

/* Signing, spoiling and verifying tokens, for the tests of the JWS rules. */

static const char *const all[] = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256",
                                  "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512", NULL};

static inline na_error *verify(apr_pool_t *pool, const char *token, const na_jwks *set)
{
    na_jws jws;
    na_error *error = kit_verify(pool, token, strlen(token), set, all, &jws);
    if (error && jws.payload.data)
        ok(0, "a refused token gives no payload");
    if (error && !na_error_is(error, NA_ERR_OAUTH_CALLBACK))
        ok(0, "the public code is not that of a callback");
    return error;
}

static inline void refused(apr_pool_t *pool, const char *token, const na_jwks *set,
                           const char *part, const char *name)
{
    says(pool, verify(pool, token, set), part, name);
}

static inline const char *sign(apr_pool_t *pool, const json_t *jwk, const char *alg)
{
    char *token;
    na_error *error =
        na_jws_sign(pool, kit_key(pool, jwk), alg, NULL, na_bytes_of("{\"sub\":\"1\"}"), &token);
    if (error) {
        diag("%s: %s", alg, na_error_text(pool, error));
        abort();
    }
    return token;
}

static inline const char *signature_of(const char *token)
{
    while (strchr(token, '.'))
        token = strchr(token, '.') + 1;
    return token;
}

static inline const char *with_signature(apr_pool_t *pool, const char *token, const char *signature)
{
    return apr_pstrcat(pool, apr_pstrndup(pool, token, (apr_size_t)(signature_of(token) - token)),
                       signature, NULL);
}

static inline const char *with_bytes(apr_pool_t *pool, const char *token,
                                     const unsigned char *bytes, apr_size_t len)
{
    return with_signature(pool, token, na_base64url_encode(pool, bytes, len));
}

#endif
