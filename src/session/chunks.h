/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies in chunks, as NextAuth cuts them. */
#ifndef NA_SESSION_CHUNKS_H
#define NA_SESSION_CHUNKS_H

#include <apr_tables.h>

#include "base/cookie.h"
#include "base/error.h"
#include "session/keyring.h"

/* Most chunks that are read or written; servers refuse longer Cookie headers anyway. */
#define NA_CHUNKS_MAX 8

/* The cookies that carry a session token: under `name`, or in chunks `name.0`, `name.1`, …. Other
 * names with this beginning are ignored. `parts[NA_CHUNKS_MAX]` is the unchunked one. */
typedef struct na_chunks {
    na_bytes parts[NA_CHUNKS_MAX + 1][NA_COOKIE_TRIES]; /* in the order they came; no empty ones */
    int counts[NA_CHUNKS_MAX + 1];
    int seen[NA_CHUNKS_MAX + 1]; /* 1 if it was sent, even if empty */
} na_chunks;

void na_chunks_find(const char *header, const char *name, apr_size_t name_len, na_chunks *chunks);

/*
 * The tokens that the cookies can be, `number` from 0 on; 0 if there are no more. Several come
 * where cookies of a parent domain stand beside the host's own: first the unchunked ones, then sets
 * of chunks, as they came, and crosswise where there are two of each; never more than twice
 * NA_COOKIE_TRIES, so that the time is linear in the header. A set lacks none from 0 on, and ends
 * with the first chunk that is shorter than chunk 0. A token in one cookie is not copied.
 */
int na_chunks_token(apr_pool_t *pool, const na_chunks *chunks, int number, na_bytes *token);

/* Bytes of a Cookie header for other cookies of NextAuth and the application. */
#define NA_OTHER_COOKIES 1024

/*
 * The Set-Cookie values that replace what `header` has of this cookie by `token`; NULL only
 * clears. Appended to `set_cookies` (char *), the cleared ones first. Fails if the token needs
 * more than NA_CHUNKS_MAX cookies, or with NA_OTHER_COOKIES beside it more than `header_max` bytes
 * of a Cookie header: the browser would keep it, and every request would be refused.
 */
na_error *na_chunks_write(apr_pool_t *pool, const na_cookie *cookie, na_dialect dialect,
                          const char *header, const char *token, apr_size_t header_max,
                          apr_time_t expires, apr_array_header_t *set_cookies);

/* Appends values that clear the cookies of other domains and paths (na_cookie). */
void na_chunks_clear_elsewhere(apr_pool_t *pool, const na_cookie *cookie, const char *header,
                               apr_array_header_t *set_cookies);

#endif
