/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies and creates signatures of JWS with OpenSSL. */
#ifndef NA_JOSE_JWS_SIGNATURE_H
#define NA_JOSE_JWS_SIGNATURE_H

#include "jose/alg.h"

/*
 * Functions for one signature over `input` with one key that fits `alg`, in the formats of JWS (RFC
 * 7518 section 3).
 */

/*
 * Prepares a key that verifies many signatures with its `alg`, or with RS256 if it is an RSA key
 * without one: to begin a verification takes longer than all of it but the RSA operation, and to
 * copy one that was begun does not. Other keys, and those of EdDSA, stay as they are.
 */
void na_signature_prepare(apr_pool_t *pool, na_jwk *key);

/* Returns 1 if the signature is valid. */
int na_signature_verify(const na_alg *alg, const na_jwk *key, na_bytes input, na_bytes signature);

na_error *na_signature_make(apr_pool_t *pool, const na_alg *alg, const na_jwk *key, na_bytes input,
                            na_bytes *signature);

#endif
