/* SPDX-License-Identifier: Apache-2.0 */
/* Detection of stores that lost their data. */
#include "session/epoch.h"

#include <string.h>

#include <apr_thread_mutex.h>

#include "base/clock.h"

/* Seconds between two writes of the entry, which would expire otherwise. */
#define REFRESH (24 * 3600)

/* Seconds for which the entry outlives every token that was issued before its last write. */
#define MARGIN (30L * 24 * 3600)

/* Attempts to write the entry while other servers write it as well. */
#define TRIES 5

/* Most bytes of an entry that is kept: several times those of any. */
#define ENTRY_MAX 256

struct na_epoch_cache {
    const na_record_keys *record_keys;
    const na_store_key *keys; /* one for each of them */
    apr_thread_mutex_t *lock; /* of what follows */
    unsigned char entry[ENTRY_MAX];
    apr_size_t entry_len; /* 0 if none */
    na_epoch epoch;
};

na_error *na_epoch_cache_make(apr_pool_t *pool, const na_record_keys *record_keys,
                              const char *const *namespaces, na_epoch_cache **made)
{
    na_epoch_cache *cache = apr_pcalloc(pool, sizeof *cache);
    na_store_key *keys = apr_palloc(pool, (apr_size_t)record_keys->count * sizeof *keys);
    if (apr_thread_mutex_create(&cache->lock, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "could not create the mutex of a store's epoch");
    for (int i = 0; i < record_keys->count; i++)
        na_store_key_make(&keys[i], NA_KIND_EPOCH, namespaces[i]);
    cache->record_keys = record_keys;
    cache->keys = keys;
    *made = cache;
    return NULL;
}

void na_epoch_keys(const na_registry *registry, na_store_key *keys)
{
    memcpy(keys, registry->epoch->keys,
           (apr_size_t)registry->epoch->record_keys->count * sizeof *keys);
}

/* Returns 1 if the entry is, byte for byte, the one that was decrypted last. */
static int recall_entry(na_epoch_cache *cache, na_bytes entry, na_epoch *epoch)
{
    apr_thread_mutex_lock(cache->lock);
    int is_known =
        entry.len == cache->entry_len && memcmp(entry.data, cache->entry, entry.len) == 0;
    if (is_known)
        *epoch = cache->epoch;
    apr_thread_mutex_unlock(cache->lock);
    return is_known;
}

static void keep_entry(na_epoch_cache *cache, na_bytes entry, const na_epoch *epoch)
{
    if (entry.len > ENTRY_MAX)
        return;
    apr_thread_mutex_lock(cache->lock);
    memcpy(cache->entry, entry.data, entry.len);
    cache->entry_len = entry.len;
    cache->epoch = *epoch;
    apr_thread_mutex_unlock(cache->lock);
}

/* Decrypts the entry of a secret, the newest one's only if it has changed. Returns 0 on failure. */
static int open_entry(const na_registry *registry, apr_pool_t *pool, const na_store_key *keys,
                      int at, na_bytes entry, na_epoch *epoch)
{
    if (at == 0 && recall_entry(registry->epoch, entry, epoch))
        return 1;
    if (na_epoch_open(pool, registry->epoch->record_keys, &keys[at], entry, epoch))
        return 0;
    if (at == 0)
        keep_entry(registry->epoch, entry, epoch);
    return 1;
}

/*
 * Returns the newest secret's entry, or an older secret's: a store that has one was not emptied
 * since the secret was changed. *at is its index, -1 if none can be decrypted.
 */
static na_epoch read_epoch(const na_registry *registry, apr_pool_t *pool, const na_store_key *keys,
                           const na_found *values, int *at)
{
    na_epoch epoch = {0};
    for (*at = 0; *at < registry->epoch->record_keys->count; ++*at)
        if (values[*at].value.data &&
            open_entry(registry, pool, keys, *at, values[*at].value, &epoch))
            return epoch;
    *at = -1;
    return (na_epoch){0};
}

static na_error *write_epoch(const na_registry *registry, apr_pool_t *pool, const na_store_key *key,
                             const na_epoch *epoch, na_bytes was, int *swapped)
{
    na_bytes value;
    apr_time_t expires = apr_time_from_sec(epoch->written + registry->remember + MARGIN);
    NA_TRY(na_epoch_seal(pool, registry->epoch->record_keys, key, epoch, &value));
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
    na_found *again =
        apr_palloc(pool, (apr_size_t)registry->epoch->record_keys->count * sizeof *again);
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
        NA_TRY(na_look_up(registry, pool, keys, registry->epoch->record_keys->count, again));
        values = again;
    }
    return na_error_new(pool, NA_ERR_BUSY, "too many changes to the session store's epoch at once");
}
