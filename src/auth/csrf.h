/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens against forged requests: double submit as NextAuth makes it. */
#ifndef NA_AUTH_CSRF_H
#define NA_AUTH_CSRF_H

#include "auth/action.h"

/* Sets csrf_token, NULL if there is none, and csrf_verified. */
void na_csrf(na_request *request);

/* Sets csrf_token, and its cookie, for a form to come; keeps a token that is the session's. */
void na_csrf_hand_out(na_request *request, na_response *response);

/* The part of csrf_token that stays while the browser keeps the cookie; NULL if there is none. */
const char *na_csrf_browser(const na_request *request);

/* Answers a form without the token: v5's error, or on to v4's `page` under the base path. */
na_error *na_refuse_csrf(na_request *request, na_response *response, const char *page);

#endif
