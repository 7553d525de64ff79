/* SPDX-License-Identifier: Apache-2.0 */
/* URLs that are too long for cookies, emails, and queries, and wait in the store instead. */
#ifndef NA_AUTH_LONG_URL_H
#define NA_AUTH_LONG_URL_H

#include "auth/action.h"

#define NA_KIND_URL "url" /* of store entries */

/* The page that leads to the URL. */
#define NA_RETURN_PAGE "/return"

/*
 * Keeps a URL to which a sign-in may lead for an hour: *shorter leads to it. Fails with the code
 * NA_ERR_CONFIGURATION if there is no session store, NA_ERR_RATE_LIMITED if this network kept too
 * many.
 */
na_error *na_long_url_keep(na_request *request, const char *url, const char **shorter);

/* Finds the URL by the `id` of the shorter one; *url is NULL if there is none. */
na_error *na_long_url_find(const na_request *request, const char *id, const char **url);

/*
 * Returns the URL to which `url` leads if it is a shorter one; itself otherwise, or if the store
 * does not have it anymore.
 */
const char *na_long_url_of(const na_request *request, const char *url);

#endif
