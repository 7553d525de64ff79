/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded queue in a directory. */
#ifndef NA_EVENT_SPOOL_H
#define NA_EVENT_SPOOL_H

#include <apr_tables.h>
#include <apr_time.h>

#include "base/error.h"
#include "base/text.h"

/*
 * Each item is a file that is written under another name and then renamed, so that no item is
 * partial. Any process can add items; the one that holds the lock takes them.
 *
 * Items survive the end of all processes, even by a crash. They are not forced to disk: those of
 * the last seconds before a power failure can be lost or damaged.
 */
typedef struct na_spool {
    const char *directory;
    apr_uint32_t max_items;
    volatile apr_uint32_t *depth; /* number of items, shared by all processes */
} na_spool;

#define NA_SPOOL_ITEM_MAX (64 * 1024)
#define NA_SPOOL_ID_LEN 32

/* An item of the queue. All but its content is in the file name. */
typedef struct na_spool_item {
    const char *name;
    apr_time_t due;
    apr_time_t created;
    int attempts;                 /* number of failed attempts */
    char id[NA_SPOOL_ID_LEN + 1]; /* lower-case hex */
} na_spool_item;

/* Counts the items into *spool->depth. The directory must exist. */
na_error *na_spool_open(na_spool *spool, apr_pool_t *pool);

/*
 * Adds one item, due at once. `id` is NA_SPOOL_ID_LEN digits of lower-case hex. The error is
 * NA_ERR_BUSY if the queue is full.
 */
na_error *na_spool_put(const na_spool *spool, apr_pool_t *pool, const char *id, na_bytes content,
                       apr_time_t now);

/* ── taking ────────────────────────────────────────────────────────────────────────────────── */

/* Holds the lock until `pool` is destroyed; *locked is 0 if another process holds it. */
na_error *na_spool_lock(const na_spool *spool, apr_pool_t *pool, int *locked);

/*
 * Returns up to `most` na_spool_item that are due, the longest due first. Corrects the count, and
 * removes partial files of processes that crashed.
 */
na_error *na_spool_due(const na_spool *spool, apr_pool_t *pool, apr_time_t now, int most,
                       const apr_array_header_t **items);

/*
 * Reads the content, NUL-terminated. The error is NA_ERR_UNAVAILABLE if a later attempt can
 * succeed, another one if the file is not an item or damaged.
 */
na_error *na_spool_read(const na_spool *spool, apr_pool_t *pool, const na_spool_item *item,
                        na_bytes *content);

na_error *na_spool_remove(const na_spool *spool, apr_pool_t *pool, const na_spool_item *item);

/* Counts a failed attempt, and makes the item due again at `due`. */
na_error *na_spool_postpone(const na_spool *spool, apr_pool_t *pool, const na_spool_item *item,
                            apr_time_t due);

/* Takes an item out of the queue, but keeps the file as "bad-NAME" for the administrator. */
na_error *na_spool_set_aside(const na_spool *spool, apr_pool_t *pool, const na_spool_item *item);

/* Parses and formats "DUE-ATTEMPTS-CREATED-ID.json"; parsing returns 0 for any other name. */
int na_spool_name_parse(const char *name, na_spool_item *item);
const char *na_spool_name(apr_pool_t *pool, const na_spool_item *item);

#endif
