/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs of clients that have the key of their access token (RFC 9449, DPoP). */
#ifndef NA_OAUTH_DPOP_PROOF_H
#define NA_OAUTH_DPOP_PROOF_H

#include <apr_time.h>

#include "base/error.h"

/* The request that a proof must be for. */
typedef struct na_dpop_use {
    const char *method, *url; /* the URL's query does not matter */
    const char *access_token;
    const char *thumbprint; /* of the key that the token is bound to (RFC 7638) */
    apr_time_t now;
    long tolerance; /* seconds by which the proof can be older or newer */
} na_dpop_use;

typedef struct na_dpop_proof {
    const char *id;    /* claim jti: each is good once */
    const char *nonce; /* NULL if there is none; for the caller to check */
} na_dpop_proof;

/* Verifies a proof (section 4.3), except that it is new. The error is NA_ERR_SESSION. */
na_error *na_dpop_verify(apr_pool_t *pool, const char *text, const na_dpop_use *use,
                         na_dpop_proof *proof);

/* The algorithms of proofs, as the challenge lists them (section 7.1). */
#define NA_DPOP_ALGS "ES256 ES384 ES512 PS256 PS384 PS512 RS256 RS384 RS512 EdDSA"

#endif
