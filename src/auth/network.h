/* SPDX-License-Identifier: Apache-2.0 */
/* The client's network, which rate limits count. */
#ifndef NA_AUTH_NETWORK_H
#define NA_AUTH_NETWORK_H

#include "auth/action.h"

/* Returns the client's IPv4 address, or the /64 network of its IPv6 address. */
const char *na_client_network(apr_pool_t *pool, const char *address);

/* Returns the network of the request's client. */
const char *na_network_of(na_request *request);

#endif
