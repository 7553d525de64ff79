/* SPDX-License-Identifier: Apache-2.0 */
/* Logout tokens: verified. */
#ifndef NA_OAUTH_LOGOUT_TOKEN_H
#define NA_OAUTH_LOGOUT_TOKEN_H

#include "oauth/oauth.h"

/*
 * What a provider says with a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4):
 * that a session at the provider ended, or all sessions of a user.
 */
typedef struct na_logout_token {
    const char *issuer;
    const char *subject;    /* NULL if it names a session alone */
    const char *session_id; /* NULL if it names a user alone */
    const char *id;         /* `jti`: a token is accepted once */
    apr_int64_t issued_at;  /* seconds */
    apr_int64_t expires;    /* seconds: a token is not accepted any more, whatever its `exp` */
} na_logout_token;

/* Seconds for which a logout token is accepted at most. It is remembered as long. */
#define NA_LOGOUT_TOKEN_MAX_AGE 600

/* Verifies a token by section 2.6 of the specification, except that it was not used before. */
na_error *na_oauth_verify_logout_token(const na_oauth *oauth, const na_metadata *metadata,
                                       const char *token, na_logout_token *logout);

/* Does so for the claims of a token whose signature was verified. */
na_error *na_oauth_check_logout_claims(const na_oauth *oauth, const na_metadata *metadata,
                                       const json_t *claims, na_logout_token *logout);

#endif
