/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_T_UNIT_JOSE_KIT_H
#define NA_T_UNIT_JOSE_KIT_H

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/crypto.h"
#include "base/json.h"
#include "jose/jwk.h"
#include "jose/jws.h"
#include "tap.h"

/* What the tests of the JOSE rules share: fresh keys as JWK text, and JSON edited member-wise. */

static inline char *b64(apr_pool_t *pool, const char *text)
{
    return na_base64url_encode(pool, text, strlen(text));
}

static inline json_t *kit_json(apr_pool_t *pool, const char *text)
{
    json_t *json = na_json_own(pool, json_loads(text, 0, NULL));
    if (!json)
        abort();
    return json;
}

static inline void kit_number(apr_pool_t *pool, json_t *jwk, const char *name, EVP_PKEY *pkey,
                              const char *param, int len)
{
    BIGNUM *value = NULL;
    unsigned char out[1024];
    if (EVP_PKEY_get_bn_param(pkey, param, &value) != 1)
        return;
    if (!len)
        len = BN_num_bytes(value);
    BN_bn2binpad(value, out, len);
    BN_free(value);
    json_object_set_new(jwk, name, json_string(na_base64url_encode(pool, out, (apr_size_t)len)));
}

static inline void kit_rsa(apr_pool_t *pool, json_t *jwk, EVP_PKEY *pkey, int private)
{
    kit_number(pool, jwk, "n", pkey, OSSL_PKEY_PARAM_RSA_N, 0);
    kit_number(pool, jwk, "e", pkey, OSSL_PKEY_PARAM_RSA_E, 0);
    if (!private)
        return;
    kit_number(pool, jwk, "d", pkey, OSSL_PKEY_PARAM_RSA_D, 0);
    kit_number(pool, jwk, "p", pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, 0);
    kit_number(pool, jwk, "q", pkey, OSSL_PKEY_PARAM_RSA_FACTOR2, 0);
    kit_number(pool, jwk, "dp", pkey, OSSL_PKEY_PARAM_RSA_EXPONENT1, 0);
    kit_number(pool, jwk, "dq", pkey, OSSL_PKEY_PARAM_RSA_EXPONENT2, 0);
    kit_number(pool, jwk, "qi", pkey, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, 0);
}

static inline void kit_ec(apr_pool_t *pool, json_t *jwk, EVP_PKEY *pkey, int private)
{
    int bits = EVP_PKEY_get_bits(pkey), len = (bits + 7) / 8;
    const char *crv = bits == 256 ? "P-256" : bits == 384 ? "P-384" : "P-521";
    json_object_set_new(jwk, "crv", json_string(crv));
    kit_number(pool, jwk, "x", pkey, OSSL_PKEY_PARAM_EC_PUB_X, len);
    kit_number(pool, jwk, "y", pkey, OSSL_PKEY_PARAM_EC_PUB_Y, len);
    if (private)
        kit_number(pool, jwk, "d", pkey, OSSL_PKEY_PARAM_PRIV_KEY, len);
}

static inline void kit_okp(apr_pool_t *pool, json_t *jwk, EVP_PKEY *pkey, int private)
{
    unsigned char raw[32];
    size_t len = sizeof raw;
    json_object_set_new(jwk, "crv", json_string("Ed25519"));
    EVP_PKEY_get_raw_public_key(pkey, raw, &len);
    json_object_set_new(jwk, "x", json_string(na_base64url_encode(pool, raw, len)));
    if (!private)
        return;
    EVP_PKEY_get_raw_private_key(pkey, raw, &len);
    json_object_set_new(jwk, "d", json_string(na_base64url_encode(pool, raw, len)));
}

/* A key as a JWK, its private half included where asked for. */
static inline json_t *kit_jwk(apr_pool_t *pool, EVP_PKEY *pkey, int private)
{
    int rsa = EVP_PKEY_is_a(pkey, "RSA"), ec = EVP_PKEY_is_a(pkey, "EC");
    json_t *jwk = na_json_own(pool, json_object());
    json_object_set_new(jwk, "kty", json_string(rsa ? "RSA" : ec ? "EC" : "OKP"));
    if (rsa)
        kit_rsa(pool, jwk, pkey, private);
    else if (ec)
        kit_ec(pool, jwk, pkey, private);
    else
        kit_okp(pool, jwk, pkey, private);
    return jwk;
}

