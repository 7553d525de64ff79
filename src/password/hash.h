/* SPDX-License-Identifier: Apache-2.0 */
/* Password hashes: made, verified, compared in cost. */
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
 * yescrypt 5 to 8 as crypt(5) counts it. Argon2id has one cost (19 MiB, two passes), of which
 * `cost` is 0.
 */
typedef struct na_hash_kind {
    na_hash_algorithm algorithm;
    int cost;
} na_hash_kind;

#define NA_HASH_KIND_DEFAULT ((na_hash_kind){NA_HASH_BCRYPT, 12})

/* Longest password that is hashed, in bytes: hashing costs the server, not the one who asks. */
#define NA_PASSWORD_MAX 1024

/* Most bytes of a password that bcrypt looks at. */
#define NA_BCRYPT_PASSWORD_MAX 72

/*
 * Reads "bcrypt", "bcrypt:13", "yescrypt", "yescrypt:7" or "argon2id". What this system cannot make
 * is an error (NA_ERR_CONFIGURATION) that says what is lacking.
 */
na_error *na_hash_kind_parse(apr_pool_t *pool, const char *text, na_hash_kind *kind);

/*
 * Hashes with a random salt, in some tenths of a second: behind a gate wherever others can ask for
 * it. The hash lives in `pool`: "$2y$…", "$y$…" or "$argon2id$…". An error (NA_ERR_CONFIGURATION)
 * where the password has more than NA_PASSWORD_MAX bytes, for bcrypt NA_BCRYPT_PASSWORD_MAX, since
 * it would look at those alone. A server makes one of random text as it starts, to check the
 * passwords of unknown users against: they take as long as known ones then.
 */
na_error *na_password_hash(apr_pool_t *pool, na_hash_kind kind, const char *password,
                           const char **hash);

/*
 * Whether `hash` is of this password: any that na_stored_hash_read takes, nothing else is computed.
 * `hash` may be NULL, or locked: no match, at once. A password that na_password_hash would refuse
 * never matches. An error (NA_ERR_CONFIGURATION) where the hash is unusable, or of Argon2id and
 * OpenSSL lacks it.
 */
na_error *na_password_matches(apr_pool_t *pool, const char *password, const char *hash,
                              int *matches);

/*
 * The same for who might not be there: where `hash` is NULL, unusable, or cheaper than `decoy`,
 * `decoy` is verified as well, so that the work does not tell who exists.
 */
na_error *na_password_verify(apr_pool_t *pool, const char *password, const char *hash,
                             const char *decoy, int *matches);

/* The one whose verification is more work; `other` may be NULL or unusable. */
const char *na_hash_costlier(apr_pool_t *pool, const char *one, const char *other);

/*
 * Whether a hash that just matched should be made anew: it is of another kind, or cheaper. Where
 * na_password_hash then refuses the password, as bcrypt does a long one, the old hash stays good.
 */
int na_password_is_outdated(apr_pool_t *pool, const char *hash, na_hash_kind kind);

/* "bcrypt", "yescrypt", "argon2id", "other", or "unusable". */
const char *na_hash_name(apr_pool_t *pool, const char *hash);

#endif
