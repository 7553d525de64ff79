/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Web Encryption. */
#ifndef NA_JOSE_JWE_H
#define NA_JOSE_JWE_H

#include "base/error.h"
#include "base/text.h"
#include "jose/jwk.h"

/* Longest accepted compact token, in characters. */
#define NA_JWE_MAX (64 * 1024)

/*
 * JSON Web Encryption (RFC 7516), compact serialization only. `zip` and `crit` are refused.
 *
 * Direct encryption (`alg` "dir", RFC 7518 section 4.5) with one symmetric key, which belongs to
 * its `enc`; a token whose header names another one is refused.
 */
typedef enum na_jwe_enc { NA_A256GCM, NA_A256CBC_HS512 } na_jwe_enc;

typedef struct na_jwe_key na_jwe_key;

/*
 * Creates a key. `key` has 32 bytes for A256GCM, 64 for A256CBC-HS512 (MAC key first, RFC 7518
 * section 5.2.2.1). `with_kid` writes the key's RFC 7638 thumbprint (SHA-512 over the 64-byte key,
 * SHA-256 over the 32-byte one) as `kid`. The key is copied into the pool and wiped with it;
 * everything that is the same for all tokens (ciphers, the encoded header) is prepared here.
 * Immutable afterwards: threads can share it, and it survives a fork.
 */
na_error *na_jwe_key_make(apr_pool_t *pool, na_jwe_enc enc, const unsigned char *key, int with_kid,
                          const na_jwe_key **made);

/*
 * Returns the compact token in the pool. Its header members are alg, enc, and kid, in this order.
 */
na_error *na_jwe_seal(apr_pool_t *pool, const na_jwe_key *key, na_bytes plaintext, char **token);

/*
 * Decrypts with the first of `keys` that fits: if both the token and the key have a `kid`, they
 * must be equal. The plaintext is NUL-terminated in the pool. `error` has the code NA_ERR_SESSION.
 */
na_error *na_jwe_open(apr_pool_t *pool, const na_jwe_key *const *keys, int key_count,
                      const char *token, apr_size_t token_len, na_bytes *plaintext);

/*
 * Decrypts a token that was encrypted to the private key: RSA-OAEP, RSA-OAEP-256 (RFC 7518 section
 * 4.3) or ECDH-ES in direct key agreement (section 4.6), with content encryption A128/192/256GCM,
 * A128CBC-HS256, A192CBC-HS384 or A256CBC-HS512. `error` has the code NA_ERR_OAUTH_CALLBACK.
 */
na_error *na_jwe_open_private(apr_pool_t *pool, const na_jwk *key, const char *token,
                              apr_size_t token_len, na_bytes *plaintext);

#endif
