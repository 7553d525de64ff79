/* SPDX-License-Identifier: Apache-2.0 */
/* The entry point of all endpoints. */
#ifndef NA_ENDPOINT_DISPATCH_H
#define NA_ENDPOINT_DISPATCH_H

#include "auth/action.h"

/* Finds the action and runs it; turns an error into NextAuth's redirect or page, and logs it. */
void na_dispatch(na_request *request, na_response *response);

/*
 * Begins a sign-in at request->provider for a protected page, as if the user had pressed the button
 * of the sign-in page there. The form has the page's URL as callbackUrl. There is no CSRF token: a
 * page of another site can at most lead the user through the user's own provider.
 */
void na_dispatch_direct(na_request *request, na_response *response);

/* Returns 1 if an endpoint of this name can show a page. */
int na_endpoint_has_page(const char *action);

#endif
