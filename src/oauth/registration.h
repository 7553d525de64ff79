/* SPDX-License-Identifier: Apache-2.0 */
/* Dynamic client registration (RFC 7591, OpenID Connect Dynamic Client Registration 1.0). */
#ifndef NA_OAUTH_REGISTRATION_H
#define NA_OAUTH_REGISTRATION_H

#include <jansson.h>

#include "base/error.h"
#include "base/text.h"

/* The client that is registered; members that are NULL are left to the provider. */
typedef struct na_registration_wish {
    const char *callback_url, *name, *auth_method;
    const char *jwks_url; /* with a method that needs keys of the client */
    const char *scope;
    const char *initiate_url; /* where other sites begin sign-ins */
} na_registration_wish;

/* The client as it was registered. */
typedef struct na_registration {
    const char *client_id;
    const char *client_secret; /* NULL if it has none, also for the next ones */
    const char *auth_method;
    const char *access_token, *url; /* to change or delete the client (RFC 7592) */
    apr_int64_t secret_expires;     /* seconds since 1970; 0 if never */
} na_registration;

/* Returns the client metadata to post (RFC 7591 section 2), in the pool. */
const char *na_registration_request(apr_pool_t *pool, const na_registration_wish *wish);

/*
 * Reads the response (section 3.2). What it returns can be written into a configuration: a client
 * ID that would mean something else there is refused.
 */
na_error *na_registration_read(apr_pool_t *pool, long status, na_bytes body,
                               na_registration *registration);

#endif
