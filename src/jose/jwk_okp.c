/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/crypto.h"
#include "jose/compact.h"
#include "jose/jwk_material.h"

/* RFC 8037 section 2, for signatures alone: X25519 and the 448 curves are refused. */
na_error *na_jwk_okp(apr_pool_t *pool, const json_t *json, EVP_PKEY **pkey)
{
    const char *crv;
    na_bytes x, d;
    NA_TRY(na_jose_string(pool, NA_ERR_OAUTH_CALLBACK, json, "crv", &crv));
    if (!crv || strcmp(crv, "Ed25519") != 0)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "OKP key: unknown curve");
    NA_TRY(na_jose_bytes(pool, NA_ERR_OAUTH_CALLBACK, json, "x", &x));
    NA_TRY(na_jose_bytes(pool, NA_ERR_OAUTH_CALLBACK, json, "d", &d));
    if (x.len != 32 || (d.data && d.len != 32))
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "OKP key: \"x\" or \"d\" is not 32 bytes");

    EVP_PKEY *public =
        na_pkey_own(pool, EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x.data, x.len));
    *pkey = public;
    if (d.data)
        *pkey =
            na_pkey_own(pool, EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, d.data, d.len));
    if (!public || !*pkey)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "OKP key: %s", na_openssl_error(pool));
    if (EVP_PKEY_eq(public, *pkey) != 1)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "OKP key: \"d\" does not belong to \"x\"");
    return NULL;
}
