/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of origins, as a configuration lists them. */
#ifndef NA_BASE_ORIGIN_H
#define NA_BASE_ORIGIN_H

#include <apr_pools.h>

/* An origin, or all origins of hosts below a domain. Immutable. */
typedef struct na_origin {
    const char *exact; /* "https://app.example.org"; NULL for hosts below a domain */
    const char *below; /* ".example.org[:port]" */
} na_origin;

/*
 * Reads an origin, or one with an asterisk as its first label. http is accepted for this machine
 * alone, and the domain below which hosts are has at least one dot. Returns 0 if the text is
 * neither.
 */
int na_origin_parse(apr_pool_t *pool, const char *text, na_origin *origin);

/* Returns 1 if the value of an Origin header (RFC 6454 section 7) is one of those. */
int na_origin_matches(const na_origin *origin, const char *value);

#endif
