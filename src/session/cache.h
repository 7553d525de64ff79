/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of verified tokens. */
#ifndef NA_SESSION_CACHE_H
#define NA_SESSION_CACHE_H

#include "session/session.h"

/*
 * A process's cache of verified tokens. Bounded; divided into sets, each with its own lock, so that
 * threads rarely wait. A token is compared in full, and belongs to an `owner` (the ID of the
 * configuration and the keys that it was verified with). Sessions are reference-counted: hold one
 * while you use it.
 */
typedef struct na_token_cache na_token_cache;

/*
 * Creates a cache of about `capacity` tokens. It is destroyed with the pool; by then, every session
 * must be released.
 */
na_error *na_token_cache_make(apr_pool_t *pool, int capacity, na_token_cache **made);

/* Returns NULL if the token is not in the cache or its session has expired. */
const na_session *na_token_cache_get(na_token_cache *cache, apr_uint64_t owner, na_bytes token,
                                     apr_time_t now);

/*
 * Returns 1 if a token that is not in the cache should be stored: there is room, or it is shown
 * again. So many tokens that are shown once do not evict those in use, nor cost what storing costs.
 */
int na_token_cache_wants(na_token_cache *cache, apr_uint64_t owner, na_bytes token);

/*
 * Stores a copy of `session`, in place of the least recently used one of its set, and returns the
 * copy, held for the caller; NULL if out of memory.
 */
const na_session *na_token_cache_put(na_token_cache *cache, apr_uint64_t owner, na_bytes token,
                                     const na_session *session);

/* Releases a session that get or put returned. */
void na_token_cache_release(const na_session *session);

#endif
