/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens that are bound to a key of this server (RFC 9449, DPoP). */
#ifndef NA_OAUTH_DPOP_H
#define NA_OAUTH_DPOP_H

#include "oauth/oauth.h"

/*
 * Adds a proof to the request, if the provider has dpop=true: for method and URL, the last nonce of
 * its server, and `access_token`, which is then sent with it; NULL if the request asks for one.
 */
na_error *na_dpop_add(const na_oauth *oauth, na_http_request *request, const char *method,
                      const char *access_token);

/*
 * Keeps the nonce that the response has for further proofs. Returns 1 if the server refused the
 * request for lack of it (sections 8 and 9), so that it must be made once more.
 */
int na_dpop_take_nonce(const na_oauth *oauth, const na_http_request *request,
                       const na_http_response *response);

/* Returns 1 if the text has the characters of a nonce (section 8.1), and is not too long. */
int na_dpop_is_nonce(const char *text);

#endif
