/* SPDX-License-Identifier: Apache-2.0 */
/* Remembers completed sign-ins at providers, so that each response is accepted once. */
#ifndef NA_AUTH_REPLAY_H
#define NA_AUTH_REPLAY_H

#include "auth/action.h"

/*
 * Sign-ins are remembered for as long as their cookies are valid, because a provider could accept a
 * code twice and cookies can be copied. They are kept in the session store, for all servers, and in
 * memory that the processes of one server share, about the latest NA_REPLAY_ENTRIES.
 */
typedef struct na_replay_memory na_replay_memory;

#define NA_REPLAY_ENTRIES 8192

/* Memories that proofs of DPoP have instead of one: each of 1000 in a second is remembered until it
 * is too old. */
#define NA_PROOF_MEMORIES 16

/* Returns the size of that memory in bytes; it must be zero at first. */
apr_size_t na_replay_memory_size(void);

/* Remembers `id`. Returns 1 if it was not remembered yet at `now`, 0 otherwise. */
int na_replay_memory_take(na_replay_memory *memory, const char *id, apr_time_t now);

/* Remembers the sign-in of these checks; the error is NA_ERR_INVALID_CHECK if it was before. */
na_error *na_replay_take(na_request *request, const na_checks *checks);

/* Forgets the sign-in, because its response could not be used and can be sent again. */
void na_replay_give_back(na_request *request, const na_checks *checks);

#endif
