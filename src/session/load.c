/* SPDX-License-Identifier: Apache-2.0 */
#include "session/load.h"

#include "base/json.h"
#include "session/chunks.h"

static apr_status_t release(void *session)
{
    na_token_cache_release(session);
    return APR_SUCCESS;
}

static const na_session *hold(apr_pool_t *pool, const na_session *session)
{
    if (session)
        apr_pool_cleanup_register(pool, session, release, apr_pool_cleanup_null);
    return session;
}

/* The source itself is the cache's owner: it stands for one configuration's keys. */
static na_error *load_token(apr_pool_t *pool, const na_session_config *config,
                            const na_session_source *source, na_token_cache *cache, na_bytes token,
                            apr_time_t now, const na_session **session)
{
    if (cache && (*session = hold(pool, na_token_cache_get(cache, source, token, now))))
        return NULL;
    NA_TRY(na_session_open(pool, &source->ring, source->dialect, token, now,
                           config->identity_claims, session));
    if (cache) {
        const na_session *kept =
            hold(pool, na_token_cache_put(cache, source, token, *session, now));
        *session = kept ? kept : *session;
    }
    return NULL;
}

na_error *na_session_load(apr_pool_t *pool, const na_session_config *config, na_token_cache *cache,
                          const char *cookie_header, apr_time_t now, const na_session **session)
{
    na_error *error = NULL;
    *session = NULL;
    for (int i = 0; cookie_header && i < config->source_count; i++) {
        const na_session_source *source = &config->sources[i];
        na_bytes token = na_chunks_join(pool, cookie_header, source->cookie.name, source->name_len);
        if (!token.len)
            continue;
        error = load_token(pool, config, source, cache, token, now, session);
        if (!error)
            return NULL;
        *session = NULL;
    }
    return error;
}

na_error *na_session_write(apr_pool_t *pool, const na_session_config *config,
                           const char *cookie_header, json_t *claims, apr_time_t now,
                           apr_array_header_t *set_cookies)
{
    const na_session_source *primary = &config->sources[0];
    char *token;
    NA_TRY(na_keyring_seal(pool, &primary->ring, claims, now, config->max_age, &token));
    for (int i = 1; i < config->source_count; i++)
        NA_TRY(na_chunks_write(pool, &config->sources[i].cookie, config->sources[i].dialect,
                               cookie_header, NULL, 0, set_cookies));
    return na_chunks_write(pool, &primary->cookie, primary->dialect, cookie_header, token,
                           now + apr_time_from_sec(config->max_age), set_cookies);
}

na_error *na_session_renew(apr_pool_t *pool, const na_session_config *config,
                           const char *cookie_header, const na_session *session, apr_time_t now,
                           apr_array_header_t *set_cookies, const json_t **claims)
{
    json_t *renewed;
    NA_TRY(na_json_parse_sealed(pool, NA_SESSION, na_bytes_of(session->claims_json), &renewed));
    if (claims)
        *claims = renewed;
    return na_session_write(pool, config, cookie_header, renewed, now, set_cookies);
}

void na_session_clear(apr_pool_t *pool, const na_session_config *config, const char *cookie_header,
                      apr_array_header_t *set_cookies)
{
    for (int i = 0; i < config->source_count; i++)
        na_chunks_write(pool, &config->sources[i].cookie, config->sources[i].dialect, cookie_header,
                        NULL, 0, set_cookies);
}
