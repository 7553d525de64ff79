/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_SESSION_VERIFIED_H
#define NA_SESSION_VERIFIED_H

#include "store/store.h"

/*
 * When a process last learnt from the store that a session is good: bounded, for all threads. What
 * is no longer remembered is asked for again.
 */
typedef struct na_verified na_verified;

na_error *na_verified_make(apr_pool_t *pool, na_verified **made);

/* Seconds; 0 where it is not known. */
apr_int64_t na_verified_at(na_verified *verified, const na_store_key *session);

/* `seconds` 0 forgets it. */
void na_verified_set(na_verified *verified, const na_store_key *session, apr_int64_t seconds);

/* Forgets every session: some ended, and nobody lists which. */
void na_verified_forget_all(na_verified *verified);

#endif
