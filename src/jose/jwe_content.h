/* SPDX-License-Identifier: Apache-2.0 */
/* Content encryption, independent of key management. */
#ifndef NA_JOSE_JWE_CONTENT_H
#define NA_JOSE_JWE_CONTENT_H

#include "base/error.h"
#include "base/text.h"

/* A content encryption algorithm (RFC 7518 section 5). */
typedef struct na_enc {
    const char *name;
    apr_size_t key_len;
    apr_size_t iv_len;
    apr_size_t tag_len;
    const char *cipher;
    const char *digest; /* of AES-CBC with HMAC; NULL for AES-GCM */
} na_enc;

/* Returns NULL if the name is not supported, or NULL. */
const na_enc *na_enc_find(const char *name);

/* One key, ready to use. Immutable: threads may share it. */
typedef struct na_content na_content;

typedef struct na_sealed {
    na_bytes aad; /* the encoded protected header */
    na_bytes iv;
    na_bytes ciphertext;
    na_bytes tag;
} na_sealed;

/* Creates a content key. `key` has enc->key_len bytes; it is copied, and wiped with the pool. */
na_error *na_content_make(apr_pool_t *pool, const char *code, const na_enc *enc,
                          const unsigned char *key, const na_content **made);

const na_enc *na_content_enc(const na_content *content);

/* Writes the NUL-terminated plaintext and returns NULL, or returns the reason for the failure. */
const char *na_content_open(apr_pool_t *pool, const na_content *content, const na_sealed *sealed,
                            na_bytes *plaintext);

/* Sets iv, ciphertext, and tag of `sealed`, whose aad is set. Returns 0 if OpenSSL fails. */
int na_content_seal(apr_pool_t *pool, const na_content *content, na_bytes plaintext,
                    na_sealed *sealed);

/* The five parts of a compact JWE (RFC 7516 section 7.1). */
enum { NA_JWE_HEADER, NA_JWE_KEY, NA_JWE_IV, NA_JWE_CIPHERTEXT, NA_JWE_TAG, NA_JWE_PARTS };

/* Splits the token and decodes everything but the header and the encrypted key. */
na_error *na_jwe_split(apr_pool_t *pool, const char *code, const char *token, apr_size_t token_len,
                       na_bytes parts[NA_JWE_PARTS], na_sealed *sealed);

#endif
