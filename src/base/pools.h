/* SPDX-License-Identifier: Apache-2.0 */
/* Pools that threads can use. */
#ifndef NA_BASE_POOLS_H
#define NA_BASE_POOLS_H

#include "base/error.h"

/*
 * Creates a pool with an allocator of its own, which has a lock. httpd's pool of a child process
 * has an allocator without one: two pools below it that threads use at once, each under its own
 * lock, could be given the same memory. Of one pool, one thread at a time may allocate, as always.
 * Fails with NA_ERR_CONFIGURATION if memory is exhausted.
 */
na_error *na_pool_create_apart(apr_pool_t *parent, apr_pool_t **pool);

#endif
