/* SPDX-License-Identifier: Apache-2.0 */
/* The URL that a request leads to in the end. */
#ifndef NA_AUTH_CALLBACK_URL_H
#define NA_AUTH_CALLBACK_URL_H

#include "auth/action.h"

/* Sets callback_url, and the cookie if it changes. */
void na_callback_url(na_request *request, na_response *response);

/* callback_url, or the start page if it has more than `max` bytes. */
const char *na_callback_url_within(const na_request *request, size_t max);

/* What a sign-in can carry through a provider, in one cookie, or in a mailed link. */
#define NA_CALLBACK_URL_CARRIED 2400

/*
 * NextAuth's redirect callback: an absolute URL on our origin or one of NextAuthRedirectAllow.
 * NULL if `text` is anything else.
 */
const char *na_safe_redirect(apr_pool_t *pool, const na_config *config, const char *text);

#endif
