/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes cookie headers. */
#ifndef NA_BASE_COOKIE_H
#define NA_BASE_COOKIE_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

#include "base/text.h"

/* Attributes of a cookie. Immutable configuration. */
typedef struct na_cookie {
    const char *name;
    const char *domain; /* NULL for this host only */
    const char *path;
    const char *same_site; /* "Lax", "Strict" or "None" */
    int secure;
    const char *const *elsewhere; /* other domains for which a cookie of this name might have been
                                     set, "" for this host only; NULL-terminated, NULL if none */
    int partitioned;              /* a browser has one for each site that frames this one */
} na_cookie;

/*
 * Steps through a Cookie header (RFC 6265 section 5.4). `*cursor` starts at the header's value.
 * Returns 0 at the end. Name and value point into the header, without surrounding spaces and
 * quotes.
 */
int na_cookie_next(const char **cursor, na_bytes *name, na_bytes *value);

/* Returns 1 for the name of a cookie that is removed; `data` is what the caller passed. */
typedef int na_cookie_test(na_bytes name, const void *data);

/*
 * Returns a Cookie header without the cookies for which `is_unwanted` returns 1, all others byte
 * for byte; NULL if none is left.
 */
const char *na_cookies_without(apr_pool_t *pool, const char *header, na_cookie_test *is_unwanted,
                               const void *data);

/* Most cookies of one name that are read: the host's own, and those of some parent domains. */
#define NA_COOKIE_TRIES 4

/*
 * The cookies of a Cookie header in their order, values percent-decoded if possible. Names are
 * compared byte by byte: to some browsers, "__HOST-x" has no prefix, so that any page below the
 * domain could set it in place of "__Host-x".
 */
typedef struct na_cookies na_cookies;

na_cookies *na_cookies_parse(apr_pool_t *pool, const char *header);

/*
 * Returns the value of the cookie of this name at position `nth`, from 0 on; NULL if there are
 * fewer, or NA_COOKIE_TRIES were returned. Only the reader of the value can determine which of
 * several is the right one: a cookie does not show that it was set for a parent domain (RFC 6265
 * section 8.6).
 */
const char *na_cookies_get(const na_cookies *cookies, const char *name, int nth);

/*
 * Returns the name of the last cookie before `*cursor` that begins with `start`; NULL if none.
 * `*cursor` starts at INT_MAX.
 */
const char *na_cookies_last(const na_cookies *cookies, const char *start, int *cursor);

/*
 * Returns a Set-Cookie value for `name` with the attributes of `cookie`, in NextAuth's order.
 * `max_age` is in seconds, -1 for no Max-Age; `expires` is 0 for none (a session cookie). `value`
 * is percent-encoded.
 */
char *na_cookie_write(apr_pool_t *pool, const na_cookie *cookie, const char *name,
                      const char *value, long max_age, apr_time_t expires);

/* Returns a Set-Cookie value that deletes `name` in the browser. */
char *na_cookie_clear(apr_pool_t *pool, const na_cookie *cookie, const char *name);

/* Appends Set-Cookie values (char *) that delete the cookies in `elsewhere`. */
void na_cookie_clear_elsewhere(apr_pool_t *pool, const na_cookie *cookie, const char *name,
                               apr_array_header_t *set_cookies);

/* Returns the member `elsewhere` of a cookie for this `host` (a name in lower case). */
const char *const *na_cookie_elsewhere(apr_pool_t *pool, const na_cookie *cookie, const char *host);

#endif
