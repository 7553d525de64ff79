/* SPDX-License-Identifier: Apache-2.0 */
/* The public half of a key, as others see it. */
#include "jose/jwk_public.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>

#include "base/crypto.h"
#include "base/json.h"
#include "jose/jwk_curve.h"

#define ED25519_LEN 32

static const char *const kty_names[] = {
    [NA_KTY_OCT] = "oct", [NA_KTY_RSA] = "RSA", [NA_KTY_EC] = "EC", [NA_KTY_OKP] = "OKP"};

/* Adds a number, big endian; `len` is 0 for as many bytes as it has. Returns 0 if OpenSSL fails. */
static int add_number(apr_pool_t *pool, const na_jwk *key, const char *param, const char *member,
                      apr_size_t len, json_t *json)
{
    BIGNUM *number = NULL;
    if (EVP_PKEY_get_bn_param(key->pkey, param, &number) != 1)
        return 0;
    if (!len)
        len = (apr_size_t)BN_num_bytes(number);
    unsigned char *bytes = apr_palloc(pool, len);
    int fits = BN_bn2binpad(number, bytes, (int)len) == (int)len;
    BN_free(number);
    return fits && json_object_set_new(json, member,
                                       json_string(na_base64url_encode(pool, bytes, len))) == 0;
}

static int add_ed25519(apr_pool_t *pool, const na_jwk *key, json_t *json)
{
    unsigned char x[ED25519_LEN];
    size_t len = sizeof x;
    return EVP_PKEY_get_raw_public_key(key->pkey, x, &len) == 1 && len == sizeof x &&
           json_object_set_new(json, "x", json_string(na_base64url_encode(pool, x, len))) == 0;
}

static int add_numbers(apr_pool_t *pool, const na_jwk *key, json_t *json)
{
    if (key->kty == NA_KTY_OKP)
        return add_ed25519(pool, key, json);
    if (key->kty == NA_KTY_RSA)
        return add_number(pool, key, OSSL_PKEY_PARAM_RSA_E, "e", 0, json) &&
               add_number(pool, key, OSSL_PKEY_PARAM_RSA_N, "n", 0, json);
    apr_size_t len = na_curve_find(key->crv)->field_len;
    return add_number(pool, key, OSSL_PKEY_PARAM_EC_PUB_X, "x", len, json) &&
           add_number(pool, key, OSSL_PKEY_PARAM_EC_PUB_Y, "y", len, json);
}

na_error *na_jwk_public(apr_pool_t *pool, const na_jwk *key, json_t **json)
{
    *json = na_json_own(pool, json_object());
    if (key->crv)
        json_object_set_new(*json, "crv", json_string(key->crv));
    json_object_set_new(*json, "kty", json_string(kty_names[key->kty]));
    return key->pkey && add_numbers(pool, key, *json)
               ? NULL
               : na_error_new(pool, NA_ERR_CONFIGURATION, "could not read a public key: %s",
                              na_openssl_error(pool));
}

/* RFC 7638 section 3.3: the required members alone, in the order of their names. */
na_error *na_jwk_thumbprint(apr_pool_t *pool, const na_jwk *key, const char **thumbprint)
{
    json_t *json;
    unsigned char hash[NA_SHA256_LEN];
    NA_TRY(na_jwk_public(pool, key, &json));
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    na_sha256(hash, na_bytes_of(text), (na_bytes){0});
    free(text);
    *thumbprint = na_base64url_encode(pool, hash, sizeof hash);
    return NULL;
}
