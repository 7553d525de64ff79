/* SPDX-License-Identifier: Apache-2.0 */
/* Decrypts JWE that was encrypted to a private key. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/crypto.h"
#include "jose/alg.h"
#include "jose/compact.h"
#include "jose/jwe.h"
#include "jose/jwe_agree.h"
#include "jose/jwe_content.h"

/* The header except epk, apu, and apv. */
typedef struct private_header {
    const json_t *json;
    const na_alg *alg;
    const na_enc *enc;
    const char *kid;
} private_header;

static na_error *read_header(apr_pool_t *pool, na_bytes part, private_header *header)
{
    const char *alg, *enc;
    NA_TRY(na_jose_header(pool, NA_ERR_OAUTH_CALLBACK, part, &header->json));
    NA_TRY(na_jose_string(pool, NA_ERR_OAUTH_CALLBACK, header->json, "alg", &alg));
    NA_TRY(na_jose_string(pool, NA_ERR_OAUTH_CALLBACK, header->json, "enc", &enc));
    NA_TRY(na_jose_string(pool, NA_ERR_OAUTH_CALLBACK, header->json, "kid", &header->kid));
    header->alg = alg ? na_alg_find(alg) : NULL;
    header->enc = na_enc_find(enc);
    if (!header->alg || header->alg->purpose != NA_ALG_DECRYPT || !header->enc)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK,
                            "JWE: unsupported \"alg\" %.40s or \"enc\" %.40s",
                            alg ? alg : "(none given)", enc ? enc : "(none given)");
    return NULL;
}

static na_error *check_key(apr_pool_t *pool, const private_header *header, const na_jwk *key)
{
    if (!key->can_decrypt || !na_alg_fits(header->alg, key))
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "JWE: the key cannot be used for %s",
                            header->alg->name);
    if (header->kid && key->kid && strcmp(header->kid, key->kid) != 0)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "JWE: encrypted to another key, kid %.80s",
                            header->kid);
    return NULL;
}

/*
 * Sets the content key and returns 1 if the padding is valid and the key is as long as `enc`
 * requires.
 */
static int rsa_unwrap(apr_pool_t *pool, const private_header *header, const na_jwk *key,
                      na_bytes encrypted, unsigned char *cek)
{
    size_t len = (size_t)EVP_PKEY_get_size(key->pkey);
    unsigned char *out = apr_palloc(pool, len);
    const EVP_MD *digest = EVP_get_digestbyname(header->alg->digest);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    int unwrapped = context && EVP_PKEY_decrypt_init(context) == 1 &&
                    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
                    EVP_PKEY_CTX_set_rsa_oaep_md(context, digest) == 1 &&
                    EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest) == 1 &&
                    EVP_PKEY_decrypt(context, out, &len, encrypted.data, encrypted.len) == 1 &&
                    len == header->enc->key_len;
    if (unwrapped)
        memcpy(cek, out, len);
    na_wipe(out, (size_t)EVP_PKEY_get_size(key->pkey));
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return unwrapped;
}

/*
 * RFC 7516 section 11.5: if unwrapping fails, a random key makes the tag invalid, as for any other
 * invalid token, so that the response reveals nothing about the padding.
 */
static na_error *rsa_content_key(apr_pool_t *pool, const private_header *header, const na_jwk *key,
                                 na_bytes part, unsigned char *cek)
{
    na_bytes encrypted;
    NA_TRY(na_compact_decode(pool, NA_ERR_OAUTH_CALLBACK, "encrypted key", part, &encrypted));
    na_random(cek, header->enc->key_len);
    rsa_unwrap(pool, header, key, encrypted, cek);
    return NULL;
}

static na_error *content_key(apr_pool_t *pool, const private_header *header, const na_jwk *key,
                             na_bytes part, unsigned char *cek)
{
    if (header->alg->kty == NA_KTY_RSA)
        return rsa_content_key(pool, header, key, part, cek);
    if (part.len)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK,
                            "JWE: an encrypted key with direct key agreement");
    return na_jwe_agree(pool, key, header->json, header->enc, cek);
}

na_error *na_jwe_open_private(apr_pool_t *pool, const na_jwk *key, const char *token,
                              apr_size_t token_len, na_bytes *plaintext)
{
    na_bytes parts[NA_JWE_PARTS];
    na_sealed sealed;
    private_header header;
    const na_content *content;
    NA_TRY(na_jwe_split(pool, NA_ERR_OAUTH_CALLBACK, token, token_len, parts, &sealed));
    NA_TRY(read_header(pool, sealed.aad, &header));
    NA_TRY(check_key(pool, &header, key));
    unsigned char *cek = apr_palloc(pool, header.enc->key_len);
    na_wipe_with_pool(pool, cek, header.enc->key_len);
    NA_TRY(content_key(pool, &header, key, parts[NA_JWE_KEY], cek));
    NA_TRY(na_content_make(pool, NA_ERR_OAUTH_CALLBACK, header.enc, cek, &content));
    const char *reason = na_content_open(pool, content, &sealed, plaintext);
    if (reason)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "JWE: %s", reason);
    return NULL;
}
