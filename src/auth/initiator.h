/* SPDX-License-Identifier: Apache-2.0 */
/* The browser and the user that began a sign-in at a provider. */
#ifndef NA_AUTH_INITIATOR_H
#define NA_AUTH_INITIATOR_H

#include "auth/action.h"

/*
 * Who began a sign-in at a provider: the browser, by its CSRF token, and the user who was signed in
 * there. Both stand in the sealed cookie of a check, so that the answer is of no use elsewhere
 * (RFC 6749 section 10.12, RFC 9700 section 2.1).
 */

/* Adds both to the claims of that cookie. */
na_error *na_initiator_put(na_request *request, json_t *claims);

/*
 * Compares them with the request: NA_ERR_INVALID_CHECK where another browser began it, or where the
 * user who did is no longer signed in. Claims that Auth.js sealed have neither; nothing is linked
 * by such a sign-in.
 */
na_error *na_initiator_take(na_request *request, const json_t *claims, na_initiator *initiator);

/*
 * Asks the store and the database whether who began it while signed in still is: a session may have
 * been ended while the provider took its time. NA_ERR_INVALID_CHECK if not.
 */
na_error *na_initiator_confirm(na_request *request, const na_initiator *initiator);

/*
 * Refuses a sign-in as `user_name` (na_user_name) where somebody else is signed in who did not
 * begin it.
 */
na_error *na_initiator_check(na_request *request, const na_initiator *initiator,
                             const char *user_name);

#endif
