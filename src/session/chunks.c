/* SPDX-License-Identifier: Apache-2.0 */
#include "session/chunks.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

/* Characters a chunk carries: 4096 less what each package reserves for attributes. */
static apr_size_t chunk_size(na_dialect dialect)
{
    return dialect == NA_V4 ? 3933 : 3936;
}

#define WHOLE NA_CHUNKS_MAX
#define STRANGER -1

/* Which part of `name` a cookie is: its chunk's number, WHOLE or STRANGER. */
static int part_of(na_bytes cookie, const char *name, apr_size_t name_len)
{
    if (cookie.len < name_len || memcmp(cookie.data, name, name_len) != 0)
        return STRANGER;
    if (cookie.len == name_len)
        return WHOLE;
    const unsigned char *suffix = cookie.data + name_len;
    if (cookie.len != name_len + 2 || suffix[0] != '.' || suffix[1] < '0' ||
        suffix[1] >= '0' + NA_CHUNKS_MAX)
        return STRANGER;
    return suffix[1] - '0';
}

/* The parts that came in, the first of each; index WHOLE is the unchunked cookie. */
static void collect(na_bytes parts[NA_CHUNKS_MAX + 1], const char *header, const char *name,
                    apr_size_t name_len)
{
    na_bytes cookie, value;
    memset(parts, 0, (NA_CHUNKS_MAX + 1) * sizeof *parts);
    while (header && na_cookie_next(&header, &cookie, &value)) {
        int part = part_of(cookie, name, name_len);
        if (part != STRANGER && !parts[part].data)
            parts[part] = value;
    }
}

static na_bytes decoded(apr_pool_t *pool, na_bytes value)
{
    if (!memchr(value.data, '%', value.len))
        return value;
    char *copy = apr_pstrmemdup(pool, (const char *)value.data, value.len);
    char *plain = na_percent_decode(pool, copy, 0);
    return plain ? na_bytes_of(plain) : value;
}

na_bytes na_chunks_join(apr_pool_t *pool, const char *header, const char *name, apr_size_t name_len)
{
    na_bytes parts[NA_CHUNKS_MAX + 1];
    collect(parts, header, name, name_len);
    if (parts[WHOLE].len)
        return decoded(pool, parts[WHOLE]);
    int count = 0, highest = 0;
    apr_size_t len = 0;
    for (int i = 0; i < NA_CHUNKS_MAX; i++) {
        if (!parts[i].len)
            continue;
        count++;
        highest = i + 1;
        len += parts[i].len;
    }
    if (!count || count != highest)
        return (na_bytes){0};
    unsigned char *joined = apr_palloc(pool, len);
    na_bytes token = {joined, len};
    for (int i = 0; i < count; i++) {
        memcpy(joined, parts[i].data, parts[i].len);
        joined += parts[i].len;
    }
    return decoded(pool, token);
}

static const char *part_name(apr_pool_t *pool, const char *name, int part)
{
    return part == WHOLE ? name : apr_psprintf(pool, "%s.%d", name, part);
}

static void push(apr_array_header_t *set_cookies, char *value)
{
    APR_ARRAY_PUSH(set_cookies, char *) = value;
}

na_error *na_chunks_write(apr_pool_t *pool, const na_cookie *cookie, na_dialect dialect,
                          const char *header, const char *token, apr_size_t header_max,
                          apr_time_t expires, apr_array_header_t *set_cookies)
{
    apr_size_t size = chunk_size(dialect), len = token ? strlen(token) : 0;
    int count = (int)((len + size - 1) / size);
    if (count > NA_CHUNKS_MAX ||
        (len &&
         len + (apr_size_t)count * (strlen(cookie->name) + 5) + NA_OTHER_COOKIES > header_max))
        return na_error_new(pool, NA_SESSION,
                            "the session token has %" APR_SIZE_T_FMT
                            " characters, more than browsers or this server (LimitRequestFieldSize "
                            "%" APR_SIZE_T_FMT ") take: let it carry fewer or shorter claims, or "
                            "keep them on the server (NextAuthSessionStrategy database)",
                            len, header_max);
    na_bytes parts[NA_CHUNKS_MAX + 1];
    collect(parts, header, cookie->name, strlen(cookie->name));
    for (int i = 0; i <= NA_CHUNKS_MAX; i++) {
        int written = i == WHOLE ? count == 1 : count > 1 && i < count;
        if (parts[i].data && !written)
            push(set_cookies, na_cookie_clear(pool, cookie, part_name(pool, cookie->name, i)));
    }
    for (int i = 0; i < count; i++) {
        apr_size_t from = (apr_size_t)i * size;
        const char *piece = apr_pstrndup(pool, token + from, size);
        const char *name = part_name(pool, cookie->name, count == 1 ? WHOLE : i);
        push(set_cookies, na_cookie_write(pool, cookie, name, piece, -1, expires));
    }
    return NULL;
}
