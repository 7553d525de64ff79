/* SPDX-License-Identifier: Apache-2.0 */
/* Issues and verifies the sign-in cookies: state, PKCE, and nonce. */
#ifndef NA_AUTH_CHECKS_H
#define NA_AUTH_CHECKS_H

#include "auth/action.h"
#include "oauth/oauth.h"

/* Most sign-ins that one browser can have in progress; one more replaces the oldest. */
#define NA_FLOWS_MAX 3

/* Seconds within which a sign-in must be completed. */
#define NA_CHECKS_MAX_AGE 900

/* Fills in what the OAuth client needs to call the request's provider. */
void na_oauth_of_request(const na_request *request, na_oauth *oauth);

/*
 * Issues the values that the provider's checks require, each in an encrypted cookie that expires in
 * 15 minutes. The names of the cookies have a suffix from the state, so that two tabs do not
 * overwrite each other's. The first cookie also has the initiator and the callback URL. Of a
 * sign-in that a page begins directly, the state also has the way back there.
 */
na_error *na_checks_make(na_request *request, na_response *response, na_checks *checks);

/*
 * Takes the values back at the callback: verifies `state` and the initiator, and clears the cookies
 * of the sign-in whose state it is. Also restores request->callback_url. If none of our cookies are
 * present, those that an application's own Auth.js issued are used.
 */
na_error *na_checks_take(na_request *request, na_response *response, const char *state,
                         na_checks *checks, na_initiator *initiator);

/*
 * Returns the page that began the sign-in with this state (can be NULL) directly; NULL if none did,
 * or if its URL is too long. The browser does not have to be the same: it is only a page of the
 * site.
 */
const char *na_checks_way_back(const na_request *request, const char *state);

/* Returns 1 if the browser sent cookies of the sign-in that `state` (can be NULL) belongs to. */
int na_checks_are_there(const na_request *request, const char *state);

/* Clears the cookies of the sign-in whose state this is (can be NULL), and no others. */
void na_checks_clear(na_request *request, na_response *response, const char *state);

#endif
