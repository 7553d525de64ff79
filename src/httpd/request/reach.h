/* SPDX-License-Identifier: Apache-2.0 */
/* The reach of a request: whether the scope of a token covers it. */
#ifndef NA_HTTPD_REQUEST_REACH_H
#define NA_HTTPD_REQUEST_REACH_H

#include <httpd.h>

/*
 * Returns 1 if the scope covers the path that is served, with the request's method, and the target
 * of COPY and MOVE. It must be asked for each subrequest and internal redirect: their paths differ.
 */
int na_is_within_scope(request_rec *r, const char *scope);

#endif
