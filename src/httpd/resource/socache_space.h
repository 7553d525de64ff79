/* SPDX-License-Identifier: Apache-2.0 */
/* Room in the segment of mod_socache_shmcb. */
#ifndef NA_HTTPD_RESOURCE_SOCACHE_SPACE_H
#define NA_HTTPD_RESOURCE_SOCACHE_SPACE_H

#include <ap_socache.h>
#include <httpd.h>

#include "base/error.h"

/*
 * mod_socache_shmcb divides its segment into subcaches, each a log. A replaced or removed entry
 * occupies its place until all older entries are gone, and a full log silently drops its oldest
 * entries, live ones too. So this counts entries, compacts a log before it is full and, if that is
 * not enough, drops the entries that would expire first, and logs a warning. All of it is done a
 * part at a time, because requests wait for the lock meanwhile.
 *
 * All functions that change it require the mutex of the cache.
 */
typedef struct na_socache_space na_socache_space;

/* Whether an entry can be dropped before it expires. The values are in the heads of entries. */
typedef enum na_socache_rank {
    NA_SOCACHE_STAYS = 0,
    NA_SOCACHE_MAY_GO = 1,
    NA_SOCACHE_GOES_FIRST = 2 /* and it never drops others */
} na_socache_rank;

/* `argument` is that of NextAuthSOCache. Lives in shared memory, as long as the pool. */
na_error *na_socache_space_make(apr_pool_t *pool, const char *argument, apr_size_t entry_size,
                                na_socache_space **made);

/* Returns the size of the largest entry, including its ID, that leaves room for others. */
apr_size_t na_socache_space_entry_max(const na_socache_space *space);

/*
 * Makes room for an entry of `size` bytes, including its ID, of this rank, and counts it. Returns 0
 * if there is no room, because the existing entries must not be dropped.
 */
int na_socache_space_take(na_socache_space *space, const ap_socache_provider_t *provider,
                          ap_socache_instance_t *instance, server_rec *s, const unsigned char *id,
                          apr_size_t size, na_socache_rank rank, apr_pool_t *pool);

/* Return an ID's subcache, and how many there are; 0 and 1 if the cache has none (NULL). */
unsigned na_socache_subcache_of(const na_socache_space *space, const unsigned char *id);
unsigned na_socache_subcaches(const na_socache_space *space);

/* Every value begins with a head: when it expires, and its rank. */
#define NA_SOCACHE_HEAD_LEN 9
void na_socache_write_head(unsigned char *to, apr_time_t expires, na_socache_rank rank);
apr_time_t na_socache_read_expiry(const unsigned char *head);
na_socache_rank na_socache_read_rank(const unsigned char *head);

#endif
