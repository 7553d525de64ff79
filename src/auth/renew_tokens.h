/* SPDX-License-Identifier: Apache-2.0 */
/* Renews the access token of a session before it expires, once for all threads and servers. */
#ifndef NA_AUTH_RENEW_TOKENS_H
#define NA_AUTH_RENEW_TOKENS_H

#include "auth/kept_tokens.h"

/* Claim of a session whose access token the provider renews no more, as Auth.js' guide has it. */
#define NA_CLAIM_ERROR "error"
#define NA_REFRESH_TOKEN_ERROR "RefreshTokenError"

/*
 * Finds the tokens kept for a session; *found is 0 if there are none. An access token that is about
 * to expire is renewed first. While the provider cannot be reached, the old one is returned until
 * it expires; the error is NA_ERR_UNAVAILABLE afterwards. kept->is_refused is 1 if the provider
 * refused, or if there is nothing to renew an expired token with.
 */
na_error *na_tokens_renew(na_request *request, const na_session *session, na_kept_tokens *kept,
                          int *found);

#endif
