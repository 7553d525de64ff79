/* SPDX-License-Identifier: Apache-2.0 */
/* A sign-in that waits for its second factor, in a cookie of its own. */
#ifndef NA_AUTH_PENDING_H
#define NA_AUTH_PENDING_H

#include "auth/action.h"

/* Seconds for which a sign-in waits. */
#define NA_PENDING_SECONDS 600

/* A sign-in whose first factor was given, and everything that its session begins with. */
typedef struct na_sign_in {
    json_t *claims;           /* of the session, without those that every session gets */
    na_event event;           /* NA_EVENT_SIGN_IN */
    apr_int64_t revision;     /* of the database user; 0 if there is no database */
    const char *account;      /* na_limit_account; NULL if unknown */
    const char *callback_url; /* where it leads */
    const na_tokens *tokens;  /* of the provider; NULL if there are none, or if they are kept */
    na_provider_session at_provider; /* with which the session ends; no issuer if with none */
    int is_complete;                 /* 1 if the second factor was given together with the first */
} na_sign_in;

/*
 * Seals the sign-in in the cookie, for ten minutes. No application can take the cookie for a
 * session: neither its key nor its content is that of one.
 */
na_error *na_pending_put(na_request *request, na_response *response, const na_sign_in *sign_in);

/* Returns 1 if the request has a sign-in of this site that waits. Its revision is not checked. */
int na_pending_find(na_request *request, na_sign_in *sign_in);

/* Clears the cookie if the request has one. */
void na_pending_clear(na_request *request, na_response *response);

#endif
