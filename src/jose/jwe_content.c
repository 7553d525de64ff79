/* SPDX-License-Identifier: Apache-2.0 */
/* Content encryption, independent of key management. */
#include "jose/jwe_content.h"

#include <stdint.h>
#include <string.h>

#include <apr_atomic.h>
#include <apr_strings.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/crypto.h"
#include "jose/compact.h"
#include "jose/jwe.h"

#define GCM_TAG_LEN 16
#define CBC_BLOCK 16

/* Decryption contexts that are kept with the key set up, which takes as long as decrypting. */
#define IDLE_MAX 4

struct na_content {
    const na_enc *enc;
    EVP_CIPHER *cipher;
    const unsigned char *cipher_key;
    EVP_MAC_CTX *mac;     /* with the key, only copied from; NULL for AES-GCM */
    volatile void **idle; /* EVP_CIPHER_CTX *, each used by one thread at a time */
};

static const na_enc encs[] = {
    {"A256GCM", 32, 12, GCM_TAG_LEN, "AES-256-GCM", NULL},
    {"A256CBC-HS512", 64, CBC_BLOCK, 32, "AES-256-CBC", "SHA512"},
    {"A128GCM", 16, 12, GCM_TAG_LEN, "AES-128-GCM", NULL},
    {"A192GCM", 24, 12, GCM_TAG_LEN, "AES-192-GCM", NULL},
    {"A128CBC-HS256", 32, CBC_BLOCK, 16, "AES-128-CBC", "SHA256"},
    {"A192CBC-HS384", 48, CBC_BLOCK, 24, "AES-192-CBC", "SHA384"},
};

const na_enc *na_enc_find(const char *name)
{
    for (size_t i = 0; name && i < sizeof encs / sizeof *encs; i++)
        if (strcmp(encs[i].name, name) == 0)
            return &encs[i];
    return NULL;
}

const na_enc *na_content_enc(const na_content *content)
{
    return content->enc;
}

static apr_status_t free_content(void *data)
{
    na_content *content = data;
    EVP_CIPHER_free(content->cipher);
    EVP_MAC_CTX_free(content->mac);
    for (int i = 0; i < IDLE_MAX; i++)
        EVP_CIPHER_CTX_free((EVP_CIPHER_CTX *)content->idle[i]);
    return APR_SUCCESS;
}

static EVP_MAC_CTX *keyed_mac(const char *digest, const unsigned char *key, size_t len)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    if (context && EVP_MAC_init(context, key, len, params) == 1)
        return context;
    EVP_MAC_CTX_free(context);
    return NULL;
}

na_error *na_content_make(apr_pool_t *pool, const char *code, const na_enc *enc,
                          const unsigned char *key, const na_content **made)
{
    na_content *content = apr_pcalloc(pool, sizeof *content);
    apr_size_t mac_len = enc->digest ? enc->key_len / 2 : 0;
    unsigned char *copy = apr_pmemdup(pool, key, enc->key_len);
    na_wipe_with_pool(pool, copy, enc->key_len);
    content->enc = enc;
    content->cipher_key = copy + mac_len;
    content->idle = apr_pcalloc(pool, IDLE_MAX * sizeof *content->idle);
    content->cipher = EVP_CIPHER_fetch(NULL, enc->cipher, NULL);
    if (enc->digest)
        content->mac = keyed_mac(enc->digest, copy, mac_len);
    apr_pool_cleanup_register(pool, content, free_content, apr_pool_cleanup_null);
    if (!content->cipher || (enc->digest && !content->mac))
        return na_error_new(pool, code, "%s: %s", enc->name, na_openssl_error(pool));
    *made = content;
    return NULL;
}

/*
 * Computes the MAC of header, IV, and ciphertext (RFC 7518 section 5.2.2.1); the tag is its first
 * half.
 */
static int compute_mac(const na_content *content, const na_sealed *sealed, unsigned char *out,
                       size_t out_len)
{
    unsigned char bits[8];
    uint64_t aad_bits = (uint64_t)sealed->aad.len * 8;
    for (int i = 0; i < 8; i++)
        bits[i] = (unsigned char)(aad_bits >> (56 - 8 * i));
    EVP_MAC_CTX *context = EVP_MAC_CTX_dup(content->mac);
    size_t len;
    int computed = context && EVP_MAC_update(context, sealed->aad.data, sealed->aad.len) &&
                   EVP_MAC_update(context, sealed->iv.data, sealed->iv.len) &&
                   EVP_MAC_update(context, sealed->ciphertext.data, sealed->ciphertext.len) &&
                   EVP_MAC_update(context, bits, sizeof bits) &&
                   EVP_MAC_final(context, out, &len, out_len);
    EVP_MAC_CTX_free(context);
    return computed;
}

static int mac_is_good(const na_content *content, const na_sealed *sealed)
{
    unsigned char expected[EVP_MAX_MD_SIZE];
    return compute_mac(content, sealed, expected, sizeof expected) &&
           CRYPTO_memcmp(expected, sealed->tag.data, content->enc->tag_len) == 0;
}

