/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies in chunks, as NextAuth splits them. */
#ifndef NA_SESSION_CHUNKS_H
#define NA_SESSION_CHUNKS_H

#include <apr_tables.h>

#include "base/cookie.h"
#include "base/error.h"
#include "session/keyring.h"

/* Most chunks that are read or written; servers refuse longer Cookie headers anyway. */
#define NA_CHUNKS_MAX 8

/*
 * The cookies that carry a session token: under `name`, or in chunks `name.0`, `name.1`, …. Other
 * names with this prefix are ignored. `parts[NA_CHUNKS_MAX]` is the token in one cookie.
 */
typedef struct na_chunks {
    na_bytes parts[NA_CHUNKS_MAX + 1][NA_COOKIE_TRIES]; /* as in the header; none empty */
    int counts[NA_CHUNKS_MAX + 1];
    int seen[NA_CHUNKS_MAX + 1]; /* 1 if it was sent, even if empty */
} na_chunks;

void na_chunks_find(const char *header, const char *name, apr_size_t name_len, na_chunks *chunks);

/*
 * Writes a token that the cookies can form, `number` from 0 on; returns 0 if there are no more.
 * There can be several if cookies of a parent domain are sent with the host's own. First come the
 * tokens in one cookie, then sets of chunks in the order of the header, then mixed sets if every
 * chunk occurs twice. There are at most twice NA_COOKIE_TRIES, so that the time is linear in the
 * header. A set is complete from chunk 0 on, and ends with the first chunk that is shorter than
 * chunk 0. A token in one cookie is not copied.
 */
int na_chunks_token(apr_pool_t *pool, const na_chunks *chunks, int number, na_bytes *token);

/* Bytes of a Cookie header for other cookies of NextAuth and the application. */
#define NA_OTHER_COOKIES 1024

/*
 * Appends the Set-Cookie values (char *) that replace this cookie's parts in `header` by `token`,
 * cleared ones first; a NULL token only clears. Fails if the token requires more than NA_CHUNKS_MAX
 * cookies, or if it and NA_OTHER_COOKIES exceed `header_max` bytes of a Cookie header: the browser
 * would keep it, and every request would be refused.
 */
na_error *na_chunks_write(apr_pool_t *pool, const na_cookie *cookie, na_dialect dialect,
                          const char *header, const char *token, apr_size_t header_max,
                          apr_time_t expires, apr_array_header_t *set_cookies);

/* Appends values that clear the cookies of other domains and paths (na_cookie). */
void na_chunks_clear_elsewhere(apr_pool_t *pool, const na_cookie *cookie, const char *header,
                               apr_array_header_t *set_cookies);

#endif
