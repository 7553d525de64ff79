/* SPDX-License-Identifier: Apache-2.0 */
/* JWTs that this client signs: which key and algorithm, and the claims they have in common. */
#ifndef NA_OAUTH_SIGNING_H
#define NA_OAUTH_SIGNING_H

#include "oauth/oauth.h"

/* A key, and the algorithm that it signs with. */
typedef struct na_signer {
    const na_jwk *key;
    const char *alg;
} na_signer;

/*
 * Chooses the first of clientKey= that can sign with `alg`, or if that is NULL, with an algorithm
 * that discovery offers in the list `offered`, which can be NULL.
 */
na_error *na_oauth_signer(const na_oauth *oauth, const char *alg, const json_t *offered,
                          na_signer *signer);

/*
 * Returns `iss` (this client), `aud`, `jti`, `iat`, and an `exp` a minute later (RFC 7523 section
 * 3, RFC 9101 section 4). The caller owns the object and adds to it.
 */
json_t *na_oauth_own_claims(const na_oauth *oauth, const char *audience);

/* Signs the claims; `typ` can be NULL. The token is wiped with the pool. */
na_error *na_oauth_sign(const na_oauth *oauth, const na_signer *signer, const char *typ,
                        const json_t *claims, const char **token);

#endif
