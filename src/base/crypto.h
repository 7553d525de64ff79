/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes, hashes, comparisons and wiping, all from OpenSSL. */
#ifndef NA_BASE_CRYPTO_H
#define NA_BASE_CRYPTO_H

#include "base/error.h"
#include "base/text.h"

#define NA_SHA256_LEN 32

/* Writes random bytes from OpenSSL. Aborts the process if that fails, which no caller can handle.
 */
void na_random(void *out, apr_size_t len);

/*
 * Gives the pool of a request a supply of random bytes, which OpenSSL fills when it is first used
 * and when it is empty: a draw costs nearly as much for one byte as for all. Bytes that were handed
 * out are wiped there. The pool must not be used in two processes after a fork.
 */
void na_random_supply(apr_pool_t *pool);

/* Writes random bytes from the supply of `pool`, or from OpenSSL if it has none. */
void na_random_from(apr_pool_t *pool, void *out, apr_size_t len);

/* Return `bytes` random bytes as lower-case hex or base64url text. */
char *na_random_hex(apr_pool_t *pool, apr_size_t bytes);
char *na_random_base64url(apr_pool_t *pool, apr_size_t bytes);

/* Returns a random UUID, version 4 (RFC 9562 section 5.4). */
char *na_random_uuid(apr_pool_t *pool);

/* Writes SHA-256 of both parts, concatenated; `second` can be empty. */
void na_sha256(unsigned char out[NA_SHA256_LEN], na_bytes first, na_bytes second);

/* Returns SHA-256 as lower-case hex, which NextAuth stores instead of a token, with its secret. */
char *na_sha256_hex(apr_pool_t *pool, const char *first, const char *second);

/* Returns eight bytes of the text's SHA-256, for tables in shared memory; never 0. */
apr_uint64_t na_sha256_word(const char *text);

/* SHA-1, for formats of others that require it; no security of this module depends on it. */
#define NA_SHA1_LEN 20
void na_sha1(unsigned char out[NA_SHA1_LEN], na_bytes text);

/* HMAC with SHA-256 (RFC 2104). */
void na_hmac_sha256(unsigned char out[NA_SHA256_LEN], na_bytes key, na_bytes text);

/* HKDF with SHA-256 (RFC 5869). */
na_error *na_hkdf_sha256(apr_pool_t *pool, na_bytes secret, na_bytes salt, na_bytes info,
                         unsigned char *out, apr_size_t out_len);

/* Compares in a time that depends only on the lengths. NULL is equal to nothing. */
int na_equal_secret(const char *a, const char *b);

/* Overwrites memory in a way that the compiler does not remove. */
void na_wipe(void *data, apr_size_t len);

/* Wipes these bytes when the pool is destroyed. */
void na_wipe_with_pool(apr_pool_t *pool, void *data, apr_size_t len);

/* Returns OpenSSL's first queued error as text and empties the queue; for a private message. */
const char *na_openssl_error(apr_pool_t *pool);

/*
 * Frees what OpenSSL keeps for the calling thread, which can use OpenSSL again. Required in a
 * thread that might end while the process exits: both would free that memory.
 */
void na_crypto_release_thread(void);

#endif
