/* SPDX-License-Identifier: Apache-2.0 */
/* The URL of a request. */
#ifndef NA_HTTPD_REQUEST_URL_H
#define NA_HTTPD_REQUEST_URL_H

#include <httpd.h>

/* Returns the URL that the browser requested, with the site's origin: Host is not trusted. */
const char *na_requested_url(request_rec *r);

#endif
