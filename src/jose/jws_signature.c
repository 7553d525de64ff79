/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies signatures of JWS with OpenSSL. */
#include "jose/jws_signature.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "base/crypto.h"

/* Returns the bytes of r, which are those of s: P-521's order has 66 (RFC 7518 section 3.4). */
static int half_len(const na_jwk *key)
{
    return (EVP_PKEY_get_bits(key->pkey) + 7) / 8;
}

/* Converts r and s, concatenated, to DER, which the caller frees. Returns 0 if malformed. */
static int ecdsa_to_der(const na_jwk *key, na_bytes raw, unsigned char **der)
{
    int half = half_len(key);
    *der = NULL;
    if (raw.len != (apr_size_t)half * 2)
        return 0;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw.data, half, NULL);
    BIGNUM *s = BN_bin2bn(raw.data + half, half, NULL);
    int len = 0;
    if (pair && r && s && ECDSA_SIG_set0(pair, r, s))
        len = i2d_ECDSA_SIG(pair, der);
    ECDSA_SIG_free(pair);
    return len > 0 ? len : 0;
}

static na_error *ecdsa_from_der(apr_pool_t *pool, const na_jwk *key, na_bytes der, na_bytes *raw)
{
    int half = half_len(key);
    const unsigned char *next = der.data;
    unsigned char *out = apr_palloc(pool, (apr_size_t)half * 2);
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &next, (long)der.len);
    int written = pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, half) == half &&
                  BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + half, half) == half;
    ECDSA_SIG_free(pair);
    if (!written)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "ECDSA: %s", na_openssl_error(pool));
    *raw = (na_bytes){out, (apr_size_t)half * 2};
    return NULL;
}

/* EdDSA has its own hash: a digest must not be named (RFC 8032). */
static const EVP_MD *digest_of(const na_alg *alg)
{
    return alg->kty == NA_KTY_OKP ? NULL : EVP_get_digestbyname(alg->digest);
}

/* RFC 7518 section 3.5: MGF1 with the same hash, and a salt as long as the hash. */
static int set_padding(EVP_PKEY_CTX *context, const na_alg *alg)
{
    if (!alg->pss)
        return 1;
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static int begin(const na_alg *alg, const na_jwk *key, EVP_MD_CTX *context)
{
    EVP_PKEY_CTX *parameters;
    return EVP_DigestVerifyInit(context, &parameters, digest_of(alg), NULL, key->pkey) == 1 &&
           set_padding(parameters, alg);
}

static apr_status_t free_context(void *context)
{
    EVP_MD_CTX_free(context);
    return APR_SUCCESS;
}

void na_signature_prepare(apr_pool_t *pool, na_jwk *key)
{
    const char *name = key->alg ? key->alg : key->kty == NA_KTY_RSA ? "RS256" : "";
    const na_alg *alg = na_alg_find(name);
    if (!alg || !key->can_verify || (key->kty != NA_KTY_RSA && key->kty != NA_KTY_EC))
        return;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    apr_pool_cleanup_register(pool, context, free_context, apr_pool_cleanup_null);
    if (context && begin(alg, key, context)) {
        key->verifier = context;
        key->verifier_alg = alg->name;
    }
    ERR_clear_error();
}

static int begin_or_copy(const na_alg *alg, const na_jwk *key, EVP_MD_CTX *context)
{
    return key->verifier && strcmp(key->verifier_alg, alg->name) == 0
               ? EVP_MD_CTX_copy_ex(context, key->verifier) == 1
               : begin(alg, key, context);
}

static int pkey_verify(const na_alg *alg, const na_jwk *key, na_bytes input,
                       const unsigned char *signature, size_t len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int good = context && begin_or_copy(alg, key, context) &&
               EVP_DigestVerify(context, signature, len, input.data, input.len) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return good;
}

static int hmac(const na_alg *alg, const na_jwk *key, na_bytes input, unsigned char *out,
                unsigned *len)
{
    return HMAC(digest_of(alg), key->secret.data, (int)key->secret.len, input.data, input.len, out,
                len) != NULL;
}

static int hmac_verify(const na_alg *alg, const na_jwk *key, na_bytes input, na_bytes signature)
{
    unsigned char expected[EVP_MAX_MD_SIZE];
    unsigned len;
    return !na_alg_secret_too_short(alg, key->secret) && hmac(alg, key, input, expected, &len) &&
           signature.len == len && CRYPTO_memcmp(expected, signature.data, len) == 0;
}

static int ecdsa_verify(const na_alg *alg, const na_jwk *key, na_bytes input, na_bytes signature)
{
    unsigned char *der;
    int len = ecdsa_to_der(key, signature, &der);
    int good = len && pkey_verify(alg, key, input, der, (size_t)len);
    OPENSSL_free(der);
    return good;
}

int na_signature_verify(const na_alg *alg, const na_jwk *key, na_bytes input, na_bytes signature)
{
    if (key->kty == NA_KTY_OCT)
        return hmac_verify(alg, key, input, signature);
    if (key->kty == NA_KTY_EC)
        return ecdsa_verify(alg, key, input, signature);
    /* RFC 8017 sections 8.1.2 and 8.2.2: as long as the modulus; Ed25519 has 64 bytes */
    if (signature.len != (apr_size_t)EVP_PKEY_get_size(key->pkey))
        return 0;
    return pkey_verify(alg, key, input, signature.data, signature.len);
}

static na_error *hmac_make(apr_pool_t *pool, const na_alg *alg, const na_jwk *key, na_bytes input,
                           na_bytes *signature)
{
    unsigned char *out = apr_palloc(pool, EVP_MAX_MD_SIZE);
    unsigned len;
    if (na_alg_secret_too_short(alg, key->secret))
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "the secret is too short for %s",
                            alg->name);
    if (!hmac(alg, key, input, out, &len))
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "HMAC: %s", na_openssl_error(pool));
    *signature = (na_bytes){out, len};
    return NULL;
}

static na_error *pkey_make(apr_pool_t *pool, const na_alg *alg, const na_jwk *key, na_bytes input,
                           na_bytes *signature)
{
    EVP_PKEY_CTX *parameters;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t len = (size_t)EVP_PKEY_get_size(key->pkey);
    unsigned char *out = apr_palloc(pool, len);
    int made = context &&
               EVP_DigestSignInit(context, &parameters, digest_of(alg), NULL, key->pkey) == 1 &&
               set_padding(parameters, alg) &&
               EVP_DigestSign(context, out, &len, input.data, input.len) == 1;
    EVP_MD_CTX_free(context);
    if (!made)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "%s: could not sign: %s", alg->name,
                            na_openssl_error(pool));
    *signature = (na_bytes){out, len};
    return NULL;
}

na_error *na_signature_make(apr_pool_t *pool, const na_alg *alg, const na_jwk *key, na_bytes input,
                            na_bytes *signature)
{
    if (key->kty == NA_KTY_OCT)
        return hmac_make(pool, alg, key, input, signature);
    NA_TRY(pkey_make(pool, alg, key, input, signature));
    if (key->kty == NA_KTY_EC)
        return ecdsa_from_der(pool, key, *signature, signature);
    return NULL;
}
