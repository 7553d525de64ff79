/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_HEALTH_PEERS_H
#define NA_HEALTH_PEERS_H

#include <apr_tables.h>

#include "base/breaker.h"
#include "base/http.h"

/*
 * What all processes of a site know of its providers from their own calls to them: whether the last
 * one was answered, and how far apart the clocks are. Nobody is called for it.
 */

/* Of one provider, in shared memory, all zero at first. */
typedef struct na_peer {
    na_breaker_state health;
    volatile apr_uint32_t skew;    /* seconds */
    volatile apr_uint32_t skew_at; /* seconds since 1970, as their low 32 bits */
} na_peer;

typedef struct na_peers {
    const apr_array_header_t *providers; /* const na_provider * */
    na_peer *shared;                     /* one a provider, in their order */
    na_breaker *breakers;                /* likewise */
} na_peers;

/* All of it has to live as long as `pool`. `changed` is told of a provider that is down, or back.
 */
na_peers *na_peers_make(apr_pool_t *pool, const apr_array_header_t *providers, na_peer *shared,
                        na_breaker_changed *changed, void *data);

/* Takes note of the calls whose peer is the id of one of the providers; `peers` must live on. */
const na_http_observer *na_peers_observer(apr_pool_t *pool, na_peers *peers);

/* 1 where the provider did not answer, or with 5xx, when it was last called, minutes ago at most.
 */
int na_peers_is_down(const na_peers *peers, int provider);

/* The largest difference between this machine's clock and a provider's of late, in seconds. */
apr_uint32_t na_peers_skew(const na_peers *peers);

#endif
