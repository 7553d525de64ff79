/* SPDX-License-Identifier: Apache-2.0 */
/* Forms that are posted to the provider, and how it refuses them. */
#ifndef NA_OAUTH_POST_H
#define NA_OAUTH_POST_H

#include "oauth/oauth.h"

/*
 * Posts the fields, which can have secrets. `request` has the URL and what na_oauth_authenticate()
 * added; `event` is logged with the status.
 */
na_error *na_oauth_post(const na_oauth *oauth, na_http_request *request, const apr_table_t *fields,
                        const char *event, na_http_response *response);

/* Starts a request to an endpoint of the provider. */
na_http_request na_oauth_request(const na_oauth *oauth, const char *url);

/*
 * Parses the JSON of a response. The error is that of RFC 6749 section 5.2 (or Facebook's object)
 * if the response has one; `endpoint` names it, such as "token endpoint".
 */
na_error *na_oauth_read_answer(const na_oauth *oauth, const char *endpoint,
                               const na_http_response *response, json_t **answer);

/* Returns the provider's words, for a message. */
const char *na_oauth_quote(const na_oauth *oauth, const char *text);

#endif
