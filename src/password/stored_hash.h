/* SPDX-License-Identifier: Apache-2.0 */
/* Reads stored password hashes, strictly, before anything is computed. */
#ifndef NA_PASSWORD_STORED_HASH_H
#define NA_PASSWORD_STORED_HASH_H

#include "base/error.h"
#include "base/text.h"

/*
 * The text of a stored hash determines how much work its verification is. It is read before
 * anything is computed, so that no hash can keep a thread busy for hours.
 */

/* Argon2id in KiB, passes, and lanes. */
#define NA_ARGON2_BASE64_MAX 86 /* 64 bytes */
#define NA_ARGON2_PREFIX "$argon2id$"

typedef struct na_argon2 {
    apr_uint32_t memory, passes, lanes;
    unsigned char salt[NA_BASE64URL_DECODED_MAX(NA_ARGON2_BASE64_MAX)];
    unsigned char hash[NA_BASE64URL_DECODED_MAX(NA_ARGON2_BASE64_MAX)];
    apr_size_t salt_len, hash_len;
} na_argon2;

typedef enum na_hash_form {
    NA_FORM_OTHER, /* any that libcrypt or APR-util verifies */
    NA_FORM_BCRYPT,
    NA_FORM_YESCRYPT,
    NA_FORM_ARGON2ID
} na_hash_form;

typedef struct na_stored_hash {
    na_hash_form form;
    int cost;          /* for bcrypt and yescrypt */
    na_argon2 argon2;  /* for Argon2id */
    apr_uint32_t work; /* microseconds, roughly, for comparing kinds */
} na_stored_hash;

/*
 * Reads bcrypt ($2a$, $2b$, $2y$; cost 4 to 16), yescrypt and gost-yescrypt (cost 1 to 8), scrypt
 * ($7$, cost 6 to 8), SHA-256 and SHA-512 crypt (1,000 to 1,000,000 rounds), Argon2id (up to 128
 * MiB, 16 passes, 16 lanes), apr1, MD5 crypt, {SHA}, and traditional DES. An error
 * (NA_ERR_CONFIGURATION) if the text is of another kind, malformed, or costs more; it does not
 * repeat the text.
 */
na_error *na_stored_hash_read(apr_pool_t *pool, const char *text, na_stored_hash *hash);

/* Returns 1 if no password matches the hash, as in shadow(5): it begins with ! or *. */
int na_is_locked_hash(const char *text);

/* Reads `name` and a number from 1 to `max` without leading zeros, and advances *text. Returns 1 if
 * both are there. */
int na_read_number(const char **text, const char *name, apr_uint32_t max, apr_uint32_t *number);

#endif
