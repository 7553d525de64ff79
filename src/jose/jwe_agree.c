/* SPDX-License-Identifier: Apache-2.0 */
/* ECDH-ES: the key that two sides agree on. */
#include "jose/jwe_agree.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "base/crypto.h"
#include "jose/compact.h"
#include "jose/jwk_material.h"

/* Reads only the numbers: a certificate or URL in it is ignored. */
static na_error *read_epk(apr_pool_t *pool, const json_t *header, const na_jwk *key, na_jwk *epk)
{
    const json_t *json = json_object_get(header, "epk");
    const char *kty;
    EVP_PKEY *pkey;
    NA_TRY(na_jose_string(pool, NA_ERR_OAUTH_CALLBACK, json, "kty", &kty));
    if (!kty || strcmp(kty, "EC") != 0)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "JWE: \"epk\" is not an EC key");
    NA_TRY(na_jwk_ec(pool, json, &pkey));
    NA_TRY(na_pkey_describe(pool, NA_ERR_OAUTH_CALLBACK, pkey, epk));
    if (strcmp(epk->crv, key->crv) != 0)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK,
                            "JWE: \"epk\" and the key have different curves");
    return NULL;
}

/* Derives Z of RFC 7518 section 4.6.1, as long as the curve's field. */
static na_error *shared_secret(apr_pool_t *pool, const na_jwk *key, const na_jwk *epk, na_bytes *z)
{
    unsigned char *out = NULL;
    size_t len = 0;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    int agreed = context && EVP_PKEY_derive_init(context) == 1 &&
                 EVP_PKEY_derive_set_peer(context, epk->pkey) == 1 &&
                 EVP_PKEY_derive(context, NULL, &len) == 1;
    if (agreed) {
        out = apr_palloc(pool, len);
        na_wipe_with_pool(pool, out, len);
        agreed = EVP_PKEY_derive(context, out, &len) == 1;
    }
    EVP_PKEY_CTX_free(context);
    if (!agreed)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "JWE: key agreement: %s",
                            na_openssl_error(pool));
    *z = (na_bytes){out, len};
    return NULL;
}

static unsigned char *put_u32(unsigned char *out, apr_size_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        *out++ = (unsigned char)(value >> shift);
    return out;
}

static unsigned char *put_field(unsigned char *out, na_bytes field)
{
    out = put_u32(out, field.len);
    if (field.len)
        memcpy(out, field.data, field.len);
    return out + field.len;
}

/* Builds OtherInfo of RFC 7518 section 4.6.2: AlgorithmID, PartyUInfo, PartyVInfo, SuppPubInfo. */
static na_error *other_info(apr_pool_t *pool, const json_t *header, const na_enc *enc,
                            na_bytes *info)
{
    na_bytes name = na_bytes_of(enc->name), apu, apv;
    NA_TRY(na_jose_bytes(pool, NA_ERR_OAUTH_CALLBACK, header, "apu", &apu));
    NA_TRY(na_jose_bytes(pool, NA_ERR_OAUTH_CALLBACK, header, "apv", &apv));
    unsigned char *out = apr_palloc(pool, 4 * 4 + name.len + apu.len + apv.len);
    unsigned char *end = put_field(out, name);
    end = put_field(end, apu);
    end = put_field(end, apv);
    end = put_u32(end, enc->key_len * 8);
    *info = (na_bytes){out, (apr_size_t)(end - out)};
    return NULL;
}

/* OpenSSL's SSKDF with a hash is Concat KDF (NIST SP 800-56A section 5.8.1). */
na_error *na_jwe_agree(apr_pool_t *pool, const na_jwk *key, const json_t *header, const na_enc *enc,
                       unsigned char *cek)
{
    na_jwk epk = {0};
    na_bytes z = {NULL, 0}, info;
    NA_TRY(read_epk(pool, header, key, &epk));
    NA_TRY(shared_secret(pool, key, &epk, &z));
    NA_TRY(other_info(pool, header, enc, &info));
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SSKDF", NULL);
    EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, (void *)z.data, z.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info.data, info.len),
        OSSL_PARAM_construct_end(),
    };
    int derived = context && EVP_KDF_derive(context, cek, enc->key_len, params) == 1;
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    if (!derived)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "JWE: Concat KDF: %s",
                            na_openssl_error(pool));
    return NULL;
}
