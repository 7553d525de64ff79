/* SPDX-License-Identifier: Apache-2.0 */
/* Queries as logs can show them: without secrets. */
#ifndef NA_BASE_SHOWN_QUERY_H
#define NA_BASE_SHOWN_QUERY_H

#include <apr_pools.h>

#define NA_HIDDEN "***"

/*
 * Returns a query of an endpoint as logs can show it: names, and NA_HIDDEN for each value that is
 * not known to be harmless. Has at most three times the bytes of the query.
 */
const char *na_shown_query(apr_pool_t *pool, const char *query);

#endif
