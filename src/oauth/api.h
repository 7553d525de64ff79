/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to a provider's APIs with the user's access token. */
#ifndef NA_OAUTH_API_H
#define NA_OAUTH_API_H

#include "oauth/oauth.h"

typedef struct na_api_call {
    const char *url;    /* {token.NAME} are replaced by members of the token response */
    const char *form;   /* is posted; NULL to get */
    const char *accept; /* NULL for application/json */
} na_api_call;

/* Makes a request. Any status but 200 is an error. */
na_error *na_oauth_call_api(const na_oauth *oauth, const na_api_call *call, const na_tokens *tokens,
                            na_http_response *response);

#endif
