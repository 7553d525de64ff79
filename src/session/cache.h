/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of tokens that were opened. */
#ifndef NA_SESSION_CACHE_H
#define NA_SESSION_CACHE_H

#include "session/session.h"

/*
 * A process's cache of verified tokens. Bounded; divided into sets, each with a lock of its own, so
 * that threads rarely meet. A token is compared in full, and belongs to an `owner` (the
 * configuration it was verified under). Sessions are reference-counted: hold one while using it.
 */
typedef struct na_token_cache na_token_cache;

/* Creates a cache of about `capacity` tokens, destroyed with the pool; no session may be held then.
 */
na_error *na_token_cache_make(apr_pool_t *pool, int capacity, na_token_cache **made);

/* Returns NULL if the token is not in the cache or its session has expired. */
const na_session *na_token_cache_get(na_token_cache *cache, const void *owner, na_bytes token,
                                     apr_time_t now);

/*
 * Remembers a copy of `session`, in place of the least recently used of its set, and returns the
 * copy held for the caller; NULL if out of memory.
 */
const na_session *na_token_cache_put(na_token_cache *cache, const void *owner, na_bytes token,
                                     const na_session *session, apr_time_t now);

/* Releases a session that get or put returned. */
void na_token_cache_release(const na_session *session);

#endif
