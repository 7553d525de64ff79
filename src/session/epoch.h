/* SPDX-License-Identifier: Apache-2.0 */
/* Detection of stores that lost their data. */
#ifndef NA_SESSION_EPOCH_H
#define NA_SESSION_EPOCH_H

#include "session/lookup.h"

/*
 * The time since which a store has its data. A store that was emptied (FLUSHALL, flush_all, deleted
 * shared memory, a restored database) has also lost which sessions were ended. Each secret's
 * namespace has an entry that is lost together with them. If it is missing, a new epoch begins, and
 * older tokens cannot be distinguished from those that were signed out.
 */

/*
 * What a process keeps of the entries: their keys, one for each namespace, and the newest secret's
 * entry, decrypted. It stays the same for a day, and decrypting it takes as long as all else of a
 * lookup. Safe for threads.
 */
typedef struct na_epoch_cache na_epoch_cache;

/*
 * `keys` encrypt the entries; there is a namespace for each. The hosts of one configuration share
 * the entries of its store, because clients could create one for each host that they ask for.
 */
na_error *na_epoch_cache_make(apr_pool_t *pool, const na_record_keys *keys,
                              const char *const *namespaces, na_epoch_cache **made);

/* Writes the keys of the entries. */
void na_epoch_keys(const na_registry *registry, na_store_key *keys);

/*
 * Writes when the epoch began, in seconds; now if it begins with this call, which then notifies the
 * registry's owner. `values` are the entries found under the keys.
 */
na_error *na_epoch_of(const na_registry *registry, apr_pool_t *pool, const na_store_key *keys,
                      const na_found *values, apr_time_t now, apr_int64_t *began);

#endif
