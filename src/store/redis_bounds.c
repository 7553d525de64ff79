/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds on replies of a Redis server, before they are parsed. */
#include "store/redis_bounds.h"

#include <stdlib.h>
#include <string.h>

/* Digits of the largest length that is accepted. */
#define DIGITS_MAX 10

/* Returns the number after the type; -1 if it is invalid or negative: then no data follows. */
static long long announced(const na_redis_bounds *bounds)
{
    size_t len = bounds->line_len - 1; /* without the line end */
    len -= len && bounds->line[len - 1] == '\r';
    if (len < 2 || len > DIGITS_MAX + 1)
        return -1;
    return strspn(bounds->line + 1, "0123456789") >= len - 1 ? atoll(bounds->line + 1) : -1;
}

static const char *end_line(na_redis_bounds *bounds)
{
    int is_length = bounds->line[0] == '*' || bounds->line[0] == '$';
    if (is_length && bounds->line_len >= sizeof bounds->line)
        return "a length has too many digits";
    long long number = is_length ? announced(bounds) : -1;
    int is_array = bounds->line[0] == '*';
    bounds->line_len = 0;
    memset(bounds->line, 0, sizeof bounds->line);
    if (number < 0)
        return NULL; /* the parser decides whether it is well-formed */
    if (is_array && number > NA_REDIS_ELEMENTS_MAX - (long long)bounds->elements)
        return "an array has too many elements";
    if (!is_array && number > NA_REDIS_REPLY_MAX)
        return "a string is too long";
    bounds->elements += is_array ? (apr_size_t)number : 0;
    bounds->skip = is_array ? 0 : (apr_size_t)number + 2;
    return NULL;
}

/* Consumes bytes of a line up to its end, and writes their count to *taken. */
static const char *take_line(na_redis_bounds *bounds, const char *data, apr_size_t len,
                             apr_size_t *taken)
{
    const char *end = memchr(data, '\n', len);
    *taken = end ? (apr_size_t)(end - data) + 1 : len;
    if (*taken > NA_REDIS_LINE_MAX - bounds->line_len)
        return "a line is too long";
    if (bounds->line_len < sizeof bounds->line - 1) {
        apr_size_t room = sizeof bounds->line - 1 - bounds->line_len;
        memcpy(bounds->line + bounds->line_len, data, *taken < room ? *taken : room);
    }
    bounds->line_len += *taken;
    return end ? end_line(bounds) : NULL;
}

const char *na_redis_bounds_check(na_redis_bounds *bounds, const char *data, apr_size_t len)
{
    apr_size_t taken;
    bounds->bytes += len;
    if (bounds->bytes > NA_REDIS_REPLY_MAX)
        return "its reply is too large";
    for (; len; data += taken, len -= taken) {
        if (!bounds->skip) {
            const char *why = take_line(bounds, data, len, &taken);
            if (why)
                return why;
            continue;
        }
        taken = len < bounds->skip ? len : bounds->skip;
        bounds->skip -= taken;
    }
    return NULL;
}
