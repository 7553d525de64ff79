/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's keys: builds, owns, and checks them. */
#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>

#include "base/crypto.h"
#include "jose/jwk_curve.h"
#include "jose/jwk_material.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192

static apr_status_t free_pkey(void *pkey)
{
    EVP_PKEY_free(pkey);
    return APR_SUCCESS;
}

EVP_PKEY *na_pkey_own(apr_pool_t *pool, EVP_PKEY *pkey)
{
    if (pkey)
        apr_pool_cleanup_register(pool, pkey, free_pkey, apr_pool_cleanup_null);
    return pkey;
}

OSSL_PARAM na_pkey_number(apr_pool_t *pool, const char *name, na_bytes big_endian)
{
    unsigned char *native = apr_palloc(pool, big_endian.len);
    na_wipe_with_pool(pool, native, big_endian.len);
    BIGNUM *value = BN_bin2bn(big_endian.data, (int)big_endian.len, NULL);
    if (!value || BN_bn2nativepad(value, native, (int)big_endian.len) < 0)
        abort(); /* out of memory */
    BN_clear_free(value);
    return OSSL_PARAM_construct_BN(name, native, big_endian.len);
}

EVP_PKEY *na_pkey_build(apr_pool_t *pool, const char *type, OSSL_PARAM *params)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (context && EVP_PKEY_fromdata_init(context) == 1)
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_KEYPAIR, params);
    EVP_PKEY_CTX_free(context);
    return na_pkey_own(pool, pkey);
}

na_error *na_jwk_generate(apr_pool_t *pool, const na_jwk **key)
{
    na_jwk *made = apr_pcalloc(pool, sizeof *made);
    EVP_PKEY *pkey = na_pkey_own(pool, EVP_EC_gen("P-256"));
    if (!pkey)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not generate a key: %s",
                            na_openssl_error(pool));
    made->can_verify = 1;
    *key = made;
    return na_pkey_describe(pool, NA_ERR_CONFIGURATION, pkey, made);
}

/*
 * Returns 1 if the exponent is odd, at least 3, and at most 64 bits long: a longer one makes every
 * verification slow.
 */
static int exponent_is_sound(EVP_PKEY *pkey)
{
    BIGNUM *e = NULL;
    int sound = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(e) &&
                !BN_is_one(e) && BN_num_bits(e) <= 64;
    BN_free(e);
    return sound;
}

static na_error *describe_rsa(apr_pool_t *pool, const char *code, EVP_PKEY *pkey, na_jwk *key)
{
    int bits = EVP_PKEY_get_bits(pkey);
    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
        return na_error_new(pool, code, "RSA key: %d bits are not between %d and %d", bits,
                            RSA_BITS_MIN, RSA_BITS_MAX);
    if (!exponent_is_sound(pkey))
        return na_error_new(pool, code, "RSA key: the public exponent is even, 1 or too long");
    key->kty = NA_KTY_RSA;
    return NULL;
}

static na_error *describe_ec(apr_pool_t *pool, const char *code, EVP_PKEY *pkey, na_jwk *key)
{
    char group[64];
    size_t len;
    if (EVP_PKEY_get_group_name(pkey, group, sizeof group, &len) != 1)
        return na_error_new(pool, code, "EC key: a curve without a name");
    const na_curve *curve = na_curve_find(group);
    if (!curve)
        return na_error_new(pool, code, "EC key: unsupported curve %s", group);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    int valid = context && EVP_PKEY_public_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    if (!valid)
        return na_error_new(pool, code, "EC key: the point is not valid: %s",
                            na_openssl_error(pool));
    key->kty = NA_KTY_EC;
    key->crv = curve->crv;
    return NULL;
}

na_error *na_pkey_describe(apr_pool_t *pool, const char *code, EVP_PKEY *pkey, na_jwk *key)
{
    key->pkey = pkey;
    if (EVP_PKEY_is_a(pkey, "RSA"))
        return describe_rsa(pool, code, pkey, key);
    if (EVP_PKEY_is_a(pkey, "EC"))
        return describe_ec(pool, code, pkey, key);
    if (!EVP_PKEY_is_a(pkey, "ED25519"))
        return na_error_new(pool, code, "a key that is neither RSA, EC nor Ed25519");
    key->kty = NA_KTY_OKP;
    key->crv = "Ed25519";
    return NULL;
}
