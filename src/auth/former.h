/* SPDX-License-Identifier: Apache-2.0 */
/* A browser's cookie that names the user who was last signed in, even after the session. */
#ifndef NA_AUTH_FORMER_H
#define NA_AUTH_FORMER_H

#include "auth/action.h"

/*
 * Only with NextAuthPreservePost: proves that a session of this site ended in the browser, and
 * whose. It does not sign anyone in.
 */
typedef struct na_former {
    const char *browser; /* a random name, which stays the same when another user signs in */
    const char *user;    /* na_former_user */
} na_former;

/* Returns 0 if the browser has no such cookie, or an invalid one. */
int na_former_find(const na_request *request, na_former *former);

/* Sets the cookie for a user (na_user_name) who is signed in. */
na_error *na_former_remember(na_request *request, na_response *response, const char *user_name);

/* Returns a hash of a user's name at this site. */
const char *na_former_user(const na_request *request, const char *user_name);

#endif
