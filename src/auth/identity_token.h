/* SPDX-License-Identifier: Apache-2.0 */
/* JWTs that tell applications who the user is. */
#ifndef NA_AUTH_IDENTITY_TOKEN_H
#define NA_AUTH_IDENTITY_TOKEN_H

#include "auth/config.h"

/* Returns the name of the algorithm that the key signs with; NULL if it cannot. */
const char *na_identity_alg(const na_jwk *key);

/*
 * Writes a JWT with the claims of the session for one audience, signed with the first of
 * NextAuthIdentityKey. It has nothing that grants access to the session.
 */
na_error *na_identity_token(apr_pool_t *pool, const na_config *config, const na_session *session,
                            const char *audience, apr_time_t now, const char **token);

#endif
