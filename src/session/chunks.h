/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_SESSION_CHUNKS_H
#define NA_SESSION_CHUNKS_H

#include <apr_tables.h>

#include "base/cookie.h"
#include "base/error.h"
#include "session/keyring.h"

/* Most chunks that are read or written: beyond, servers refuse the Cookie header anyway. */
#define NA_CHUNKS_MAX 8

/*
 * A session token in the Cookie header: under `name`, or in chunks `name.0`, `name.1`, …. Other
 * names that begin alike are strangers. Chunks count only when none is missing from 0 on, and only
 * where `name` itself is absent. A token in one cookie is not copied. Empty where there is none.
 */
na_bytes na_chunks_join(apr_pool_t *pool, const char *header, const char *name,
                        apr_size_t name_len);

/* What a Cookie header has besides a session: NextAuth's other cookies, and the application's. */
#define NA_OTHER_COOKIES 1024

/*
 * The Set-Cookie values that replace what `header` has of this cookie by `token`; NULL only
 * clears. Appended to `set_cookies` (char *), the cleared ones first. Fails where the token needs
 * more than NA_CHUNKS_MAX cookies, or with NA_OTHER_COOKIES beside it more than `header_max` bytes
 * of a Cookie header: the browser would keep it, and be refused with it for ever.
 */
na_error *na_chunks_write(apr_pool_t *pool, const na_cookie *cookie, na_dialect dialect,
                          const char *header, const char *token, apr_size_t header_max,
                          apr_time_t expires, apr_array_header_t *set_cookies);

#endif
