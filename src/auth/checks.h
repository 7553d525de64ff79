/* SPDX-License-Identifier: Apache-2.0 */
/* State, PKCE and nonce, in cookies. */
#ifndef NA_AUTH_CHECKS_H
#define NA_AUTH_CHECKS_H

#include "auth/action.h"
#include "oauth/oauth.h"

/* Sign-ins that one browser may have under way; the oldest gives way to one more. */
#define NA_FLOWS_MAX 3

/* Seconds that a sign-in may take. */
#define NA_CHECKS_MAX_AGE 900

/* The request's provider, as the OAuth client wants it. */
void na_oauth_of_request(const na_request *request, na_oauth *oauth);

/*
 * Makes what the provider's checks ask for, each in an encrypted cookie of 15 minutes. The cookies
 * of a sign-in carry a suffix taken from its state, so that two tabs don't overwrite each other's.
 * The first also has who began it, and the address to go on to.
 */
na_error *na_checks_make(na_request *request, na_response *response, na_checks *checks);

/*
 * Takes them back at the callback: clears the cookies, compares `state` and who began the sign-in.
 * Also restores the address that it was started for, into request->callback_url. Where there are
 * none of ours, those of an application's own Auth.js are taken, whichever it made.
 */
na_error *na_checks_take(na_request *request, na_response *response, const char *state,
                         na_checks *checks, na_initiator *initiator);

/* 1 if the browser shows cookies of the sign-in that `state` (may be NULL) belongs to. */
int na_checks_are_there(const na_request *request, const char *state);

/* Clears the cookies of the sign-in that `state` (may be NULL) belongs to. */
void na_checks_clear(na_request *request, na_response *response, const char *state);

#endif
