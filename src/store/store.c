/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <string.h>

#include <apr_atomic.h>
#include <apr_strings.h>

#define BACKOFF_LEAST_MS 250
#define BACKOFF_MOST_MS 4000

void na_store_key_make(na_store_key *key, const char *kind, const char *name)
{
    key->kind = kind;
    /* the kind's NUL goes in, so that no name of one kind is another's */
    na_sha256(key->hash, (na_bytes){(const unsigned char *)kind, strlen(kind) + 1},
              na_bytes_of(name));
}

static apr_uint32_t milliseconds(void)
{
    return (apr_uint32_t)apr_time_as_msec(apr_time_now());
}

static apr_uint32_t backoff(apr_uint32_t failures)
{
    apr_uint32_t most = failures > 5 ? BACKOFF_MOST_MS : BACKOFF_LEAST_MS << (failures - 1);
    return most > BACKOFF_MOST_MS ? BACKOFF_MOST_MS : most;
}

/* 1 where the store may be asked: it is up, or it is this caller's turn to try. */
static int admit(na_store_health *health)
{
    apr_uint32_t failures = apr_atomic_read32(&health->failures);
    if (!failures)
        return 1;
    apr_uint32_t now = milliseconds(), retry_at = apr_atomic_read32(&health->retry_at);
    if ((apr_int32_t)(now - retry_at) < 0)
        return 0;
    return apr_atomic_cas32(&health->retry_at, now + BACKOFF_MOST_MS, retry_at) == retry_at;
}

static void say(const na_store *store, const char *message)
{
    if (store->changed)
        store->changed(store, message);
}

static void came_back(const na_store *store, apr_pool_t *pool)
{
    if (!apr_atomic_xchg32(&store->health->failures, 0))
        return;
    apr_uint32_t now = (apr_uint32_t)apr_time_sec(apr_time_now());
    say(store, apr_psprintf(pool, "%s is back, after %u s", store->name,
                            now - apr_atomic_read32(&store->health->down_at)));
}

static void failed(const na_store *store, apr_pool_t *pool, const na_error *error)
{
    na_store_health *health = store->health;
    apr_uint32_t before = apr_atomic_inc32(&health->failures);
    apr_atomic_set32(&health->retry_at, milliseconds() + backoff(before + 1));
    if (before)
        return;
    apr_atomic_set32(&health->down_at, (apr_uint32_t)apr_time_sec(apr_time_now()));
    say(store, apr_psprintf(pool, "%s is down: %s", store->name, na_error_text(pool, error)));
}

static na_error *refused(const na_store *store, apr_pool_t *pool)
{
    return na_error_new(pool, NA_UNAVAILABLE, "%s is down", store->name);
}

/* An error of another kind is the caller's (a value that is too large), not the store's. */
static na_error *settle(const na_store *store, apr_pool_t *pool, na_error *error)
{
    if (error && strcmp(error->code, NA_UNAVAILABLE) == 0)
        failed(store, pool, error);
    else if (apr_atomic_read32(&store->health->failures))
        came_back(store, pool);
    return error;
}

static na_error *check_size(const na_store *store, apr_pool_t *pool, na_bytes value)
{
    return value.len <= store->driver->value_max
               ? NULL
               : na_error_new(pool, NA_SESSION,
                              "%s takes %" APR_SIZE_T_FMT " bytes at most, not %" APR_SIZE_T_FMT
                              ": let sessions carry fewer or shorter claims",
                              store->name, store->driver->value_max, value.len);
}

na_error *na_store_get(const na_store *store, apr_pool_t *pool, const na_store_key *keys, int count,
                       na_bytes *values)
{
    if (!admit(store->health))
        return refused(store, pool);
    return settle(store, pool, store->driver->get(store->self, pool, keys, count, values));
}

na_error *na_store_put(const na_store *store, apr_pool_t *pool, const na_store_key *key,
                       na_bytes value, apr_time_t expires)
{
    NA_TRY(check_size(store, pool, value));
    if (!admit(store->health))
        return refused(store, pool);
    return settle(store, pool, store->driver->put(store->self, pool, key, value, expires));
}

na_error *na_store_swap(const na_store *store, apr_pool_t *pool, const na_store_key *key,
                        na_bytes expected, na_bytes value, apr_time_t expires, int *swapped)
{
    NA_TRY(check_size(store, pool, value));
    if (!admit(store->health))
        return refused(store, pool);
    return settle(store, pool,
                  store->driver->swap(store->self, pool, key, expected, value, expires, swapped));
}

na_error *na_store_each(const na_store *store, apr_pool_t *pool, const char *kind,
                        na_store_visit *visit, void *data)
{
    if (!admit(store->health))
        return refused(store, pool);
    return settle(store, pool, store->driver->each(store->self, pool, kind, visit, data));
}
