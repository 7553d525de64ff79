/* SPDX-License-Identifier: Apache-2.0 */
/* The algorithms of JWS and JWE that are supported. */
#ifndef NA_JOSE_ALG_H
#define NA_JOSE_ALG_H

#include "jose/jwk.h"

typedef enum na_alg_purpose { NA_ALG_SIGN, NA_ALG_DECRYPT } na_alg_purpose;

/* One `alg` (RFC 7518 sections 3.1 and 4.1, RFC 8037) and the keys it works with. */
typedef struct na_alg {
    const char *name;
    na_alg_purpose purpose;
    na_kty kty;
    const char *crv;    /* NULL for any of the key type */
    const char *digest; /* EVP name */
    int pss;            /* RSASSA-PSS instead of PKCS #1 v1.5 */
} na_alg;

/* Returns NULL if the name is not supported. */
const na_alg *na_alg_find(const char *name);

/* Returns 1 if the key is of the type and curve, and not bound to another algorithm. */
int na_alg_fits(const na_alg *alg, const na_jwk *key);

/* Returns 1 if an HMAC key is shorter than the hash, which RFC 7518 section 3.2 forbids. */
int na_alg_secret_too_short(const na_alg *alg, na_bytes secret);

#endif
