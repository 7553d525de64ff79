/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies and signs JSON Web Signatures. */
#ifndef NA_JOSE_JWS_H
#define NA_JOSE_JWS_H

#include "base/error.h"
#include "base/text.h"
#include "jose/jwk.h"

/* Longest accepted compact token, in characters. */
#define NA_JWS_MAX (256 * 1024)

enum { NA_JWS_HEADER, NA_JWS_PAYLOAD, NA_JWS_SIGNATURE, NA_JWS_PARTS };

/*
 * JSON Web Signature (RFC 7515), compact serialization only: RS, PS, and ES 256 to 512, EdDSA
 * (Ed25519, RFC 8037), HS256 to 512. "none", `crit`, and `b64` are refused; `jku`, `x5u`, `jwk`,
 * and `x5c` in a header are never followed.
 */
typedef struct na_jws {
    const char *alg;
    const char *kid;              /* NULL if the header has none, as for `typ` */
    const char *typ;              /* the token's type, for the caller to check */
    na_bytes payload;             /* NUL-terminated; empty until it is verified */
    na_bytes parts[NA_JWS_PARTS]; /* as received, in the memory of the token */
} na_jws;

/* Reads the header alone, unverified, to choose the key set. The token must outlive `jws`. */
na_error *na_jws_read(apr_pool_t *pool, const char *token, apr_size_t token_len, na_jws *jws);

/*
 * Returns 1 if `set` has a key that could verify the token: with its `kid` (if the header has one)
 * and of a matching type.
 */
int na_jws_has_key(const na_jws *jws, const na_jwks *set);

/*
 * Verifies a token that was read, against the keys of `set` that fit the header's `kid` and `alg`.
 * `algs` is a NULL-terminated list of the algorithms the caller accepts: the header's must be one
 * of them. `error` has the code NA_ERR_OAUTH_CALLBACK.
 */
na_error *na_jws_verify(apr_pool_t *pool, na_jws *jws, const na_jwks *set, const char *const *algs);

/*
 * Signs `payload` with a private or symmetric key. The header has `alg`, `kid` if the key has one,
 * and `typ` if it is not NULL.
 */
na_error *na_jws_sign(apr_pool_t *pool, const na_jwk *key, const char *alg, const char *typ,
                      na_bytes payload, char **token);

/* Signs `payload` under a header with further members; `alg` is added to it. */
na_error *na_jws_sign_with(apr_pool_t *pool, const na_jwk *key, const char *alg, json_t *header,
                           na_bytes payload, char **token);

/* Returns 1 if `alg` is one of the signature algorithms above. */
int na_jws_alg_known(const char *alg);

/*
 * Returns the EVP name of the algorithm's digest ("SHA256", …; "SHA512" for EdDSA); NULL if
 * unknown.
 */
const char *na_jws_digest(const char *alg);

#endif
