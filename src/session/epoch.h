/* SPDX-License-Identifier: Apache-2.0 */
/* Detection of stores that lost their memory. */
#ifndef NA_SESSION_EPOCH_H
#define NA_SESSION_EPOCH_H

#include "session/lookup.h"

/*
 * Since when a store remembers. A store that was emptied (FLUSHALL, flush_all, the end of shared
 * memory, a restored database) has lost the ends of sessions as well; each secret's namespace has
 * an entry that goes with them. If it is missing, a new memory begins, and tokens from before it
 * cannot be told from those that were signed out.
 */

/* The keys of the entries, as many as the registry has keys. */
void na_epoch_keys(const na_registry *registry, na_store_key *keys);

/*
 * *began is when the memory began, in seconds; now if it begins with this call, of which the
 * registry's owner is told. `values` are what the keys were found to have.
 */
na_error *na_epoch_of(const na_registry *registry, apr_pool_t *pool, const na_store_key *keys,
                      const na_found *values, apr_time_t now, apr_int64_t *began);

#endif
