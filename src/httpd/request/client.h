/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of clients: browsers, scripts in them, and programs without a user who sees pages. */
#ifndef NA_HTTPD_REQUEST_CLIENT_H
#define NA_HTTPD_REQUEST_CLIENT_H

#include <httpd.h>

/* Returns 1 if the request shows that a browser or a script in it sent it. */
int na_is_of_browser(request_rec *r);

/*
 * Returns 1 for a client that cannot sign in on a page: the method is one of WebDAV, or the
 * User-Agent one of Subversion, git, WebDAV, calendars, or command lines.
 */
int na_is_plain_client(request_rec *r);

/* Returns 1 if a browser loads what the user might open, but has not opened yet. */
int na_is_prefetch(request_rec *r);

/*
 * Returns 1 if the user sees the response as a page in a tab: it is not what a page consists of or
 * checks, and not a frame, in which providers do not show their pages.
 */
int na_is_shown_in_tab(request_rec *r);

/* Returns 1 if a page of another site sent the request, as the browser says. */
int na_is_foreign(request_rec *r);

/* Returns 1 if the browser says that a page of this origin sent the request. */
int na_is_of_our_page(request_rec *r);

#endif
