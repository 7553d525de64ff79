/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds on replies of a Redis server, before they are parsed. */
#ifndef NA_STORE_REDIS_BOUNDS_H
#define NA_STORE_REDIS_BOUNDS_H

#include <apr.h>

/*
 * Limits of a reply, checked byte by byte before it is parsed, because a few bytes can announce
 * gigabytes.
 */

#define NA_REDIS_REPLY_MAX (64 * 1024 * 1024) /* bytes, also of one string */
#define NA_REDIS_LINE_MAX (64 * 1024)         /* bytes */
#define NA_REDIS_ELEMENTS_MAX (256 * 1024)    /* of all arrays */

/* All zero before the first byte of a reply. */
typedef struct na_redis_bounds {
    apr_size_t bytes;    /* so far */
    apr_size_t elements; /* announced so far */
    apr_size_t skip;     /* bytes of a string that are still to come, its line end included */
    apr_size_t line_len;
    char line[32]; /* start of the line: type and number */
} na_redis_bounds;

/* Returns NULL if the next bytes are within the limits; otherwise describes what is too large. */
const char *na_redis_bounds_check(na_redis_bounds *bounds, const char *data, apr_size_t len);

#endif
