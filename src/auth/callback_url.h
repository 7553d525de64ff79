/* SPDX-License-Identifier: Apache-2.0 */
/* The URL to which a sign-in or sign-out finally leads. */
#ifndef NA_AUTH_CALLBACK_URL_H
#define NA_AUTH_CALLBACK_URL_H

#include "auth/action.h"

/* Sets callback_url, and the cookie if it changes. */
void na_callback_url(na_request *request, na_response *response);

/* Removes the cookie if it leads to `url`, a page that is of use only once. */
void na_callback_url_forget(const na_request *request, na_response *response, const char *url);

/* Most bytes that a sign-in at a provider carries in a cookie, or that a link in an email carries.
 */
#define NA_CALLBACK_URL_CARRIED 2400

/*
 * Returns callback_url, or a shorter URL that leads to it if it has more than `max` bytes.
 * Without a session store that is the home page, and the log says so.
 */
const char *na_callback_url_carried(na_request *request, size_t max);

/*
 * NextAuth's redirect callback: returns an absolute URL on our origin or on one of
 * NextAuthRedirectAllow, NULL if `text` leads anywhere else.
 */
const char *na_safe_redirect(apr_pool_t *pool, const na_config *config, const char *text);

#endif
