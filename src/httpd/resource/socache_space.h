/* SPDX-License-Identifier: Apache-2.0 */
/* Room in the shared object cache: how much there is, and how users share it. */
#ifndef NA_HTTPD_RESOURCE_SOCACHE_SPACE_H
#define NA_HTTPD_RESOURCE_SOCACHE_SPACE_H

#include <ap_socache.h>
#include <httpd.h>

#include "base/error.h"

/*
 * Room in shmcb's segment. mod_socache_shmcb divides it into subcaches, each a log: what is
 * replaced or removed keeps its place until all that is older has gone, and a log that is full
 * drops its oldest entries, live ones too, and tells nobody. So this counts along, tidies up before
 * a log is full, and where that does not help drops what would have ended first, and says so.
 *
 * All but the making is called under the cache's mutex.
 */
typedef struct na_socache_space na_socache_space;

/* `argument` is NextAuthSOCache's. Lives in shared memory, as long as the pool. */
na_error *na_socache_space_make(apr_pool_t *pool, const char *argument, apr_size_t entry_size,
                                na_socache_space **made);

/* Largest entry, id included, that leaves room for others. */
apr_size_t na_socache_space_entry_max(const na_socache_space *space);

/*
 * Makes room for an entry of `size` bytes, id included, and counts it; 0 where there is none,
 * because what is there must not be dropped.
 */
int na_socache_space_take(na_socache_space *space, const ap_socache_provider_t *provider,
                          ap_socache_instance_t *instance, server_rec *s, const unsigned char *id,
                          apr_size_t size, apr_pool_t *pool);

/* What stands in front of every value: when it expires, and whether it may be dropped before. */
#define NA_SOCACHE_HEAD_LEN 9
void na_socache_write_head(unsigned char *to, apr_time_t expires, int may_drop);
apr_time_t na_socache_read_expiry(const unsigned char *head);
int na_socache_may_drop(const unsigned char *head);

#endif
