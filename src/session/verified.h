/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that a process verified recently. */
#ifndef NA_SESSION_VERIFIED_H
#define NA_SESSION_VERIFIED_H

#include "store/store.h"

/*
 * The times at which a process last learned from the store that a session is valid. One table for
 * all sites of a process; bounded; safe for threads. Forgotten sessions are looked up again.
 *
 * `site` is the ID of the configuration that the session was looked up with: an entry counts for no
 * other, because another site can have other secrets, another store, or another database.
 */
typedef struct na_verified na_verified;

na_error *na_verified_make(apr_pool_t *pool, na_verified **made);

/*
 * Returns the time in seconds; 0 if unknown. `standing` identifies the state of the claims at that
 * time: one of two tokens of a session can contain what was corrected in the other.
 */
apr_int64_t na_verified_at(na_verified *verified, apr_uint64_t site, const na_store_key *session,
                           apr_uint64_t standing);

void na_verified_set(na_verified *verified, apr_uint64_t site, const na_store_key *session,
                     apr_uint64_t standing, apr_int64_t seconds);

/* Forgets one session with all its tokens, at all sites. */
void na_verified_forget(na_verified *verified, const na_store_key *session);

/* Forgets every session of a site, because some ended and it is unknown which. */
void na_verified_forget_all(na_verified *verified, apr_uint64_t site);

#endif
