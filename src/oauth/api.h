/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to a provider's APIs with the user's access token. */
#ifndef NA_OAUTH_API_H
#define NA_OAUTH_API_H

#include "oauth/oauth.h"

/*
 * Requests a URL, whose {token.NAME} are replaced by members of the token response; `body` is a
 * form to post, NULL to get. Any status but 200 is an error.
 */
na_error *na_oauth_call_api(const na_oauth *oauth, const char *url, const char *body,
                            const na_tokens *tokens, na_http_response *response);

#endif
