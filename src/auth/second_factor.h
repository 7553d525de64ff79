/* SPDX-License-Identifier: Apache-2.0 */
/* Asks users for a second factor, and completes their sign-in once it is given. */
#ifndef NA_AUTH_SECOND_FACTOR_H
#define NA_AUTH_SECOND_FACTOR_H

#include "auth/enter.h"
#include "auth/factors.h"

/* Methods of a first factor (RFC 8176 section 2); "email" and "federated" are of this module. */
#define NA_METHOD_PASSWORD "pwd"
#define NA_METHOD_KEY "hwk"   /* a passkey that did not verify the user */
#define NA_METHOD_USER "user" /* one that did */
#define NA_METHOD_EMAIL "email"
#define NA_METHOD_PROVIDER "federated"

/*
 * What every sign-in ends with: begins the session and redirects to its callback URL, or sends the
 * browser to the page where the second factor is given, or to the one where it is set up.
 */
na_error *na_second_factor_ask(na_request *request, na_response *response, na_sign_in *sign_in);

/* A user who is to give a second factor: the sign-in is pending, or the session is without it. */
typedef struct na_challenge {
    int is_pending;
    na_sign_in sign_in;        /* if it is pending */
    const na_session *session; /* otherwise */
    na_db_person person;       /* as the database has the user now; the revision holds */
    na_factors factors;
} na_challenge;

/* Sets *found to 0 if no sign-in is pending and no user is signed in. */
na_error *na_challenge_find(na_request *request, na_challenge *challenge, int *found);

/*
 * Completes the sign-in of a user who gave a second factor by this method (NA_METHOD_…): begins the
 * session, or begins that of a signed-in user again, at the revision of challenge->person. The
 * caller has verified the factor of this user, and responds.
 */
na_error *na_second_factor_pass(na_request *request, na_response *response, na_challenge *challenge,
                                const char *method);

/* Returns where the browser goes afterwards. */
const char *na_challenge_target(const na_request *request, const na_challenge *challenge);

#endif
