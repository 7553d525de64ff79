/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds on what a Redis server answers, before it is parsed. */
#ifndef NA_STORE_REDIS_BOUNDS_H
#define NA_STORE_REDIS_BOUNDS_H

#include <apr.h>

/*
 * Limits of a reply of the Redis family, looked at byte by byte before anything is made of it: a
 * server announces in a few bytes what takes gigabytes to keep.
 */

#define NA_REDIS_REPLY_MAX (64 * 1024 * 1024) /* bytes; of one string as well */
#define NA_REDIS_LINE_MAX (64 * 1024)         /* bytes */
#define NA_REDIS_ELEMENTS_MAX (256 * 1024)    /* of all arrays */

/* All zero before the first byte of a reply. */
typedef struct na_redis_bounds {
    apr_size_t bytes;    /* so far */
    apr_size_t elements; /* announced so far */
    apr_size_t skip;     /* bytes of a string that are still to come, its line end included */
    apr_size_t line_len;
    char line[32]; /* its start: type and number */
} na_redis_bounds;

/* NULL if the bytes that come next are within the limits, else what is too large. */
const char *na_redis_bounds_check(na_redis_bounds *bounds, const char *data, apr_size_t len);

#endif
