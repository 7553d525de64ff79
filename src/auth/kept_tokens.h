/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens of a provider that are kept for a session, encrypted, in the session store. */
#ifndef NA_AUTH_KEPT_TOKENS_H
#define NA_AUTH_KEPT_TOKENS_H

#include "auth/pending.h"

/* Text is NULL if there is none. It grants access: never log or show it. */
typedef struct na_kept_tokens {
    const char *provider; /* its ID */
    const char *access_token;
    const char *refresh_token;
    const char *id_token;
    const char *scope;
    const char *token_type;
    apr_int64_t expires_at; /* of the access token, in seconds; 0 if unknown */
} na_kept_tokens;

/*
 * Keep the tokens of a sign-in if its provider's are kept: while it waits for its second factor,
 * and for its session, which is about to begin with the ID that they choose. They are removed
 * together with the session.
 */
na_error *na_kept_tokens_wait(na_request *request, const na_sign_in *sign_in);
na_error *na_kept_tokens_begin(na_request *request, const na_sign_in *sign_in);

/* Finds the tokens kept for a session, as they are; *found is 0 if there are none. */
na_error *na_kept_tokens_find(na_request *request, const na_session *session, na_kept_tokens *kept,
                              int *found);

#endif
