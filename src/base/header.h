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

#endif
