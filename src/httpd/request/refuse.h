/* SPDX-License-Identifier: Apache-2.0 */
/* Responses to requests that are not admitted. */
#ifndef NA_HTTPD_REQUEST_REFUSE_H
#define NA_HTTPD_REQUEST_REFUSE_H

#include <httpd.h>
#include <jansson.h>

/* Asks a client that is not signed in to sign in: a redirect, or 401 with a challenge. */
int na_refuse_unauthenticated(request_rec *r);

/* Returns 1 if a page without a sufficient session leads elsewhere, 0 if the response is 401. */
int na_wants_redirect(request_rec *r);

/*
 * Redirects to a page on which a user proves something, and which leads back to the request; keeps
 * the form of a POST (preserve.h).
 */
int na_lead_to(request_rec *r, const char *page);

/* Responds to a script; returns DONE. */
int na_respond_to_script(request_rec *r, int status, json_t *body);

/* Adds a challenge with the site's realm; `further` begins with a comma. */
void na_add_challenge(request_rec *r, const char *scheme, const char *further);

/* Refuses a client that is known, or whose credentials do not suffice. */
int na_refuse_forbidden(request_rec *r);

/*
 * Asks a signed-in user for a second factor: a redirect to its page, or 403 with its URL for
 * scripts and other clients.
 */
int na_refuse_without_factor(request_rec *r);

/* Refuses an access token that lacks the scope of `Require nextauth-scope`. */
int na_refuse_without_scope(request_rec *r);

/* The host is not one of the site's: it has neither endpoints nor protected content. */
int na_refuse_host(request_rec *r);

/* The session is unknown, because the store or the database does not respond. */
int na_refuse_unavailable(request_rec *r);

/* Redirects to `url`, with GET. */
int na_redirect_to(request_rec *r, const char *url);

#endif
