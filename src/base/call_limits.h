/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of concurrent outgoing calls, for all processes. */
#ifndef NA_BASE_CALL_LIMITS_H
#define NA_BASE_CALL_LIMITS_H

#include "base/error.h"

/*
 * Limits of the outgoing calls that requests wait for, over all processes that share a block of
 * memory: how many there are at once, and which hosts are suspended. A host that accepts
 * connections and never responds can use up these places, but no other threads.
 *
 * A place is free again if its holder died, or kept it for longer than its call can take.
 */
typedef struct na_call_limits na_call_limits; /* of one process */
typedef struct na_call_place na_call_place;   /* of one thread, for consecutive calls */

/* Returns the bytes of the block for this many places; they must be zero at first. */
apr_size_t na_call_limits_size(int places);

/* Opens the block in a process, which holds `own` of the places at most. */
na_error *na_call_limits_open(apr_pool_t *pool, void *shared, int places, int own,
                              na_call_limits **limits);

/*
 * Takes a place without waiting; the error is NA_ERR_BUSY if none is free. The caller must give it
 * back.
 */
na_error *na_call_enter(na_call_limits *limits, apr_pool_t *pool, na_call_place **entered);
void na_call_leave(na_call_place *left);

/*
 * Must be called before a call to `origin` that takes at most `longest_ms`. The error is
 * NA_ERR_BUSY if calls to it use their share of the places, which leaves a quarter for others, and
 * NA_ERR_UNAVAILABLE if it timed out NA_CALL_TIMEOUTS times in a row: then one call at a time tries
 * again.
 */
na_error *na_call_aim(na_call_place *aimed, apr_pool_t *pool, const char *origin, long longest_ms);

/* Must be called after the call; `timed_out` is 1 if the call used all its time. */
void na_call_settle(na_call_place *settled, int timed_out);

#define NA_CALL_TIMEOUTS 3
#define NA_CALL_BACKOFF_MS 5000

#endif
