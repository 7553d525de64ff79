/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_BASE_COOKIE_H
#define NA_BASE_COOKIE_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

#include "base/text.h"

/* How one of the cookies is written. Immutable configuration. */
typedef struct na_cookie {
    const char *name;
    const char *domain; /* NULL: this host only */
    const char *path;
    const char *same_site; /* "Lax", "Strict" or "None" */
    int secure;
} na_cookie;

/*
 * Steps through a Cookie header (RFC 6265 section 5.4). `*cursor` starts at the header's value.
 * Returns 0 at the end. Name and value point into the header, surrounding spaces and quotes cut.
 */
int na_cookie_next(const char **cursor, na_bytes *name, na_bytes *value);

/* All of it, values percent-decoded where they can be; the first of one name counts. */
apr_table_t *na_cookies_parse(apr_pool_t *pool, const char *header);

/*
 * A Set-Cookie value for `name` with `cookie`'s attributes, attributes in the order NextAuth
 * writes them. `max_age` in seconds, -1: no Max-Age; `expires` 0: none (a session cookie).
 * `value` is percent-encoded.
 */
char *na_cookie_write(apr_pool_t *pool, const na_cookie *cookie, const char *name,
                      const char *value, long max_age, apr_time_t expires);

/* A Set-Cookie value that makes the browser forget `name`. */
char *na_cookie_clear(apr_pool_t *pool, const na_cookie *cookie, const char *name);

#endif
