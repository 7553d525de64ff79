/* SPDX-License-Identifier: Apache-2.0 */
/* A fresh sign-in, which changes of what protects an account require. */
#ifndef NA_AUTH_FRESH_H
#define NA_AUTH_FRESH_H

#include "auth/action.h"

/* Seconds for which a sign-in or a second factor counts as fresh. */
#define NA_FRESH_SECONDS 600

/*
 * Decides whether a sensitive change is allowed: *is_fresh is 1 if the user of the session signed
 * in, or gave a second factor, at most NA_FRESH_SECONDS ago; in a remembered browser, only the
 * latter counts. Otherwise *response leads to the page
 * "sign in again", and from there back to `path` (below the base URL, "/passkeys"); what was
 * posted is lost. Call it before anything is changed; the session is one of na_request_session_now.
 */
void na_fresh(na_request *request, na_response *response, const na_session *session,
              const char *path, int *is_fresh);

/* Returns when the user last proved to be that user, in seconds; 0 if unknown. */
apr_int64_t na_fresh_proved(const na_session *session);

/* Returns 1 if the session was fresh at `at`, in seconds. */
int na_fresh_at(const na_session *session, apr_int64_t at);

/* Returns 1 if the page "sign in again" began the sign-in. */
int na_fresh_is_asked(const na_request *request);

/*
 * For a sign-in that was asked for: refuses a user (na_user_name) other than the one who is signed
 * in with NA_ERR_ACCESS_DENIED.
 */
na_error *na_fresh_same_user(const na_request *request, const char *user_name);

#endif
