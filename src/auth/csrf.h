/* SPDX-License-Identifier: Apache-2.0 */
/* Issues and verifies CSRF tokens: double submit, as in NextAuth. */
#ifndef NA_AUTH_CSRF_H
#define NA_AUTH_CSRF_H

#include "auth/action.h"

/* Sets csrf_token (NULL if none) and csrf_verified. */
void na_csrf(na_request *request);

/* Sets csrf_token and its cookie for a form to come; keeps a token that belongs to the session. */
void na_csrf_hand_out(na_request *request, na_response *response);

/* Returns the part of csrf_token that remains the same while the browser keeps the cookie, NULL if
 * none. */
const char *na_csrf_browser(const na_request *request);

/* Refuses a form without the token: with an error in v5, with a redirect to `page` in v4. */
na_error *na_refuse_csrf(na_request *request, na_response *response, const char *page);

#endif