/* A copy with one member replaced, or left out where `value` is NULL. */
static inline json_t *with(apr_pool_t *pool, const json_t *object, const char *name,
                           const char *value)
{
    json_t *copy = na_json_own(pool, json_deep_copy(object));
    if (value)
        json_object_set_new(copy, name, json_string(value));
    else
        json_object_del(copy, name);
    return copy;
}

/* The same with a member of any type. */
static inline json_t *with_json(apr_pool_t *pool, const json_t *object, const char *name,
                                const char *value)
{
    json_t *copy = na_json_own(pool, json_deep_copy(object));
    json_object_set_new(copy, name, json_loads(value, JSON_DECODE_ANY, NULL));
    return copy;
}

/* Ends the test where the key is refused. */
static inline const na_jwk *kit_key(apr_pool_t *pool, const json_t *jwk)
{
    const na_jwk *key;
    na_error *error = na_jwk_parse(pool, jwk, &key);
    if (error) {
        diag("%s", na_error_text(pool, error));
        abort();
    }
    return key;
}

static inline na_error *parse_set(apr_pool_t *pool, const char *keys, const na_jwks **set)
{
    const char *text = apr_pstrcat(pool, "{\"keys\":[", keys, "]}", NULL);
    return na_jwks_parse(pool, text, strlen(text), set);
}

/* A set of one key or two. */
static inline const na_jwks *kit_set(apr_pool_t *pool, const json_t *one, const json_t *other)
{
    const na_jwks *set;
    na_error *error = parse_set(pool,
                                apr_pstrcat(pool, na_json_dump(pool, one), other ? "," : "",
                                            other ? na_json_dump(pool, other) : "", NULL),
                                &set);
    if (error) {
        diag("%s", na_error_text(pool, error));
        abort();
    }
    return set;
}

static inline EVP_PKEY *kit_pkey(apr_pool_t *pool, EVP_PKEY *pkey)
{
    if (!pkey)
        abort();
    apr_pool_cleanup_register(pool, pkey, (apr_status_t(*)(void *))(void (*)(void))EVP_PKEY_free,
                              apr_pool_cleanup_null);
    return pkey;
}

static inline EVP_PKEY *kit_new_rsa(apr_pool_t *pool, size_t bits)
{
    return kit_pkey(pool, EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits));
}

static inline EVP_PKEY *kit_new_ec(apr_pool_t *pool, const char *curve)
{
    return kit_pkey(pool, EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve));
}

static inline EVP_PKEY *kit_new_ed25519(apr_pool_t *pool)
{
    return kit_pkey(pool, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
}

/* A symmetric JWK of `len` bytes. */
static inline json_t *kit_oct(apr_pool_t *pool, apr_size_t len)
{
    json_t *jwk = na_json_own(pool, json_object());
    json_object_set_new(jwk, "kty", json_string("oct"));
    json_object_set_new(jwk, "k", json_string(na_random_base64url(pool, len)));
    return jwk;
}

static inline char *bio_text(apr_pool_t *pool, BIO *bio)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    char *text = apr_pstrmemdup(pool, data, (apr_size_t)len);
    BIO_free(bio);
    return text;
}

/* PEM as the operator has it; encrypted where a password is given. */
static inline char *kit_pem(apr_pool_t *pool, EVP_PKEY *pkey, const char *password)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, pkey, password ? EVP_aes_256_cbc() : NULL,
                             (const unsigned char *)password, password ? (int)strlen(password) : 0,
                             NULL, NULL);
    return bio_text(pool, bio);
}

static inline char *kit_public_pem(apr_pool_t *pool, EVP_PKEY *pkey)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, pkey);
    return bio_text(pool, bio);
}

/* The error's text has `part` in it. */
static inline int says(apr_pool_t *pool, const na_error *error, const char *part, const char *name)
{
    const char *text = error ? na_error_text(pool, error) : "(no error)";
    int found = strstr(text, part) != NULL;
    ok(found, "%s", name);
    if (!found)
        diag("got: %s", text);
    return found;
}

static inline na_error *kit_verify(apr_pool_t *pool, const char *token, apr_size_t len,
                                   const na_jwks *set, const char *const *algs, na_jws *jws)
{
    NA_TRY(na_jws_read(pool, token, len, jws));
    return na_jws_verify(pool, jws, set, algs);
}

#endif
