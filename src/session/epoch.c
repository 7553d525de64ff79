/* SPDX-License-Identifier: Apache-2.0 */
/* Detection of stores that lost their data. */
#include "session/epoch.h"

#include "base/clock.h"

/* Seconds between two writes of the entry, which would expire otherwise. */
#define REFRESH (24 * 3600)

/* Seconds for which the entry outlives every token that was issued before its last write. */
#define MARGIN (30L * 24 * 3600)

/* Attempts to write the entry while other servers write it as well. */
#define TRIES 5

void na_epoch_keys(const na_registry *registry, na_store_key *keys)
{
    for (int i = 0; i < registry->keys->count; i++)
        na_store_key_make(&keys[i], NA_KIND_EPOCH, registry->namespaces[i]);
}

/*
 * Returns the newest secret's entry, or an older secret's: a store that has one was not emptied
 * since the secret was changed. *at is its index, -1 if none can be decrypted.
 */
static na_epoch read_epoch(const na_registry *registry, apr_pool_t *pool, const na_store_key *keys,
                           const na_found *values, int *at)
{
    na_epoch epoch = {0};
    for (*at = 0; *at < registry->keys->count; ++*at)
        if (values[*at].value.data &&
            !na_epoch_open(pool, registry->keys, &keys[*at], values[*at].value, &epoch))
            return epoch;
    *at = -1;
    return (na_epoch){0};
}

static na_error *write_epoch(const na_registry *registry, apr_pool_t *pool, const na_store_key *key,
                             const na_epoch *epoch, na_bytes was, int *swapped)
{
    na_bytes value;
    apr_time_t expires = apr_time_from_sec(epoch->written + registry->remember + MARGIN);
    NA_TRY(na_epoch_seal(pool, registry->keys, key, epoch, &value));
    return na_store_swap(registry->stores[0], pool, key, was, value, expires, swapped);
}

static int is_kept(const na_found *value, const na_epoch *epoch, int at, apr_int64_t now)
{
    return at == 0 && value->in_first && !epoch->stale && now - epoch->written < REFRESH;
}

na_error *na_epoch_of(const na_registry *registry, apr_pool_t *pool, const na_store_key *keys,
                      const na_found *values, apr_time_t now, apr_int64_t *began)
{
    apr_int64_t seconds = apr_time_sec(now);
    na_found *again = apr_palloc(pool, (apr_size_t)registry->keys->count * sizeof *again);
    for (int i = 0; i < TRIES; i++) {
        int at, swapped = 0;
        na_epoch epoch = read_epoch(registry, pool, keys, values, &at);
        *began = at < 0 ? seconds : epoch.began;
        if (is_kept(&values[0], &epoch, at, seconds))
            return NULL;
        epoch = (na_epoch){.began = *began, .written = seconds};
        na_error *error =
            write_epoch(registry, pool, &keys[0], &epoch, na_found_in_first(&values[0]), &swapped);
        if (at >= 0 && na_is_unavailable(error))
            return NULL; /* the epoch is known; a later request writes it */
        NA_TRY(error);
        if (swapped && at < 0 && registry->forgot)
            registry->forgot(registry->forgot_data, registry->stores[0]->breaker.name);
        if (swapped)
            return NULL;
        NA_TRY(na_look_up(registry, pool, keys, registry->keys->count, again));
        values = again;
    }
    return na_error_new(pool, NA_ERR_BUSY, "too many changes to the session store's epoch at once");
}
