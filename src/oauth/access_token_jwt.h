/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens that are JWTs (RFC 9068), verified by the issuer's keys. */
#ifndef NA_OAUTH_ACCESS_TOKEN_JWT_H
#define NA_OAUTH_ACCESS_TOKEN_JWT_H

#include "oauth/issuer.h"
#include "oauth/oauth.h"

/*
 * Reads the claims of a token without verifying anything, to choose the issuer that can. Returns 0
 * if the token is not a JWT.
 */
int na_access_token_peek(apr_pool_t *pool, const char *token, json_t **claims);

/*
 * Verifies a token (RFC 9068 section 4). The error is NA_ERR_UNAVAILABLE or NA_ERR_BUSY if the
 * issuer's keys are not available, NA_ERR_SESSION if the token is genuine but not good here or now,
 * and NA_ERR_OAUTH_CALLBACK if it is not genuine.
 */
na_error *na_access_token_verify(const na_oauth *oauth, const na_issuer *issuer, const char *token,
                                 json_t **claims);

#endif
