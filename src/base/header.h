/* SPDX-License-Identifier: Apache-2.0 */
/* Header fields whose value is a list. */
#ifndef NA_BASE_HEADER_H
#define NA_BASE_HEADER_H

#include <apr_pools.h>

/*
 * The names of a list without those that `is_unwanted` says are: with ", " between them, in a copy.
 * Whatever can be no part of a name separates two (RFC 9110 section 5.6.2), as those who read such
 * lists differ in what else than a comma does.
 */
const char *na_header_without(apr_pool_t *pool, const char *list,
                              int (*is_unwanted)(const char *name));

/*
 * Cache-Control of an answer that is for one user (RFC 9111 section 5.2.2): what the application
 * says, then `ours`, which replaces directives of the same name. What would let a shared cache keep
 * the answer goes: `public`, `s-maxage`, and a `private` that is for some fields alone.
 */
const char *na_cache_control_for_user(apr_pool_t *pool, const char *theirs, const char *ours);

/* Returns 1 if a Cache-Control keeps shared caches from storing: it has `private` or `no-store`. */
int na_cache_control_is_for_user(const char *value);

#endif
