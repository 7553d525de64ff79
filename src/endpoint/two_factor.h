/* SPDX-License-Identifier: Apache-2.0 */
/* URLs that the pages of the second factor share. */
#ifndef NA_ENDPOINT_TWO_FACTOR_H
#define NA_ENDPOINT_TWO_FACTOR_H

#include "auth/action.h"

/* Returns the URL of a page ("/two-factor"), which leads to `callback` afterwards. */
const char *na_two_factor_url(const na_request *request, const char *page, const char *callback);

/* Leads to the sign-in page, and from there to `page`, or to the callback URL if it is NULL. */
void na_two_factor_sign_in(na_request *request, na_response *response, const char *page);

#endif
