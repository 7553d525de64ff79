/* SPDX-License-Identifier: Apache-2.0 */
/* Header fields that are lists. */
#ifndef NA_BASE_HEADER_H
#define NA_BASE_HEADER_H

#include <apr_pools.h>

/* Returns 1 for a header that is removed; `data` is what the caller of the function passed. */
typedef int na_header_test(const char *name, const void *data);

/*
 * Returns 1 if the names differ only in case and in characters other than letters and digits: CGI
 * and similar interfaces map each of those to an underscore.
 */
int na_header_is_spelling_of(const char *name, const char *other);

/*
 * Returns the names of a list without those for which `is_unwanted` returns 1, separated by ", ",
 * in a copy. Any character that cannot be part of a name separates two (RFC 9110 section 5.6.2),
 * because readers of such lists differ in what they accept besides a comma.
 */
const char *na_header_without(apr_pool_t *pool, const char *list, na_header_test *is_unwanted,
                              const void *data);

/*
 * Returns the Cache-Control of a response for one user (RFC 9111 section 5.2.2): the application's
 * value, then `ours`, which replaces directives of the same name. Directives with which a shared
 * cache could keep the response are removed: `public`, `s-maxage`, and a `private` that covers only
 * some fields.
 */
const char *na_cache_control_for_user(apr_pool_t *pool, const char *theirs, const char *ours);

/*
 * Returns 1 if a Cache-Control prevents shared caches from storing: it has `private` or `no-store`.
 */
int na_cache_control_is_for_user(const char *value);

#endif
