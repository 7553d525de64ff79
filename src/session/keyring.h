/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of encrypted cookies, derived from all secrets. */
#ifndef NA_SESSION_KEYRING_H
#define NA_SESSION_KEYRING_H

#include <jansson.h>

#include "base/error.h"
#include "base/text.h"
#include "jose/jwe.h"
#include "session/claims.h"

/* The format of tokens: next-auth v4's or Auth.js v5's. */
typedef enum na_dialect { NA_V4, NA_V5 } na_dialect;

/*
 * The keys for one purpose, derived from every secret. The first encrypts, all decrypt. Immutable.
 */
typedef struct na_keyring {
    const na_jwe_key **keys;
    int count;
} na_keyring;

/*
 * `secrets` are NUL-terminated UTF-8, the newest first. `salt` separates purposes: the cookie's
 * name, but "" for v4's sessions.
 */
na_error *na_keyring_derive(apr_pool_t *pool, na_dialect dialect, const char *const *secrets,
                            int secret_count, const char *salt, na_keyring *ring);

/*
 * Encrypts `claims` after setting iat, exp (`max_age` seconds from `now`), and a new jti, as
 * encode() of both packages does.
 */
na_error *na_keyring_seal(apr_pool_t *pool, const na_keyring *ring, json_t *claims, apr_time_t now,
                          long max_age, char **token);

/* Decrypts a token and checks exp and nbf like na_claims_check_times. */
na_error *na_keyring_read(apr_pool_t *pool, const na_keyring *ring, na_bytes token, apr_time_t now,
                          na_claims *claims);

/* The same, as JSON that the pool owns, for claims that are more than texts and numbers. */
na_error *na_keyring_open(apr_pool_t *pool, const na_keyring *ring, na_bytes token, apr_time_t now,
                          json_t **json);

/*
 * Returns 1 if the token has the form of those that keyrings encrypt, by whatever key: JWE with
 * "dir" and one of both `enc`. One that names its issuer (RFC 7519 section 5.3) is of others.
 */
int na_keyring_is_form(apr_pool_t *pool, const char *token);

#endif
