/* SPDX-License-Identifier: Apache-2.0 */
/* The public half of a key, as others see it. */
#ifndef NA_JOSE_JWK_PUBLIC_H
#define NA_JOSE_JWK_PUBLIC_H

#include "jose/jwk.h"

/*
 * Writes the members that RFC 7638 section 3.2 requires: `kty` and the public numbers of an RSA,
 * EC, or Ed25519 key (RFC 7518 sections 6.2.1 and 6.3.1, RFC 8037 section 2). It belongs to the
 * pool.
 */
na_error *na_jwk_public(apr_pool_t *pool, const na_jwk *key, json_t **json);

/* Writes the key's thumbprint with SHA-256 (RFC 7638). */
na_error *na_jwk_thumbprint(apr_pool_t *pool, const na_jwk *key, const char **thumbprint);

#endif
