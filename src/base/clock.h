/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, and dates as text. */
#ifndef NA_BASE_CLOCK_H
#define NA_BASE_CLOCK_H

#include <apr_pools.h>
#include <apr_time.h>

/* Seconds by which clocks can differ: the tolerance of next-auth v4 and Auth.js v5. */
#define NA_CLOCK_TOLERANCE 15

/* Returns "2026-01-01T00:00:00.000Z", as JavaScript's Date.toISOString does. */
char *na_iso8601(apr_pool_t *pool, apr_time_t when);

/*
 * Reads such a text, or one with a blank in place of the T, and with fewer digits or none after the
 * seconds; always in UTC. Returns 0 if it is invalid.
 */
int na_iso8601_read(const char *text, apr_time_t *when);

/* Returns "Thu, 01 Jan 2026 00:00:00 GMT". */
char *na_http_date(apr_pool_t *pool, apr_time_t when);

/* Returns the nanoseconds of a monotonic clock, for durations. */
apr_int64_t na_monotonic_ns(void);

#endif
