/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies in chunks, as NextAuth splits them. */
#include "session/chunks.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

/* Returns the characters of one chunk: 4096 minus what each package reserves for attributes. */
static apr_size_t chunk_size(na_dialect dialect)
{
    return dialect == NA_V4 ? 3933 : 3936;
}

#define WHOLE NA_CHUNKS_MAX
#define STRANGER -1

/* Returns which part of `name` a cookie is: its chunk's number, WHOLE, or STRANGER. */
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

void na_chunks_find(const char *header, const char *name, apr_size_t name_len, na_chunks *chunks)
{
    na_bytes cookie, value;
    memset(chunks->counts, 0, sizeof chunks->counts);
    memset(chunks->seen, 0, sizeof chunks->seen);
    while (header && na_cookie_next(&header, &cookie, &value)) {
        int part = part_of(cookie, name, name_len);
        if (part == STRANGER)
            continue;
        chunks->seen[part] = 1;
        if (value.len && chunks->counts[part] < NA_COOKIE_TRIES)
            chunks->parts[part][chunks->counts[part]++] = value;
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

/* Returns how often the most frequent chunk occurs. */
static int most_of(const na_chunks *chunks)
{
    int most = 0;
    for (int i = 0; i < NA_CHUNKS_MAX; i++)
        most = chunks->counts[i] > most ? chunks->counts[i] : most;
    return most;
}

/*
 * Returns a chunk of a set: the set's own, or the last one if there are fewer. Browsers send older
 * cookies first, but a token that grew later got its later chunks later. The sets after the plain
 * ones therefore combine chunk 0 of one token with the other chunks of another.
 */
static na_bytes chunk_of(const na_chunks *chunks, int set, int most, int chunk)
{
    int nth = set < most ? set : (set - most) ^ (chunk > 0);
    return chunks->parts[chunk][nth < chunks->counts[chunk] ? nth : chunks->counts[chunk] - 1];
}

/* Writes the chunks of a set to `found`, and returns their number; 0 if one is missing. */
static int gather(const na_chunks *chunks, int set, int most, na_bytes found[NA_CHUNKS_MAX])
{
    int count = 0, highest = NA_CHUNKS_MAX;
    while (highest && !chunks->counts[highest - 1])
        highest--;
    while (count < highest && chunks->counts[count]) {
        found[count] = chunk_of(chunks, set, most, count);
        if (found[count++].len < found[0].len)
            return count;
    }
    return count == highest ? count : 0;
}

static na_bytes join(apr_pool_t *pool, const na_bytes *chunks, int count)
{
    apr_size_t len = 0;
    for (int i = 0; i < count; i++)
        len += chunks[i].len;
    unsigned char *joined = apr_palloc(pool, len);
    na_bytes token = {joined, len};
    for (int i = 0; i < count; i++) {
        memcpy(joined, chunks[i].data, chunks[i].len);
        joined += chunks[i].len;
    }
    return token;
}

int na_chunks_token(apr_pool_t *pool, const na_chunks *chunks, int number, na_bytes *token)
{
    na_bytes found[NA_CHUNKS_MAX];
    if (number < chunks->counts[WHOLE]) {
        *token = decoded(pool, chunks->parts[WHOLE][number]);
        return 1;
    }
    int set = number - chunks->counts[WHOLE], most = most_of(chunks);
    int count = set < (most == 2 ? 4 : most) ? gather(chunks, set, most, found) : 0;
    if (count)
        *token = decoded(pool, join(pool, found, count));
    return count > 0;
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
        return na_error_new(pool, NA_ERR_SESSION,
                            "the session token has %" APR_SIZE_T_FMT
                            " characters, more than browsers or httpd (LimitRequestFieldSize "
                            "%" APR_SIZE_T_FMT ") accept: use fewer or shorter claims, or "
                            "keep them on the server (NextAuthSessionStrategy database)",
                            len, header_max);
    na_chunks had;
    na_chunks_find(header, cookie->name, strlen(cookie->name), &had);
    for (int i = 0; i <= NA_CHUNKS_MAX; i++) {
        int written = i == WHOLE ? count == 1 : count > 1 && i < count;
        if (had.seen[i] && !written)
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

void na_chunks_clear_elsewhere(apr_pool_t *pool, const na_cookie *cookie, const char *header,
                               apr_array_header_t *set_cookies)
{
    na_chunks had;
    na_chunks_find(header, cookie->name, strlen(cookie->name), &had);
    for (int i = 0; i <= NA_CHUNKS_MAX; i++)
        if (had.seen[i])
            na_cookie_clear_elsewhere(pool, cookie, part_name(pool, cookie->name, i), set_cookies);
}
