/* SPDX-License-Identifier: Apache-2.0 */
/* Sign-ins that a protected page begins at a provider, without the sign-in page in between. */
#ifndef NA_AUTH_DIRECT_H
#define NA_AUTH_DIRECT_H

#include "auth/action.h"

/*
 * A browser that does not keep its session would go to the provider and back forever, and a user
 * who signed out would be signed in again by the next page. One cookie prevents both: it has the
 * number of sign-ins that began this way within the last minute, or a mark of a sign-out. It is
 * neither secret nor signed: its only effect is whether the sign-in page is shown.
 */

typedef enum na_direct {
    NA_DIRECT_GO,        /* the provider can be asked */
    NA_DIRECT_TOO_MANY,  /* the browser keeps coming back without a session */
    NA_DIRECT_SIGNED_OUT /* the user has signed out in this browser */
} na_direct;

na_direct na_direct_is_due(const na_request *request);

/* Counts a sign-in that begins. */
void na_direct_count(na_request *request, na_response *response);

/* Shows the sign-in page from now on, until the user presses a button there. */
void na_direct_pause(na_request *request, na_response *response);

/* The user has pressed a button: forgets both. */
void na_direct_resume(na_request *request, na_response *response);

/* The user has signed in, by whatever way: forgets the sign-out. */
void na_direct_signed_in(na_request *request, na_response *response);

#endif
