/* SPDX-License-Identifier: Apache-2.0 */
/* Verification that all JWTs of a provider for this client have in common. */
#ifndef NA_OAUTH_PROVIDER_TOKEN_H
#define NA_OAUTH_PROVIDER_TOKEN_H

#include "jose/jws.h"
#include "oauth/oauth.h"

/* Returns the error that a token is refused; `what` names it ("ID token"). */
na_error *na_provider_token_refuse(const na_oauth *oauth, const char *what, const char *why);

/* Decrypts the token if it is encrypted; *token is then the signed token inside. */
na_error *na_provider_token_decrypt(const na_oauth *oauth, const char **token, int *is_encrypted);

int na_provider_token_is_encrypted(const char *token);

/* Decrypts an encrypted token with one of the keys (NULL if there is none). */
na_error *na_provider_token_open(apr_pool_t *pool, const na_jwks *keys, const char **token);

/*
 * Verifies the signature of a token that was read, and writes its claims. `alg` is the only
 * accepted algorithm; with NULL, those of ID tokens are accepted.
 */
na_error *na_provider_token_verify(const na_oauth *oauth, const na_metadata *metadata,
                                   const char *what, const char *alg, na_jws *jws, json_t **claims);

/* Checks `iss`, `aud`, and `azp` (OpenID Connect Core 1.0 section 3.1.3.7, steps 2 to 5). */
na_error *na_provider_token_check_parties(const na_oauth *oauth, const na_metadata *metadata,
                                          const char *what, const json_t *claims);

/* Returns 1 if `aud`, a text or a list, names the client. */
int na_provider_token_names_client(const json_t *aud, const char *client_id);

#endif
