/* SPDX-License-Identifier: Apache-2.0 */
/* The profile of a request's user, fetched again at an interval. */
#ifndef NA_HTTPD_REQUEST_PROFILE_H
#define NA_HTTPD_REQUEST_PROFILE_H

#include "httpd/module.h"

/*
 * Fetches the profile again if it is due. Returns OK, or the status that refuses the request if the
 * session ended with it. The session of the request can be another one afterwards, with newer
 * claims.
 */
int na_bring_profile(request_rec *r);

#endif
