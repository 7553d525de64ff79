/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuth's callbacks, answered by services and programs: NextAuthCallback. */
#ifndef NA_AUTH_CALLBACKS_H
#define NA_AUTH_CALLBACKS_H

#include "auth/action.h"

/*
 * signIn: whether the user may sign in. *redirect is a URL to lead to instead, if na_safe_redirect
 * allows it; NULL if the sign-in goes on. `by_mail` is 1 before a link is sent, when a URL denies.
 * The error is NA_ERR_ACCESS_DENIED if the answer is false, or anything but true and a URL.
 */
na_error *na_callback_sign_in(na_request *request, const na_subject *subject, int by_mail,
                              const char **redirect);

/* redirect: returns the answer, or `url` if there is none, for na_safe_redirect to check. */
const char *na_callback_redirect(na_request *request, const char *url);

/* jwt: replaces the claims that are the application's. Without an answer, the sign-in fails. */
na_error *na_callback_jwt(na_request *request, const na_subject *subject, json_t *claims);

/* jwt, for a session whose user's profile was fetched again; the trigger is "update". */
na_error *na_callback_jwt_profile(na_request *request, const na_subject *subject, json_t *claims);

/*
 * jwt, before a session is renewed, and with what the browser posted, if it asks for an update. The
 * error is NA_ERR_ACCESS_DENIED if the session must end, and NA_ERR_UNAVAILABLE without an answer.
 */
na_error *na_callback_jwt_again(na_request *request, int is_update, json_t *claims);

/* session: replaces what the browser gets. */
na_error *na_callback_session(na_request *request, const json_t *claims, json_t **session);

#endif
