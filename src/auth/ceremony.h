/* SPDX-License-Identifier: Apache-2.0 */
/* Ceremonies of passkeys: what this site asked a browser, each answered once. */
#ifndef NA_AUTH_CEREMONY_H
#define NA_AUTH_CEREMONY_H

#include "auth/action.h"
#include "webauthn/webauthn.h"

/* The two kinds, with Auth.js's words. */
#define NA_CEREMONY_REGISTER "register"
#define NA_CEREMONY_AUTHENTICATE "authenticate"

typedef struct na_ceremony {
    const char *action;      /* one of the two */
    const char *challenge;   /* base64url */
    const char *user_id;     /* the database user who registers a passkey, NULL if none */
    const char *user_handle; /* of that user for authenticators, NULL if none */
} na_ceremony;

/*
 * Begins a ceremony: makes its challenge, and an encrypted cookie with it, so that only this
 * browser can answer, and nothing has to be remembered. Each tab has its own.
 */
na_error *na_ceremony_begin(na_request *request, na_response *response, na_ceremony *ceremony);

/*
 * Finds the ceremony that is answered, clears its cookie, and remembers it, so that it cannot be
 * answered again. The answer is not verified yet. The error is NA_ERR_WEBAUTHN if this browser
 * began no such ceremony in the last 15 minutes, or has answered it.
 */
na_error *na_ceremony_take(na_request *request, na_response *response, const char *action,
                           const na_webauthn_answer *answer, na_ceremony *ceremony);

/* Returns 1 if the browser has begun a ceremony at all: for rate limits. */
int na_ceremony_is_there(const na_request *request);

#endif
