/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_SESSION_LOAD_H
#define NA_SESSION_LOAD_H

#include "base/cookie.h"
#include "session/cache.h"

/* One kind of session cookie that is accepted. Immutable configuration. */
typedef struct na_session_source {
    na_dialect dialect;
    na_cookie cookie;
    apr_size_t name_len;
    na_keyring ring;
} na_session_source;

#define NA_SESSION_SOURCES_MAX 2

typedef struct na_session_config {
    na_session_source sources[NA_SESSION_SOURCES_MAX]; /* the first is the one written */
    int source_count;
    const apr_array_header_t *identity_claims; /* const char * */
    long max_age;                              /* seconds */
    long update_age;                           /* seconds between re-issues on page requests */
} na_session_config;

/*
 * The session in a Cookie header. *session is NULL where there is none, held until `pool` goes
 * otherwise. An error says why the cookie that was there is no session: it is as good as none.
 * `cache` may be NULL.
 */
na_error *na_session_load(apr_pool_t *pool, const na_session_config *config, na_token_cache *cache,
                          const char *cookie_header, apr_time_t now, const na_session **session);

/*
 * Seals `claims` into a new session token; the Set-Cookie values that put it in the place of what
 * `cookie_header` has are appended to `set_cookies`.
 */
na_error *na_session_write(apr_pool_t *pool, const na_session_config *config,
                           const char *cookie_header, json_t *claims, apr_time_t now,
                           apr_array_header_t *set_cookies);

/*
 * Makes a session that is in `cookie_header` last for another maximum age, all its claims kept.
 * `claims` (may be NULL) takes them, owned by the pool.
 */
na_error *na_session_renew(apr_pool_t *pool, const na_session_config *config,
                           const char *cookie_header, const na_session *session, apr_time_t now,
                           apr_array_header_t *set_cookies, const json_t **claims);

/* Appends the Set-Cookie values that end every session in `cookie_header`. */
void na_session_clear(apr_pool_t *pool, const na_session_config *config, const char *cookie_header,
                      apr_array_header_t *set_cookies);

#endif
