/* SPDX-License-Identifier: Apache-2.0 */
/* Revokes the tokens kept for a session at their provider. */
#ifndef NA_AUTH_REVOKE_TOKENS_H
#define NA_AUTH_REVOKE_TOKENS_H

#include "auth/kept_tokens.h"

/*
 * Finds the tokens to revoke of a session that is about to end. Returns 0 if there are none, or if
 * the store is down: then the session cannot end either.
 */
int na_tokens_to_revoke(na_request *request, na_kept_tokens *kept);

/* Finds those of another session that is about to end, with this key. */
int na_tokens_to_revoke_at(na_request *request, const na_store_key *session, na_kept_tokens *kept);

/*
 * Revokes the refresh token, or the access token if there is none: a provider revokes the other one
 * with it (RFC 7009 section 2.1). A failure is only logged, because the session ended.
 */
void na_tokens_revoke(na_request *request, const na_kept_tokens *kept);

#endif
