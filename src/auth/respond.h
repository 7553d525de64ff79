/* SPDX-License-Identifier: Apache-2.0 */
/* Builds responses: JSON, redirects, pages, and cookies. */
#ifndef NA_AUTH_RESPOND_H
#define NA_AUTH_RESPOND_H

#include "auth/action.h"

/* Responds with a JSON body. */
void na_respond_json(na_request *request, na_response *response, int status, const json_t *json);

/*
 * Leads to `url`, made absolute: by a redirect, or by {"url": …} if the client asked for that, with
 * `status` if it is v4's client.
 */
void na_respond_redirect(na_request *request, na_response *response, int status, const char *url);

/* Returns what all forms of the request's pages have in common. */
na_page_form na_form_of_request(const na_request *request);

/* Responds with a built-in page, whose texts are in the request's language. */
void na_respond_page(na_request *request, na_response *response, int status, const char *title,
                     const char *content);

/*
 * Shows the request's ID as a reference on the next page, through a cookie: the URLs of errors
 * are NextAuth's.
 */
void na_keep_reference(na_request *request, na_response *response);

/*
 * Keeps the name that was typed into a form of a provider, or into the one that finds a provider,
 * and shows it again on the next page, with the error beside the field. A script has the name
 * still, and gets no cookie.
 */
void na_keep_attempt(na_request *request, na_response *response);

/* Sets the provider's ID and the name that were kept; removes them from the browser. */
void na_take_attempt(na_request *request, na_response *response, na_page_attempt *attempt);

void na_set_cookie(na_response *response, char *set_cookie);

/* Returns 1 if the client is Auth.js v5's, or a plain form of a site that is configured for v5. */
int na_speaks_v5(const na_request *request);

/* Returns the field of the form, else of the query, NULL if none. */
const char *na_parameter(const na_request *request, const char *name);

#endif
