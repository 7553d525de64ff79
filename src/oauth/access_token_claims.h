/* SPDX-License-Identifier: Apache-2.0 */
/* The demands on claims of an access token, from a JWT or an introspection response. */
#ifndef NA_OAUTH_ACCESS_TOKEN_CLAIMS_H
#define NA_OAUTH_ACCESS_TOKEN_CLAIMS_H

#include "oauth/issuer.h"
#include "oauth/oauth.h"

/*
 * Checks issuer, audience, times, and whose token it is. The error is NA_ERR_SESSION: the token is
 * genuine, but not good here or now.
 */
na_error *na_token_claims_check(const na_oauth *oauth, const na_issuer *issuer,
                                const json_t *claims);

/* Returns the client that the token was issued to; NULL if unknown. */
const char *na_token_client(const json_t *claims);

/*
 * Returns the user whom the token acts for; NULL if it acts for its client alone, as with the grant
 * client_credentials (RFC 6749 section 4.4).
 */
const char *na_token_user(const json_t *claims);

#endif
