/* SPDX-License-Identifier: Apache-2.0 */
/* Names of browsers, from their User-Agent. */
#ifndef NA_SESSION_DEVICE_H
#define NA_SESSION_DEVICE_H

#include <apr_pools.h>

/*
 * "Firefox on Linux", for a list of sessions that a person reads; "" where `user_agent` is NULL or
 * tells nothing. Never more of it than that: the header as a whole is close to a fingerprint.
 */
const char *na_device(apr_pool_t *pool, const char *user_agent);

/* The header without its digits: equal for all versions of one browser. NULL gives "". */
const char *na_device_family(apr_pool_t *pool, const char *user_agent);

#endif
