/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthRememberMe: whether the user of a sign-in stays signed in when the browser ends. */
#ifndef NA_AUTH_REMEMBER_ME_H
#define NA_AUTH_REMEMBER_ME_H

#include "auth/action.h"

/* The field of forms and of JSON bodies, and of links and sign-in cookies that carry the choice. */
#define NA_REMEMBER_ME "rememberMe"

/* Returns the text of the user's choice, "on" or "off"; NULL if there was none. */
const char *na_remember_me_said(const na_request *request);

/* Takes up a choice that a link or a cookie carried; NULL if there was none. */
void na_remember_me_take(na_request *request, const char *text);

/* Adds what follows from the choice to the claims of a session that begins. */
na_error *na_remember_me_claim(na_request *request, json_t *claims);

#endif
