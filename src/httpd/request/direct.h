/* SPDX-License-Identifier: Apache-2.0 */
/* Begins a sign-in at a provider in place of a protected page. */
#ifndef NA_HTTPD_REQUEST_DIRECT_H
#define NA_HTTPD_REQUEST_DIRECT_H

#include <httpd.h>

#include "auth/direct.h"

/*
 * Returns the provider that the page leads to: that of NextAuthSignInWith, else the only one of the
 * site. NULL for the sign-in page, and for a request that the user did not make by opening a page.
 */
const na_provider *na_direct_provider(request_rec *r);

/*
 * Writes the response that begins the sign-in and finally leads to `url`, and returns 1; or returns
 * 0, and writes to *direct why the sign-in page has to be shown.
 */
int na_sign_in_directly(request_rec *r, const na_provider *provider, const char *url,
                        na_direct *direct);

/*
 * Does the same for a user who is signed in and must be the same afterwards (fresh.h), with
 * na_state.demand; returns 0 if that was done too often.
 */
int na_step_up_directly(request_rec *r, const na_provider *provider, const char *url);

#endif
