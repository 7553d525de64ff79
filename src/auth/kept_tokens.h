/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens of a provider that are kept for a session, encrypted, in the session store. */
#ifndef NA_AUTH_KEPT_TOKENS_H
#define NA_AUTH_KEPT_TOKENS_H

#include "auth/pending.h"
#include "session/token_entry.h"

/* Text is NULL if there is none. It grants access: never log or show it. */
typedef struct na_kept_tokens {
    const char *provider; /* its ID */
    const char *access_token;
    const char *refresh_token;
    const char *id_token;
    const char *scope;
    const char *token_type;
    apr_int64_t expires_at;  /* of the access token, in seconds; 0 if unknown */
    apr_int64_t received_at; /* seconds */
    const char *subject;     /* `sub` of the ID token; NULL for plain OAuth 2.0 */
    const char *account_id;  /* the user at the provider */
    int is_refused;          /* the provider renews them no more; there is no access token */

    /* for a profile that is fetched again */
    const json_t *id_claims; /* na_tokens.id_claims; NULL if there are none */
    int has_failed;          /* the last attempt did */
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

/* Finds those of the session with this key. */
na_error *na_kept_tokens_find_at(na_request *request, const na_store_key *session,
                                 na_kept_tokens *kept, int *found);

/* ── for what changes them ─────────────────────────────────────────────────────────────────── */

/* Returns the registry that has entries of tokens; NULL if none are kept. */
const na_registry *na_kept_tokens_registry(const na_request *request);

/* Reads the tokens of an entry. */
void na_kept_tokens_read(const json_t *json, na_kept_tokens *kept);

/* Replaces the tokens of an entry by those that a provider renewed. What is missing stays. */
void na_kept_tokens_replace(json_t *json, const na_tokens *renewed);

/* Sets whether the last attempt to fetch the profile failed, and the claims, unless NULL. */
void na_kept_tokens_set_profile(json_t *json, const json_t *id_claims, int has_failed);

/* Removes what a provider renews no more. */
void na_kept_tokens_refuse(json_t *json);

#endif
