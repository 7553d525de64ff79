/* SPDX-License-Identifier: Apache-2.0 */
/* Auth.js's redirectProxyUrl: one callback URL at a provider for many hosts. */
#ifndef NA_AUTH_REDIRECT_PROXY_H
#define NA_AUTH_REDIRECT_PROXY_H

#include "auth/action.h"

/*
 * A provider sends users back to one host, the proxy, which leads them on to the host at which they
 * began. The state names that host's callback URL, encrypted as Auth.js encrypts it, so that either
 * side can be an application with Auth.js v5 and the same secret. All functions are about
 * request->provider.
 */

/* Derives the keys of such states. */
na_error *na_redirect_proxy_derive(apr_pool_t *pool, const char *const *secrets, int secret_count,
                                   na_keyring *ring);

/* Returns the callback URL that the provider knows: this host's, or that of the proxy. */
const char *na_redirect_uri(const na_request *request);

/* Returns 1 if that is the proxy's. */
int na_redirect_is_elsewhere(const na_request *request);

/*
 * If there is a proxy elsewhere, wraps a state in one that names this host to it, and ends after
 * `max_age` seconds.
 */
na_error *na_redirect_wrap(const na_request *request, long max_age, const char **state);

/* Returns the state of a callback, without what this host wrapped it in; NULL if there is none. */
const char *na_redirect_state(const na_request *request);

/*
 * If this host is the proxy, and the state is of a sign-in at another host, responds with a
 * redirect to that host and sets *is_other. Leads only to hosts of NextAuthURL and
 * NextAuthRedirectProxy: an application that trusts its Host header would encrypt any origin.
 */
na_error *na_redirect_forward(na_request *request, na_response *response, int *is_other);

#endif
