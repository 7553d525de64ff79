/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that a process verified lately. */
#ifndef NA_SESSION_VERIFIED_H
#define NA_SESSION_VERIFIED_H

#include "store/store.h"

/*
 * When a process last learnt from the store that a session is good: bounded, for all threads. What
 * is no longer remembered is asked for again.
 */
typedef struct na_verified na_verified;

na_error *na_verified_make(apr_pool_t *pool, na_verified **made);

/*
 * Seconds; 0 if it is not known. `standing` is what was learnt of the user then: of two tokens
 * of one session, one may say what the other was corrected in.
 */
apr_int64_t na_verified_at(na_verified *verified, const na_store_key *session,
                           apr_uint64_t standing);

void na_verified_set(na_verified *verified, const na_store_key *session, apr_uint64_t standing,
                     apr_int64_t seconds);

/* Forgets one session, all its tokens. */
void na_verified_forget(na_verified *verified, const na_store_key *session);

/* Forgets every session: some ended, and nobody lists which. */
void na_verified_forget_all(na_verified *verified);

#endif
