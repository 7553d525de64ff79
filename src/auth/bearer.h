/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens of OAuth 2.0 in place of a session (NextAuthAcceptTokens oauth). */
#ifndef NA_AUTH_BEARER_H
#define NA_AUTH_BEARER_H

#include "auth/action.h"
#include "oauth/issuer.h"

/* Why a token is refused, as the challenge says it (RFC 6750 section 3.1, RFC 9449 section 7.1). */
typedef enum na_bearer_answer {
    NA_BEARER_INVALID_TOKEN,
    NA_BEARER_INVALID_PROOF,
    NA_BEARER_LACKS_NONCE
} na_bearer_answer;

/* The token of a request with what belongs to it, and why it is refused. */
typedef struct na_bearer {
    const char *token;
    int is_dpop;                        /* the scheme is DPoP, not Bearer */
    const char *proof;                  /* header DPoP; NULL if there is none */
    const char *certificate;            /* of the TLS client, in PEM; NULL if there is none */
    const char *method, *url;           /* of the request, as the client sees it */
    const apr_array_header_t *accepted; /* const char *: IDs of issuers; NULL for all of them */

    na_bearer_answer answer;
    const char *nonce; /* for the header DPoP-Nonce; NULL if none is to be sent */
} na_bearer;

/* The claims of a session whose token is bound, as RFC 9449 section 6.1 and RFC 8705 section 3.1
 * have them. */
#define NA_CLAIM_BOUND_KEY "cnf.jkt"
#define NA_CLAIM_BOUND_CERTIFICATE "cnf.x5t#S256"

/*
 * Loads the session that the token stands for: its user, or its client if it has no user, and the
 * roles and claims that the site's rules give to its claims. Verified sessions are kept in the
 * process, by a keyed hash of the token. The error is as in na_access_token_verify, or
 * NA_ERR_RATE_LIMITED.
 */
na_error *na_bearer_load(na_request *request, na_bearer *shown, const na_session **session);

#endif
