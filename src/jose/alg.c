/* SPDX-License-Identifier: Apache-2.0 */
/* The algorithms of JWS and JWE that are supported. */
#include "jose/alg.h"

#include <string.h>

#include "jose/jws.h"

static const na_alg algorithms[] = {
    {"RS256", NA_ALG_SIGN, NA_KTY_RSA, NULL, "SHA256", 0},
    {"RS384", NA_ALG_SIGN, NA_KTY_RSA, NULL, "SHA384", 0},
    {"RS512", NA_ALG_SIGN, NA_KTY_RSA, NULL, "SHA512", 0},
    {"PS256", NA_ALG_SIGN, NA_KTY_RSA, NULL, "SHA256", 1},
    {"PS384", NA_ALG_SIGN, NA_KTY_RSA, NULL, "SHA384", 1},
    {"PS512", NA_ALG_SIGN, NA_KTY_RSA, NULL, "SHA512", 1},
    {"ES256", NA_ALG_SIGN, NA_KTY_EC, "P-256", "SHA256", 0},
    {"ES384", NA_ALG_SIGN, NA_KTY_EC, "P-384", "SHA384", 0},
    {"ES512", NA_ALG_SIGN, NA_KTY_EC, "P-521", "SHA512", 0},
    {"EdDSA", NA_ALG_SIGN, NA_KTY_OKP, "Ed25519", "SHA512", 0},
    {"Ed25519", NA_ALG_SIGN, NA_KTY_OKP, "Ed25519", "SHA512", 0}, /* RFC 9864 section 2.2 */
    {"HS256", NA_ALG_SIGN, NA_KTY_OCT, NULL, "SHA256", 0},
    {"HS384", NA_ALG_SIGN, NA_KTY_OCT, NULL, "SHA384", 0},
    {"HS512", NA_ALG_SIGN, NA_KTY_OCT, NULL, "SHA512", 0},
    {"RSA-OAEP", NA_ALG_DECRYPT, NA_KTY_RSA, NULL, "SHA1", 0},
    {"RSA-OAEP-256", NA_ALG_DECRYPT, NA_KTY_RSA, NULL, "SHA256", 0},
    {"ECDH-ES", NA_ALG_DECRYPT, NA_KTY_EC, NULL, "SHA256", 0},
};

const na_alg *na_alg_find(const char *name)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (strcmp(algorithms[i].name, name) == 0)
            return &algorithms[i];
    return NULL;
}

int na_alg_fits(const na_alg *alg, const na_jwk *key)
{
    if (alg->kty != key->kty)
        return 0;
    if (alg->crv && strcmp(alg->crv, key->crv) != 0)
        return 0;
    /* RFC 9864: EdDSA with this curve and Ed25519 are two names of one algorithm */
    return !key->alg || strcmp(key->alg, alg->name) == 0 || alg->kty == NA_KTY_OKP;
}

int na_alg_secret_too_short(const na_alg *alg, na_bytes secret)
{
    return secret.len < (apr_size_t)EVP_MD_get_size(EVP_get_digestbyname(alg->digest));
}

int na_jws_alg_known(const char *alg)
{
    return na_jws_digest(alg) != NULL;
}

const char *na_jws_digest(const char *alg)
{
    const na_alg *found = na_alg_find(alg);
    return found && found->purpose == NA_ALG_SIGN ? found->digest : NULL;
}
