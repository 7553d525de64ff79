/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthStripCookie: cookies of this module that applications do not receive. */
#ifndef NA_HTTPD_REQUEST_COOKIES_H
#define NA_HTTPD_REQUEST_COOKIES_H

#include "httpd/module.h"

/* Returns 1 if applications of these sections receive no cookie of this module. */
int na_hides_cookies(const na_dir_conf *dir);

/*
 * Gives the request the Cookie header that its sections let applications see: without the cookies
 * of this module, or as the client sent it, if a request that led to this one saw fewer.
 */
void na_hide_cookies(request_rec *r);

#endif
