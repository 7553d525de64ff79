/* SPDX-License-Identifier: Apache-2.0 */
/* One interface to stores of expiring values. */
#ifndef NA_STORE_STORE_H
#define NA_STORE_STORE_H

#include <apr_time.h>

#include "base/breaker.h"
#include "base/crypto.h"

/*
 * A store keeps values under keys until they expire. All threads, processes, and servers that open
 * a store share its entries.
 */

/* Stores contain only hashes of names. `kind` is static text: "session", "user". */
typedef struct na_store_key {
    const char *kind;
    unsigned char hash[NA_SHA256_LEN];
    int is_optional; /* mostly missing: absence is believed even if a replica reports it */
} na_store_key;

void na_store_key_make(na_store_key *key, const char *kind, const char *name);

/* Visits one entry; key and value are valid only during the call. An error ends the listing. */
typedef na_error *na_store_visit(void *data, const na_store_key *key, na_bytes value);

/*
 * The functions that a kind of store must provide. Many threads call them at once. They fail with
 * the code NA_ERR_UNAVAILABLE if the store does not respond. Values are never empty. `expires` is
 * in the future.
 */
typedef struct na_store_driver {
    /* Sets values[i] for each key, in `pool`; data NULL if none. */
    na_error *(*get)(void *self, apr_pool_t *pool, const na_store_key *keys, int count,
                     na_bytes *values);

    na_error *(*put)(void *self, apr_pool_t *pool, const na_store_key *key, na_bytes value,
                     apr_time_t expires);

    /*
     * Replaces exactly `expected` (data NULL if no entry must exist) by `value`, atomically.
     * *swapped is 0 if something else was found.
     */
    na_error *(*swap)(void *self, apr_pool_t *pool, const na_store_key *key, na_bytes expected,
                      na_bytes value, apr_time_t expires, int *swapped);

    /*
     * Calls `visit` for every entry of a kind; it can miss entries that appear or disappear
     * meanwhile.
     */
    na_error *(*each)(void *self, apr_pool_t *pool, const char *kind, na_store_visit *visit,
                      void *data);

    /* Largest value, in bytes. */
    apr_size_t value_max;
} na_store_driver;

typedef struct na_store {
    const na_store_driver *driver;
    void *self;
    na_breaker breaker;
} na_store;

/* These call the driver's functions, unless the breaker is open. */
na_error *na_store_get(const na_store *store, apr_pool_t *pool, const na_store_key *keys, int count,
                       na_bytes *values);
na_error *na_store_put(const na_store *store, apr_pool_t *pool, const na_store_key *key,
                       na_bytes value, apr_time_t expires);
na_error *na_store_swap(const na_store *store, apr_pool_t *pool, const na_store_key *key,
                        na_bytes expected, na_bytes value, apr_time_t expires, int *swapped);
na_error *na_store_each(const na_store *store, apr_pool_t *pool, const char *kind,
                        na_store_visit *visit, void *data);

#endif
