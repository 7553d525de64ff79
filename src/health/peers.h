/* SPDX-License-Identifier: Apache-2.0 */
/* Health of providers, learned from the calls that sign-ins make. */
#ifndef NA_HEALTH_PEERS_H
#define NA_HEALTH_PEERS_H

#include <apr_tables.h>

#include "base/breaker.h"
#include "base/http.h"

/* The state of one provider, in shared memory that is zero at first. No calls are made for it. */
typedef struct na_peer {
    na_breaker_state health;
    volatile apr_uint32_t skew;    /* seconds */
    volatile apr_uint32_t skew_at; /* seconds since 1970, as their low 32 bits */
} na_peer;

typedef struct na_peers {
    const apr_array_header_t *providers; /* const na_provider * */
    na_peer *shared;                     /* one per provider, in the same order */
    na_breaker *breakers;                /* one per provider, in the same order */
} na_peers;

/*
 * The arguments must live as long as `pool`. `changed` is called when a provider goes down or comes
 * back.
 */
na_peers *na_peers_make(apr_pool_t *pool, const apr_array_header_t *providers, na_peer *shared,
                        na_breaker_changed *changed, void *data);

/* Returns an observer of HTTP calls whose peer is a provider ID; `peers` must live as long. */
const na_http_observer *na_peers_observer(apr_pool_t *pool, na_peers *peers);

/* Returns 1 if the last call to the provider failed or returned 5xx, and is recent. */
int na_peers_is_down(const na_peers *peers, int provider);

/* Returns the largest recent difference between this server's clock and a provider's, in seconds.
 */
apr_uint32_t na_peers_skew(const na_peers *peers);

#endif
