/* SPDX-License-Identifier: Apache-2.0 */
/* Responses: JSON, redirects, pages and cookies. */
#ifndef NA_AUTH_RESPOND_H
#define NA_AUTH_RESPOND_H

#include "auth/action.h"

/* A JSON body. */
void na_respond_json(na_request *request, na_response *response, int status, const json_t *json);

/*
 * On to `url`, made absolute: as a redirect, or as {"url": …} to a client that asked for that,
 * with `status` where it is v4's.
 */
void na_respond_redirect(na_request *request, na_response *response, int status, const char *url);

/* One of the built-in pages. */
void na_respond_page(na_request *request, na_response *response, int status, const char *title,
                     const char *content);

/*
 * Has the page that the browser is sent to show the request's id as a reference, by way of a
 * cookie: the addresses of errors are NextAuth's.
 */
void na_keep_reference(na_request *request, na_response *response);

void na_set_cookie(na_response *response, char *set_cookie);

/* Whether the client is Auth.js v5's, or a plain form of a site that is configured for v5. */
int na_speaks_v5(const na_request *request);

/* The form's field, or else the query's; NULL if there is none. */
const char *na_parameter(const na_request *request, const char *name);

#endif
