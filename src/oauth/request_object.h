/* SPDX-License-Identifier: Apache-2.0 */
/* Signed authorization requests (RFC 9101). */
#ifndef NA_OAUTH_REQUEST_OBJECT_H
#define NA_OAUTH_REQUEST_OBJECT_H

#include "oauth/oauth.h"

/* Replaces the parameters by those of a request whose parameters are in a signed JWT. */
na_error *na_oauth_sign_request(const na_oauth *oauth, const na_metadata *metadata,
                                apr_table_t **params);

#endif
