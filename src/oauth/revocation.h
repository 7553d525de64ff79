/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation of tokens (RFC 7009). */
#ifndef NA_OAUTH_REVOCATION_H
#define NA_OAUTH_REVOCATION_H

#include "oauth/oauth.h"

/*
 * Revokes a token at the provider, which has metadata->revocation_url. `hint` is "refresh_token" or
 * "access_token".
 */
na_error *na_oauth_revoke(const na_oauth *oauth, const na_metadata *metadata, const char *token,
                          const char *hint);

#endif
