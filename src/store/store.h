/* SPDX-License-Identifier: Apache-2.0 */
/* One interface to stores of expiring values. */
#ifndef NA_STORE_STORE_H
#define NA_STORE_STORE_H

#include <apr_tables.h>
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

typedef struct na_store_entry {
    na_store_key key;
    na_bytes value;
} na_store_entry;

/* A part of a listing. */
typedef struct na_store_page {
    apr_array_header_t *entries; /* na_store_entry */
    const char *next;            /* cursor of the next page; NULL at the end */
    double share;                /* how much of all keys was listed so far, up to 1 */
} na_store_page;

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
     * Reads the entries of a kind that follow a cursor (NULL for the first ones) into *page, in
     * `pool`: about `max` of them. There can be none on a page that is not the last. A listing can
     * lack entries that appear or disappear meanwhile, and have others twice. Keys are hashes, so
     * each page is a random sample. A cursor can come from anyone: fails with the code
     * NA_ERR_INVALID_CHECK if it is invalid.
     */
    na_error *(*page)(void *self, apr_pool_t *pool, const char *kind, const char *cursor, int max,
                      na_store_page *page);

    /* Largest value, in bytes. */
    apr_size_t value_max;
} na_store_driver;

typedef struct na_store {
    const na_store_driver *driver;
    void *self;
    na_breaker breaker;
    int is_memory; /* of one server, and lost when it stops */
} na_store;

/* These call the driver's functions, unless the breaker is open. */
na_error *na_store_get(const na_store *store, apr_pool_t *pool, const na_store_key *keys, int count,
                       na_bytes *values);
na_error *na_store_put(const na_store *store, apr_pool_t *pool, const na_store_key *key,
                       na_bytes value, apr_time_t expires);
na_error *na_store_swap(const na_store *store, apr_pool_t *pool, const na_store_key *key,
                        na_bytes expected, na_bytes value, apr_time_t expires, int *swapped);
na_error *na_store_read_page(const na_store *store, apr_pool_t *pool, const char *kind,
                             const char *cursor, int max, na_store_page *page);

/* For drivers. */
void na_store_page_add(na_store_page *page, const na_store_key *key, na_bytes value);
na_error *na_store_bad_cursor(apr_pool_t *pool);

/* Returns how much of all keys is not beyond a hash, if they are in the order of their hashes. */
double na_store_share(const unsigned char *hash);

#endif
