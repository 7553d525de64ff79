/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_EVENT_SPOOL_H
#define NA_EVENT_SPOOL_H

#include <apr_tables.h>
#include <apr_time.h>

#include "base/error.h"
#include "base/text.h"

/*
 * A bounded queue in a folder that survives its processes: each item is a file, written under
 * another name and renamed, so that there are no halves of items. Any process puts; one at a time
 * takes, whoever holds the lock.
 *
 * What is put survives the end of every process, however it comes. It is not waited for until a
 * disk has it: what came in the seconds before a power failure may be gone, or damaged.
 */
typedef struct na_spool {
    const char *folder;
    apr_uint32_t max_items;
    volatile apr_uint32_t *depth; /* how many there are; shared by all processes */
} na_spool;

#define NA_SPOOL_ITEM_MAX (64 * 1024)
#define NA_SPOOL_ID_LEN 32

/* An item of the queue: all of it but the content is in the file's name. */
typedef struct na_spool_item {
    const char *name;
    apr_time_t due;
    apr_time_t created;
    int attempts;                 /* how many failed */
    char id[NA_SPOOL_ID_LEN + 1]; /* lower-case hex */
} na_spool_item;

/* Counts what is there into *spool->depth, of a folder that is there. */
na_error *na_spool_open(na_spool *spool, apr_pool_t *pool);

/*
 * Puts one item, due at once. `id` is NA_SPOOL_ID_LEN digits of lower-case hex. The error's code is
 * NA_ERR_BUSY where the queue is full.
 */
na_error *na_spool_put(const na_spool *spool, apr_pool_t *pool, const char *id, na_bytes content,
                       apr_time_t now);

/* ── who takes ─────────────────────────────────────────────────────────────────────────────── */

/* Who takes holds it until `pool` goes; *locked is 0 where somebody else does. */
na_error *na_spool_lock(const na_spool *spool, apr_pool_t *pool, int *locked);

/*
 * na_spool_item of at most `most` items that are due, the longest due first. Corrects the count,
 * and removes what a process that died left half written.
 */
na_error *na_spool_due(const na_spool *spool, apr_pool_t *pool, apr_time_t now, int most,
                       const apr_array_header_t **items);

/*
 * The content; NUL-terminated. The error's code is NA_ERR_UNAVAILABLE where it may be read later,
 * another where the file is none of ours, or damaged.
 */
na_error *na_spool_read(const na_spool *spool, apr_pool_t *pool, const na_spool_item *item,
                        na_bytes *content);

na_error *na_spool_remove(const na_spool *spool, apr_pool_t *pool, const na_spool_item *item);

/* One attempt more has failed: due again at `due`. */
na_error *na_spool_postpone(const na_spool *spool, apr_pool_t *pool, const na_spool_item *item,
                            apr_time_t due);

/* Out of the queue, but kept for a person to look at: as "bad-" and its name. */
na_error *na_spool_set_aside(const na_spool *spool, apr_pool_t *pool, const na_spool_item *item);

/* "DUE-ATTEMPTS-CREATED-ID.json", strictly; 0 where the name is no item's. */
int na_spool_name_parse(const char *name, na_spool_item *item);
const char *na_spool_name(apr_pool_t *pool, const na_spool_item *item);

#endif
