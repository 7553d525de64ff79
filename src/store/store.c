/* SPDX-License-Identifier: Apache-2.0 */
/* One interface to stores of expiring values. */
#include "store/store.h"

#include <string.h>

#include <apr_strings.h>

void na_store_key_make(na_store_key *key, const char *kind, const char *name)
{
    key->kind = kind;
    key->is_optional = 0;
    /* includes the kind's NUL, so that names of different kinds cannot collide */
    na_sha256(key->hash, (na_bytes){(const unsigned char *)kind, strlen(kind) + 1},
              na_bytes_of(name));
}

static na_error *check_size(const na_store *store, apr_pool_t *pool, na_bytes value)
{
    return value.len <= store->driver->value_max
               ? NULL
               : na_error_new(pool, NA_ERR_CONFIGURATION,
                              "%s accepts at most %" APR_SIZE_T_FMT " bytes, not %" APR_SIZE_T_FMT
                              ": use fewer or shorter claims",
                              store->breaker.name, store->driver->value_max, value.len);
}

na_error *na_store_get(const na_store *store, apr_pool_t *pool, const na_store_key *keys, int count,
                       na_bytes *values)
{
    NA_TRY(na_breaker_admit(&store->breaker, pool));
    return na_breaker_settle(&store->breaker, pool,
                             store->driver->get(store->self, pool, keys, count, values));
}

na_error *na_store_put(const na_store *store, apr_pool_t *pool, const na_store_key *key,
                       na_bytes value, apr_time_t expires)
{
    NA_TRY(check_size(store, pool, value));
    NA_TRY(na_breaker_admit(&store->breaker, pool));
    return na_breaker_settle(&store->breaker, pool,
                             store->driver->put(store->self, pool, key, value, expires));
}

na_error *na_store_swap(const na_store *store, apr_pool_t *pool, const na_store_key *key,
                        na_bytes expected, na_bytes value, apr_time_t expires, int *swapped)
{
    NA_TRY(check_size(store, pool, value));
    NA_TRY(na_breaker_admit(&store->breaker, pool));
    return na_breaker_settle(&store->breaker, pool,
                             store->driver->swap(store->self, pool, key, expected, value, expires,
                                                 swapped));
}

na_error *na_store_read_page(const na_store *store, apr_pool_t *pool, const char *kind,
                             const char *cursor, int max, na_store_page *page)
{
    *page = (na_store_page){apr_array_make(pool, max, sizeof(na_store_entry)), NULL, 1};
    NA_TRY(na_breaker_admit(&store->breaker, pool));
    return na_breaker_settle(&store->breaker, pool,
                             store->driver->page(store->self, pool, kind, cursor, max, page));
}

void na_store_page_add(na_store_page *page, const na_store_key *key, na_bytes value)
{
    APR_ARRAY_PUSH(page->entries, na_store_entry) = (na_store_entry){*key, value};
}

na_error *na_store_bad_cursor(apr_pool_t *pool)
{
    return na_error_new(pool, NA_ERR_INVALID_CHECK, "invalid cursor of a listing");
}

double na_store_share(const unsigned char *hash)
{
    double share = 0, part = 1;
    for (int i = 0; i < 4; i++)
        share += hash[i] * (part /= 256);
    return share + part;
}
