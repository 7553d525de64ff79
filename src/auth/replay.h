/* SPDX-License-Identifier: Apache-2.0 */
/* Sign-ins that a provider answered, so that each answer counts once. */
#ifndef NA_AUTH_REPLAY_H
#define NA_AUTH_REPLAY_H

#include "auth/action.h"

/*
 * Sign-ins whose answer came, remembered for as long as their cookies are valid: a provider may
 * take a code twice, and cookies can be saved. In the session store, for all servers, and in memory
 * that the processes of one server share, of the latest NA_REPLAY_ENTRIES or so.
 */
typedef struct na_replay_memory na_replay_memory;

#define NA_REPLAY_ENTRIES 8192

/* Bytes of that memory; all zero at first. */
apr_size_t na_replay_memory_size(void);

/* 1 if `id` was not remembered yet at `now`, and is from then on. */
int na_replay_memory_take(na_replay_memory *memory, const char *id, apr_time_t now);

/* Takes the sign-in of these checks: NA_ERR_INVALID_CHECK if it was taken before. */
na_error *na_replay_take(na_request *request, const na_checks *checks);

/* Forgets it: its answer could not be used yet, and may come again. */
void na_replay_give_back(na_request *request, const na_checks *checks);

#endif
