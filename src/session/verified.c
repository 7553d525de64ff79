/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that a process verified recently. */
#include "session/verified.h"

#include <string.h>

#include <apr_thread_mutex.h>

#define SETS 2048 /* a power of two */
#define WAYS 4
#define LOCKS 64 /* a power of two; each guards SETS / LOCKS sets */

/* Session IDs are random, so eight bytes of their hash are enough to distinguish them. */
typedef struct slot {
    apr_uint64_t tag;
    apr_uint64_t standing;
    apr_uint64_t site;
    apr_int64_t seconds; /* 0 if free */
} slot;

struct na_verified {
    apr_thread_mutex_t *locks[LOCKS];
    slot sets[SETS][WAYS];
};

na_error *na_verified_make(apr_pool_t *pool, na_verified **made)
{
    na_verified *verified = apr_pcalloc(pool, sizeof *verified);
    for (int i = 0; i < LOCKS; i++)
        if (apr_thread_mutex_create(&verified->locks[i], APR_THREAD_MUTEX_DEFAULT, pool) !=
            APR_SUCCESS)
            return na_error_new(pool, NA_ERR_CONFIGURATION,
                                "could not create the mutex of verified sessions");
    *made = verified;
    return NULL;
}

typedef struct place {
    apr_uint64_t tag;
    slot *ways;
    apr_thread_mutex_t *lock;
} place;

static place place_of(na_verified *verified, const na_store_key *session)
{
    apr_uint32_t set;
    place p;
    memcpy(&p.tag, session->hash, sizeof p.tag);
    memcpy(&set, session->hash + sizeof p.tag, sizeof set);
    p.ways = verified->sets[set & (SETS - 1)];
    p.lock = verified->locks[set & (LOCKS - 1)];
    return p;
}

static int is_of(const slot *s, const place *p, apr_uint64_t site)
{
    return s->tag == p->tag && s->site == site;
}

apr_int64_t na_verified_at(na_verified *verified, apr_uint64_t site, const na_store_key *session,
                           apr_uint64_t standing)
{
    apr_int64_t seconds = 0;
    place p = place_of(verified, session);
    apr_thread_mutex_lock(p.lock);
    for (int way = 0; way < WAYS; way++)
        if (is_of(&p.ways[way], &p, site) && p.ways[way].standing == standing)
            seconds = p.ways[way].seconds;
    apr_thread_mutex_unlock(p.lock);
    return seconds;
}

void na_verified_set(na_verified *verified, apr_uint64_t site, const na_store_key *session,
                     apr_uint64_t standing, apr_int64_t seconds)
{
    place p = place_of(verified, session);
    apr_thread_mutex_lock(p.lock);
    slot *chosen = &p.ways[0];
    for (int way = 0; way < WAYS; way++) {
        slot *s = &p.ways[way];
        if (is_of(s, &p, site)) {
            chosen = s;
            break;
        }
        if (s->seconds < chosen->seconds)
            chosen = s;
    }
    *chosen = (slot){p.tag, standing, site, seconds};
    apr_thread_mutex_unlock(p.lock);
}

void na_verified_forget(na_verified *verified, const na_store_key *session)
{
    place p = place_of(verified, session);
    apr_thread_mutex_lock(p.lock);
    for (int way = 0; way < WAYS; way++)
        if (p.ways[way].tag == p.tag)
            p.ways[way] = (slot){0};
    apr_thread_mutex_unlock(p.lock);
}

static void forget_site(slot ways[WAYS], apr_uint64_t site)
{
    for (int way = 0; way < WAYS; way++)
        if (ways[way].site == site)
            ways[way] = (slot){0};
}

void na_verified_forget_all(na_verified *verified, apr_uint64_t site)
{
    for (int i = 0; i < LOCKS; i++) {
        apr_thread_mutex_lock(verified->locks[i]);
        for (int set = i; set < SETS; set += LOCKS)
            forget_site(verified->sets[set], site);
        apr_thread_mutex_unlock(verified->locks[i]);
    }
}
