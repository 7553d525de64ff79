/* SPDX-License-Identifier: Apache-2.0 */
/* JWKs of elliptic curves: EC (RFC 7518 section 6.2) and OKP (RFC 8037). */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/params.h>

#include "base/crypto.h"
#include "jose/compact.h"
#include "jose/jwk_curve.h"
#include "jose/jwk_material.h"

/* RFC 7518 sections 6.2.1.2, 6.2.1.3 and 6.2.2.1: all octets of the field, leading zeros too. */
static na_error *read_field(apr_pool_t *pool, const json_t *json, const char *name, apr_size_t len,
                            na_bytes *value)
{
    NA_TRY(na_jose_bytes(pool, NA_ERR_OAUTH_CALLBACK, json, name, value));
    if (value->len != len)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK,
                            "EC key: \"%s\" has %" APR_SIZE_T_FMT " bytes instead of "
                            "%" APR_SIZE_T_FMT,
                            name, value->len, len);
    return NULL;
}

/* An uncompressed point: 4, x, y (SEC 1 section 2.3.3). */
static na_error *read_point(apr_pool_t *pool, const json_t *json, const na_curve *curve,
                            OSSL_PARAM *param)
{
    na_bytes x, y;
    NA_TRY(read_field(pool, json, "x", curve->field_len, &x));
    NA_TRY(read_field(pool, json, "y", curve->field_len, &y));
    unsigned char *point = apr_palloc(pool, 1 + 2 * curve->field_len);
    point[0] = POINT_CONVERSION_UNCOMPRESSED;
    memcpy(point + 1, x.data, x.len);
    memcpy(point + 1 + x.len, y.data, y.len);
    *param = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * x.len);
    return NULL;
}

static na_error *read_private(apr_pool_t *pool, const json_t *json, const na_curve *curve,
                              OSSL_PARAM *param)
{
    na_bytes d;
    NA_TRY(read_field(pool, json, "d", curve->field_len, &d));
    *param = na_pkey_number(pool, OSSL_PKEY_PARAM_PRIV_KEY, d);
    return NULL;
}

/* OpenSSL accepts any private half; one that belongs to another point is refused here. */
static int halves_agree(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    int agree = context && EVP_PKEY_pairwise_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    return agree;
}

na_error *na_jwk_ec(apr_pool_t *pool, const json_t *json, EVP_PKEY **pkey)
{
    const char *crv;
    OSSL_PARAM params[4], *next = params;
    NA_TRY(na_jose_string(pool, NA_ERR_OAUTH_CALLBACK, json, "crv", &crv));
    const na_curve *curve = na_curve_find(crv);
    if (!curve || strcmp(curve->crv, crv) != 0)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "EC key: unknown curve");
    *next++ = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)curve->group, 0);
    NA_TRY(read_point(pool, json, curve, next++));
    int is_private = json_object_get(json, "d") != NULL;
    if (is_private)
        NA_TRY(read_private(pool, json, curve, next++));
    *next = OSSL_PARAM_construct_end();

    *pkey = na_pkey_build(pool, "EC", params);
    if (!*pkey)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "EC key: %s", na_openssl_error(pool));
    if (is_private && !halves_agree(*pkey))
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK,
                            "EC key: \"d\" does not belong to x and y: %s", na_openssl_error(pool));
    return NULL;
}

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
