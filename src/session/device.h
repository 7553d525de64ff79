/* SPDX-License-Identifier: Apache-2.0 */
/* Names of browsers, from their User-Agent. */
#ifndef NA_SESSION_DEVICE_H
#define NA_SESSION_DEVICE_H

#include <apr_pools.h>

/*
 * Returns, for example, "Firefox on Linux" for a list of sessions; "" if `user_agent` is NULL or
 * unknown. No more of the header is used, because all of it is close to a fingerprint.
 */
const char *na_device(apr_pool_t *pool, const char *user_agent);

/* Returns the header without digits, equal for all versions of one browser; "" if NULL. */
const char *na_device_family(apr_pool_t *pool, const char *user_agent);

#endif
