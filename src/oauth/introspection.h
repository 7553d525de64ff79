/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens that the issuer is asked about (RFC 7662). */
#ifndef NA_OAUTH_INTROSPECTION_H
#define NA_OAUTH_INTROSPECTION_H

#include "oauth/issuer.h"
#include "oauth/oauth.h"

/*
 * Asks about a token. *claims is NULL if it is not active; otherwise they are checked as those of a
 * JWT are. The error is NA_ERR_UNAVAILABLE or NA_ERR_BUSY if there is no valid answer, and
 * NA_ERR_SESSION if the token is active but not good here or now.
 */
na_error *na_oauth_introspect(const na_oauth *oauth, const na_issuer *issuer, const char *token,
                              json_t **claims);

/* Reads the members of an answer, without its signature. *claims as above. */
na_error *na_introspection_read(const na_oauth *oauth, const na_issuer *issuer,
                                const json_t *answer, json_t **claims);

#endif
