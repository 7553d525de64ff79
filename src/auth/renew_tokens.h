/* SPDX-License-Identifier: Apache-2.0 */
/* Renews the access token of a session before it expires, once for all threads and servers. */
#ifndef NA_AUTH_RENEW_TOKENS_H
#define NA_AUTH_RENEW_TOKENS_H

#include "auth/token_lease.h"

/* Claim of a session whose access token the provider renews no more, as Auth.js' guide has it. */
#define NA_CLAIM_ERROR "error"
#define NA_REFRESH_TOKEN_ERROR "RefreshTokenError"

/*
 * Finds the tokens kept for a session; *found is 0 if there are none. An access token that is about
 * to expire is renewed first. While the provider cannot be reached, the old one is returned until
 * it expires; the error is NA_ERR_UNAVAILABLE afterwards, or NA_ERR_BUSY if too many requests wait
 * for a renewal already. kept->is_refused is 1 if the provider refused, or if there is nothing to
 * renew an expired token with.
 */
na_error *na_tokens_renew(na_request *request, const na_session *session, na_kept_tokens *kept,
                          int *found);

/* Return 1 if the access token has expired; if it has, or will before long. */
int na_tokens_are_expired(const na_kept_tokens *kept);
int na_tokens_are_due(const na_token_lease *lease);

/*
 * Renews the tokens under a lease that this request holds. *is_settled is 0 if the session or the
 * lease ended meanwhile; lease->kept has the outcome.
 */
na_error *na_tokens_redeem(na_token_lease *lease, const na_provider *provider, na_lease_then then,
                           int *is_settled);

#endif
