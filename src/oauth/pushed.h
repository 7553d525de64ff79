/* SPDX-License-Identifier: Apache-2.0 */
/* Pushed authorization requests (RFC 9126). */
#ifndef NA_OAUTH_PUSHED_H
#define NA_OAUTH_PUSHED_H

#include "oauth/oauth.h"

/* Pushes the parameters, and replaces them by those that refer to the pushed request. */
na_error *na_oauth_push_request(const na_oauth *oauth, const na_metadata *metadata,
                                apr_table_t **params);

/* Reads `request_uri` of a response (section 2.2), whose status is `status`. */
na_error *na_oauth_read_pushed(apr_pool_t *pool, long status, const json_t *answer,
                               const char **request_uri);

#endif
