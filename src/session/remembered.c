/* SPDX-License-Identifier: Apache-2.0 */
/* Ends of sessions, which are remembered in the place of their records. */
#include "session/remembered.h"

#include <string.h>

#include "base/clock.h"
#include "session/list.h"
#include "session/lookup.h"
#include "session/token_entry.h"

/* Attempts to change an entry: each failure means that a concurrent change succeeded. */
#define TRIES 50

static apr_int64_t later(apr_int64_t a, apr_int64_t b)
{
    return a > b ? a : b;
}

/* The session that takes the place of an ended one needs the names (na_session_restart). */
static na_record ended_record(const char *user, const na_provider_names *at_provider,
                              apr_int64_t until)
{
    return (na_record){.user = user,
                       .address = "",
                       .device = "",
                       .expires = until,
                       .ended = 1,
                       .at_provider = *at_provider};
}

na_error *na_end_remember(const na_registry *registry, apr_pool_t *pool, const char *user,
                          const na_store_key *key, const na_provider_names *at_provider,
                          apr_int64_t until)
{
    na_record ended = ended_record(user, at_provider, until);
    na_bytes value;
    NA_TRY(na_record_seal(pool, registry->keys, key, &ended, &value));
    return na_store_put(registry->stores[0], pool, key, value, apr_time_from_sec(until));
}

/*
 * Replaces a session's record, whatever its current value. The store can drop the replacement
 * early, because a missing record is enough to refuse a token that claims to have one.
 */
static na_error *bury_shortly(const na_registry *registry, apr_pool_t *pool, const char *user,
                              const na_store_key *key, const na_provider_names *at_provider,
                              apr_int64_t until)
{
    na_record ended = ended_record(user, at_provider, until);
    na_bytes value, there;
    NA_TRY(na_record_seal(pool, registry->keys, key, &ended, &value));
    for (int i = 0; i < TRIES; i++) {
        int swapped;
        NA_TRY(na_store_get(registry->stores[0], pool, key, 1, &there));
        NA_TRY(na_store_swap(registry->stores[0], pool, key, there, value, apr_time_from_sec(until),
                             &swapped));
        if (swapped)
            return NULL;
    }
    return na_error_new(pool, NA_ERR_BUSY, "too many changes to one session at once");
}

/*
 * A session can end twice, as when two tabs sign out. What the second one finds does not say
 * whether tokens can be used without a record, so that it must not shorten the memory of the first
 * one.
 */
static na_error *write_end(const na_registry *registry, apr_pool_t *pool, const char *user,
                           const na_store_key *key, const na_record *was, int is_covered,
                           apr_int64_t now)
{
    if (was->ended && was->expires >= now + NA_END_SHORT)
        return NULL;
    if (!was->in_token || was->vouched || is_covered)
        return bury_shortly(registry, pool, user, key, &was->at_provider, now + NA_END_SHORT);
    return na_end_remember(registry, pool, user, key, &was->at_provider,
                           later(now + registry->remember, was->expires + 2 * NA_CLOCK_TOLERANCE));
}

na_error *na_end_record(const na_registry *registry, apr_pool_t *pool, const char *user,
                        const na_store_key *key, int is_covered, apr_time_t now)
{
    na_found was;
    na_record record = {.in_token = 1};
    NA_TRY(na_look_up(registry, pool, key, 1, &was));
    if (was.value.data && na_record_open(pool, registry->keys, key, was.value, &record))
        record = (na_record){.in_token = 1};
    apr_int64_t seconds = apr_time_sec(now);
    NA_TRY(write_end(registry, pool, user, key, &record, is_covered, seconds));
    if (registry->token_keys)
        NA_TRY(na_token_entry_remove(registry, pool, key, now));
    if (registry->observer && na_record_is_live(&record, now))
        registry->observer->ended(registry->observer->data, seconds - record.created);
    return NULL;
}

na_error *na_end_records(const na_registry *registry, apr_pool_t *pool, const char *user,
                         const apr_array_header_t *listings, apr_time_t now)
{
    for (int i = 0; i < listings->nelts; i++) {
        na_store_key key = na_session_key_of_hash(APR_ARRAY_IDX(listings, i, na_listing).hash);
        na_found was; /* without a record, a short memory is enough */
        NA_TRY(na_look_up(registry, pool, &key, 1, &was));
        NA_TRY(na_end_record(registry, pool, user, &key, !was.value.data, now));
    }
    return NULL;
}