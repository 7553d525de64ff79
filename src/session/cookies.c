/* SPDX-License-Identifier: Apache-2.0 */
/* A session's cookies: reading the tokens of a request, setting and clearing cookies. */
#include "session/cookies.h"

#include <apr_lib.h>
#include <apr_strings.h>

int na_session_is_id(na_bytes token)
{
    if (token.len < NA_SESSION_ID_MIN || token.len > NA_SESSION_ID_MAX)
        return 0;
    for (apr_size_t i = 0; i < token.len; i++)
        if (!apr_isalnum(token.data[i]) && token.data[i] != '-' && token.data[i] != '_')
            return 0;
    return 1;
}

const na_session_source *na_shown_next(const na_session_config *config, const na_visit *visit,
                                       na_shown *at, na_bytes *token)
{
    for (; visit->cookie_header && at->source < config->source_count; at->source++) {
        const na_session_source *source = &config->sources[at->source];
        if (!at->is_read)
            na_chunks_find(visit->cookie_header, source->cookie.name, source->name_len,
                           &at->chunks);
        at->is_read = 1;
        if (na_chunks_token(visit->pool, &at->chunks, at->number, token)) {
            at->number++;
            return source;
        }
        at->is_read = at->number = 0;
    }
    return NULL;
}

na_error *na_session_set_cookie(const na_session_config *config, const na_visit *visit,
                                const char *value, apr_int64_t expires,
                                apr_array_header_t *set_cookies)
{
    const na_session_source *primary = &config->sources[0];
    for (int i = 1; i < config->source_count; i++)
        NA_TRY(na_chunks_write(visit->pool, &config->sources[i].cookie, config->sources[i].dialect,
                               visit->cookie_header, NULL, 0, 0, set_cookies));
    return na_chunks_write(visit->pool, &primary->cookie, primary->dialect, visit->cookie_header,
                           value, config->cookie_max, apr_time_from_sec(expires), set_cookies);
}

void na_session_clear_elsewhere(const na_session_config *config, const na_visit *visit,
                                apr_array_header_t *set_cookies)
{
    for (int i = 0; i < config->source_count; i++)
        na_chunks_clear_elsewhere(visit->pool, &config->sources[i].cookie, visit->cookie_header,
                                  set_cookies);
}

void na_session_clear(const na_session_config *config, const na_visit *visit,
                      apr_array_header_t *set_cookies)
{
    na_session_clear_elsewhere(config, visit, set_cookies);
    for (int i = 0; i < config->source_count; i++)
        na_chunks_write(visit->pool, &config->sources[i].cookie, config->sources[i].dialect,
                        visit->cookie_header, NULL, 0, 0, set_cookies);
}
