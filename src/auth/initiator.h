/* SPDX-License-Identifier: Apache-2.0 */
/* The browser and the user that began a sign-in at a provider. */
#ifndef NA_AUTH_INITIATOR_H
#define NA_AUTH_INITIATOR_H

#include "auth/action.h"

/*
 * The initiator of a sign-in is the browser, identified by its CSRF token, and the user who was
 * signed in there. Both are in an encrypted sign-in cookie, so that the response of the provider is
 * useless elsewhere (RFC 6749 section 10.12, RFC 9700 section 2.1).
 */

/* Adds both to the claims of that cookie. */
na_error *na_initiator_put(na_request *request, json_t *claims);

/*
 * Compares both with the request: the error is NA_ERR_INVALID_CHECK if another browser began the
 * sign-in, or if the user who did is no longer signed in. Claims that Auth.js encrypted have
 * neither; such a sign-in links no account.
 */
na_error *na_initiator_take(na_request *request, const na_claims *claims, na_initiator *initiator);

/*
 * Verifies in the store and the database that the user who began the sign-in is still signed in,
 * because the session could have ended meanwhile. The error is NA_ERR_INVALID_CHECK if it has.
 */
na_error *na_initiator_confirm(na_request *request, const na_initiator *initiator);

/*
 * Refuses a sign-in as `user_name` (na_user_name) if another user is signed in who did not begin
 * it.
 */
na_error *na_initiator_check(na_request *request, const na_initiator *initiator,
                             const char *user_name);

#endif
