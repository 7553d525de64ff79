/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Web Keys. */
#ifndef NA_JOSE_JWK_H
#define NA_JOSE_JWK_H

#include <jansson.h>
#include <openssl/evp.h>

#include "base/error.h"
#include "base/text.h"

/* One JSON Web Key (RFC 7517). Immutable; owned by the pool in which it was created. */
typedef enum na_kty { NA_KTY_OCT, NA_KTY_RSA, NA_KTY_EC, NA_KTY_OKP } na_kty;

typedef struct na_jwk {
    na_kty kty;
    const char *kid;          /* NULL if the key has none */
    const char *alg;          /* NULL for any algorithm of the key type and curve */
    const char *use;          /* "sig", "enc" or NULL */
    const char *crv;          /* "P-256", "P-384", "P-521", "Ed25519"; NULL for RSA and oct */
    int can_verify;           /* `use` and `key_ops` permit verifying signatures */
    int can_decrypt;          /* `use` and `key_ops` permit decrypting or key agreement */
    EVP_PKEY *pkey;           /* NULL for oct */
    na_bytes secret;          /* oct: the key's bytes, wiped with the pool */
    EVP_MD_CTX *verifier;     /* begun for `verifier_alg`, only copied from; NULL if none */
    const char *verifier_alg; /* an `alg` */
    const char *x5t;          /* x5t#S256 of its certificate in PEM text; NULL if there is none */
} na_jwk;

/* A key set (RFC 7517 section 5). */
typedef struct na_jwks {
    const na_jwk **keys;
    int count;
} na_jwks;

/*
 * Parses a key. Refuses RSA below 2048 bits or with an even or too small exponent, points off their
 * curve, keys whose `alg` does not match type and curve, and non-canonical base64url. `x5c` without
 * `n`/`x` gives the leaf's public key; with both, they must agree (RFC 7517 section 4.7); it is
 * never a trust chain.
 */
na_error *na_jwk_parse(apr_pool_t *pool, const json_t *json, const na_jwk **key);

/*
 * Parses a key set. Ignores keys of unknown type, curve, or algorithm (section 5). Refuses a
 * duplicate `kid` among keys of one type, a set that mixes symmetric and public keys, and a set
 * without a usable key.
 */
na_error *na_jwks_parse(apr_pool_t *pool, const char *text, apr_size_t len, const na_jwks **set);

/* Creates a symmetric key from a client secret (OpenID Connect Core 1.0 section 10.1). */
const na_jwk *na_jwk_from_secret(apr_pool_t *pool, na_bytes secret);

/* Reads a private key from PEM text; encrypted PEM is refused. */
na_error *na_jwk_from_pem(apr_pool_t *pool, const char *pem, const na_jwk **key);

/* Creates a private key for ES256. */
na_error *na_jwk_generate(apr_pool_t *pool, const na_jwk **key);

/* Private keys that one PEM text can have. */
#define NA_PEM_KEYS_MAX 8

/*
 * Reads all private keys of PEM text, in its order; `kid` of each is its RFC 7638 thumbprint. The
 * text can have their certificates, too, for the providers that know a key by its certificate.
 */
na_error *na_jwks_from_pem(apr_pool_t *pool, const char *pem, const na_jwks **set);

#endif
