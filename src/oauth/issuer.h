/* SPDX-License-Identifier: Apache-2.0 */
/* Authorization servers whose access tokens are accepted (NextAuthTokenIssuer). */
#ifndef NA_OAUTH_ISSUER_H
#define NA_OAUTH_ISSUER_H

#include <apr_tables.h>

#include "provider/provider.h"

/* Which tokens the issuer is asked about; all others are verified by its keys. */
typedef enum na_introspects {
    NA_INTROSPECTS_NONE,
    NA_INTROSPECTS_OPAQUE, /* those that are not JWTs of an issuer */
    NA_INTROSPECTS_ALL
} na_introspects;

/* Which tokens must be bound to their client (binding=). */
typedef enum na_binding {
    NA_BINDING_ANY, /* those that say so */
    NA_BINDING_REQUIRED,
    NA_BINDING_DPOP,
    NA_BINDING_CERTIFICATE
} na_binding;

/*
 * One of them, for an API of this site: another issuer can have the same `provider->issuer` and
 * other audiences. Immutable configuration.
 */
typedef struct na_issuer {
    const na_provider *provider;         /* its ID, issuer, and keys; it need not sign users in */
    const apr_array_header_t *audiences; /* const char *: a token must be for one of them */
    const char *const *algs;             /* NULL-terminated: of signatures; none is symmetric */
    int accepts_any_type; /* tokenType=JWT: of JWTs that do not say that they are access tokens */
    na_binding binding;
    int publishes;      /* resourceMetadata=On: metadata of audiences that are URLs of the site */
    int asks_for_nonce; /* proofs of DPoP must have a nonce of this server */
    na_introspects introspects;
    const char *introspection_url; /* NULL if as discovered */
    const char *introspection_alg; /* of the answers' signature (RFC 9701); NULL if plain JSON */
    long cache;                    /* seconds for which a verified token is not verified again */
} na_issuer;

/* Returns the issuer of this ID among `issuers` (const na_issuer *); NULL if there is none. */
const na_issuer *na_issuer_find(const apr_array_header_t *issuers, const char *id);

/* The algorithms without algorithms=: all asymmetric ones. NULL-terminated. */
extern const char *const na_issuer_default_algs[];

/* Returns 1 if the token with these claims is for an audience of the issuer. */
int na_issuer_is_audience(const na_issuer *issuer, const json_t *claims);

#endif
