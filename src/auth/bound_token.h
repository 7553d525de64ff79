/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens that only the client that they were issued to can use. */
#ifndef NA_AUTH_BOUND_TOKEN_H
#define NA_AUTH_BOUND_TOKEN_H

#include "auth/bearer.h"

/*
 * Checks that the client has the key or the certificate that the token is bound to (RFC 9449
 * section 7.1, RFC 8705 section 3), and that it is bound as its issuer's binding= demands. To be
 * asked with each request. The error is NA_ERR_SESSION, and shown->answer says why; or
 * NA_ERR_UNAVAILABLE if it is unknown whether a proof was used at another server.
 */
na_error *na_bound_token_check(na_request *request, const na_issuer *issuer, na_bearer *shown,
                               const na_session *session);

#endif
