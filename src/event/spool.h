/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded queue in a directory. */
#ifndef NA_EVENT_SPOOL_H
#define NA_EVENT_SPOOL_H

#include "event/spool_file.h"

/*
 * A new item is a line of a segment (segment.h), in the directory's "segments". An item that is to
 * be tried again is moved to a file of its own, and so delays no other. Any process can add items;
 * the one that holds the lock takes them.
 *
 * Items survive the end of all processes, even by a crash, and can then be taken twice. They are
 * not forced to disk: those of the last seconds before a power failure can be lost or damaged.
 */
typedef struct na_spool {
    const char *directory;
    apr_uint32_t max_items;
    volatile apr_uint32_t *depth; /* number of items, shared by all processes */
    na_spool_look look;           /* of this process, into the files */
    struct na_spool_round *round; /* what na_spool_begin began */
} na_spool;

/* Returns the path of the directory of segments. */
const char *na_spool_segments(apr_pool_t *pool, const char *directory);

/* Counts the items into *spool->depth. The directory must exist. */
na_error *na_spool_open(na_spool *spool, apr_pool_t *pool);

/*
 * Adds one item, due at once. `id` is NA_SPOOL_ID_LEN digits of lower-case hex; the content has no
 * line feed. The error is NA_ERR_BUSY if the queue is full.
 */
na_error *na_spool_put(const na_spool *spool, apr_pool_t *pool, const char *id, na_bytes content,
                       apr_time_t now);

/* ── taking ────────────────────────────────────────────────────────────────────────────────── */

/* Holds the lock until `pool` is destroyed; *locked is 0 if another process holds it. */
na_error *na_spool_lock(const na_spool *spool, apr_pool_t *pool, int *locked);

/* Begins to take items; ends with the pool. Requires the lock. */
na_error *na_spool_begin(na_spool *spool, apr_pool_t *pool, apr_time_t now);

/*
 * Returns the item that is longest due, NULL if there is none; valid until it is removed,
 * postponed, or set aside, which is required before the next call. Corrects the count. Items that
 * are added meanwhile are not waited for, so that there is an end.
 */
na_error *na_spool_next(na_spool *spool, apr_pool_t *pool, const na_spool_item **item);

/*
 * Reads the content, NUL-terminated. The error is NA_ERR_UNAVAILABLE if a later attempt can
 * succeed, another one if this is not an item or damaged.
 */
na_error *na_spool_read(const na_spool *spool, apr_pool_t *pool, const na_spool_item *item,
                        na_bytes *content);

na_error *na_spool_remove(na_spool *spool, apr_pool_t *pool, const na_spool_item *item);

/* Counts a failed attempt, and makes the item due again at `due`. */
na_error *na_spool_postpone(na_spool *spool, apr_pool_t *pool, const na_spool_item *item,
                            apr_time_t due);

/*
 * Takes an item out of the queue, but keeps it for the administrator, in the file
 * na_spool_bad_name.
 */
na_error *na_spool_set_aside(na_spool *spool, apr_pool_t *pool, const na_spool_item *item);
const char *na_spool_bad_name(apr_pool_t *pool, const na_spool_item *item);

#endif
