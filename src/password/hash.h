/* SPDX-License-Identifier: Apache-2.0 */
/* Creates, verifies, and compares password hashes. */
#ifndef NA_PASSWORD_HASH_H
#define NA_PASSWORD_HASH_H

#include "base/error.h"

typedef enum na_hash_algorithm {
    NA_HASH_BCRYPT,
    NA_HASH_YESCRYPT,
    NA_HASH_ARGON2ID
} na_hash_algorithm;

/*
 * How new passwords are hashed. `cost` is the binary logarithm of the work: bcrypt 10 to 16,
 * yescrypt 5 to 8 as crypt(5) counts it. Argon2id has only one cost (19 MiB, two passes); `cost`
 * is 0.
 */
typedef struct na_hash_kind {
    na_hash_algorithm algorithm;
    int cost;
} na_hash_kind;

#define NA_HASH_KIND_DEFAULT ((na_hash_kind){NA_HASH_BCRYPT, 12})

/* Longest password that is hashed, in bytes: hashing costs the server, not the client. */
#define NA_PASSWORD_MAX 1024

/* Most bytes of a password that bcrypt reads. */
#define NA_BCRYPT_PASSWORD_MAX 72

/*
 * Reads "bcrypt", "bcrypt:13", "yescrypt", "yescrypt:7", or "argon2id". If this system
 * does not support the kind, the error (NA_ERR_CONFIGURATION) says what is missing.
 */
na_error *na_hash_kind_parse(apr_pool_t *pool, const char *text, na_hash_kind *kind);

/*
 * Hashes with a random salt. This takes some tenths of a second, so it must run within the gate if
 * clients can cause it. The hash lives in `pool`: "$2y$…", "$y$…", or "$argon2id$…". An error
 * (NA_ERR_CONFIGURATION) if the password has more than NA_PASSWORD_MAX bytes, for bcrypt
 * NA_BCRYPT_PASSWORD_MAX, because it reads no more. httpd hashes random text at startup and
 * verifies the passwords of unknown users against that, so that they take as long as those of known
 * users.
 */
na_error *na_password_hash(apr_pool_t *pool, na_hash_kind kind, const char *password,
                           const char **hash);

/*
 * Sets *matches to 1 if `hash`, of any kind that na_stored_hash_read accepts, belongs to this
 * password. A hash that is NULL or locked does not match, at once. A password that na_password_hash
 * would refuse never matches. An error (NA_ERR_CONFIGURATION) if the hash is unusable, or is an
 * Argon2id hash that OpenSSL does not support.
 */
na_error *na_password_matches(apr_pool_t *pool, const char *password, const char *hash,
                              int *matches);

/*
 * Verifies the password of a user who might not exist: if `hash` is NULL, unusable, or cheaper than
 * `decoy`, `decoy` is verified as well, so that the time does not reveal who exists.
 */
na_error *na_password_verify(apr_pool_t *pool, const char *password, const char *hash,
                             const char *decoy, int *matches);

/* Returns the hash that is more work to verify; `other` can be NULL or unusable. */
const char *na_hash_costlier(apr_pool_t *pool, const char *one, const char *other);

/*
 * Returns 1 if a hash that just matched should be replaced, because it is of another kind or
 * cheaper. If na_password_hash then refuses the password, as bcrypt does a long one, the old hash
 * remains valid.
 */
int na_password_is_outdated(apr_pool_t *pool, const char *hash, na_hash_kind kind);

/* Returns "bcrypt", "yescrypt", "argon2id", "other", or "unusable". */
const char *na_hash_name(apr_pool_t *pool, const char *hash);

#endif
