/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens of OAuth 2.0 in place of a session (NextAuthAcceptTokens oauth). */
#ifndef NA_AUTH_BEARER_H
#define NA_AUTH_BEARER_H

#include "auth/action.h"
#include "oauth/issuer.h"

/* What a client shows with its request. */
typedef struct na_bearer {
    const char *token;
    const apr_array_header_t *accepted; /* const char *: IDs of issuers; NULL for all of them */
} na_bearer;

/*
 * Loads the session that the token stands for: its user, or its client if it has no user, and the
 * roles and claims that the site's rules give to its claims. Verified sessions are kept in the
 * process, by a keyed hash of the token. The error is as in na_access_token_verify, or
 * NA_ERR_RATE_LIMITED.
 */
na_error *na_bearer_load(na_request *request, const na_bearer *shown, const na_session **session);

#endif