/* Returns a context with the key set up, for this thread alone; NULL if OpenSSL fails. */
static EVP_CIPHER_CTX *borrow(const na_content *content)
{
    for (int i = 0; i < IDLE_MAX; i++) {
        EVP_CIPHER_CTX *idle = apr_atomic_xchgptr(&content->idle[i], NULL);
        if (idle)
            return idle;
    }
    EVP_CIPHER_CTX *made = EVP_CIPHER_CTX_new();
    if (made && EVP_DecryptInit_ex2(made, content->cipher, content->cipher_key, NULL, NULL))
        return made;
    EVP_CIPHER_CTX_free(made);
    return NULL;
}

static void give_back(const na_content *content, EVP_CIPHER_CTX *context)
{
    for (int i = 0; i < IDLE_MAX; i++)
        if (!apr_atomic_casptr(&content->idle[i], context, NULL))
            return;
    EVP_CIPHER_CTX_free(context);
}

/* `out` has room for the ciphertext's length and a block. Returns -1 on failure. */
static int decrypt(const na_content *content, const na_sealed *sealed, unsigned char *out)
{
    int len = 0, rest = 0, gcm = !content->enc->digest;
    EVP_CIPHER_CTX *context = borrow(content);
    int opened =
        context && EVP_DecryptInit_ex2(context, NULL, NULL, sealed->iv.data, NULL) &&
        (!gcm || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_LEN,
                                     (void *)sealed->tag.data)) &&
        (!gcm || EVP_DecryptUpdate(context, NULL, &len, sealed->aad.data, (int)sealed->aad.len)) &&
        EVP_DecryptUpdate(context, out, &len, sealed->ciphertext.data,
                          (int)sealed->ciphertext.len) &&
        EVP_DecryptFinal_ex(context, out + len, &rest);
    if (!opened) { /* its state after a failure is undefined */
        EVP_CIPHER_CTX_free(context);
        return -1;
    }
    give_back(content, context);
    return len + rest;
}

const char *na_content_open(apr_pool_t *pool, const na_content *content, const na_sealed *sealed,
                            na_bytes *plaintext)
{
    const na_enc *enc = content->enc;
    if (sealed->iv.len != enc->iv_len)
        return "the IV's length does not match the algorithm";
    if (sealed->tag.len != enc->tag_len)
        return "the tag's length does not match the algorithm";
    if (enc->digest && !mac_is_good(content, sealed))
        return "the tag does not match: the text was changed, or the key is another";
    apr_size_t room = sealed->ciphertext.len + CBC_BLOCK + 1;
    unsigned char *out = apr_palloc(pool, room);
    int len = decrypt(content, sealed, out);
    if (len < 0) {
        na_wipe(out, room); /* with GCM, the plaintext is written before the tag is verified */
        ERR_clear_error();
        return "the tag does not match: the text was changed, or the key is another";
    }
    out[len] = '\0';
    *plaintext = (na_bytes){out, (apr_size_t)len};
    return NULL;
}

static int encrypt(const na_content *content, na_bytes plaintext, const na_sealed *sealed,
                   unsigned char *out, unsigned char *tag)
{
    int len = 0, rest = 0, gcm = !content->enc->digest;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int sealed_well =
        context &&
        EVP_EncryptInit_ex2(context, content->cipher, content->cipher_key, sealed->iv.data, NULL) &&
        (!gcm || EVP_EncryptUpdate(context, NULL, &len, sealed->aad.data, (int)sealed->aad.len)) &&
        EVP_EncryptUpdate(context, out, &len, plaintext.data, (int)plaintext.len) &&
        EVP_EncryptFinal_ex(context, out + len, &rest) &&
        (!gcm || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_LEN, tag));
    EVP_CIPHER_CTX_free(context);
    return sealed_well ? len + rest : -1;
}

int na_content_seal(apr_pool_t *pool, const na_content *content, na_bytes plaintext,
                    na_sealed *sealed)
{
    unsigned char *iv = apr_palloc(pool, content->enc->iv_len);
    unsigned char *out = apr_palloc(pool, plaintext.len + CBC_BLOCK);
    unsigned char *tag = apr_palloc(pool, EVP_MAX_MD_SIZE);
    na_random_from(pool, iv, content->enc->iv_len);
    sealed->iv = (na_bytes){iv, content->enc->iv_len};
    int len = encrypt(content, plaintext, sealed, out, tag);
    if (len < 0)
        return 0;
    sealed->ciphertext = (na_bytes){out, (apr_size_t)len};
    sealed->tag = (na_bytes){tag, content->enc->tag_len};
    return !content->enc->digest || compute_mac(content, sealed, tag, EVP_MAX_MD_SIZE);
}

/* ── compact tokens ────────────────────────────────────────────────────────────────────────── */

na_error *na_jwe_split(apr_pool_t *pool, const char *code, const char *token, apr_size_t token_len,
                       na_bytes parts[NA_JWE_PARTS], na_sealed *sealed)
{
    if (token_len > NA_JWE_MAX)
        return na_error_new(pool, code, "JWE: longer than %d characters", NA_JWE_MAX);
    if (!na_compact_split(token, token_len, parts, NA_JWE_PARTS))
        return na_error_new(pool, code, "JWE: not five parts");
    sealed->aad = parts[NA_JWE_HEADER];
    NA_TRY(na_compact_decode(pool, code, "IV", parts[NA_JWE_IV], &sealed->iv));
    NA_TRY(
        na_compact_decode(pool, code, "ciphertext", parts[NA_JWE_CIPHERTEXT], &sealed->ciphertext));
    return na_compact_decode(pool, code, "tag", parts[NA_JWE_TAG], &sealed->tag);
}
