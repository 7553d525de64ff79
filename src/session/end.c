/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: ending them. */
#include "session/load.h"

static na_error *end(const na_sessions *sessions, const na_visit *visit, const na_session *session)
{
    if (sessions->registry)
        return na_session_end_other(sessions, visit->pool,
                                    na_session_user_name(visit->pool, session),
                                    na_session_key(visit->pool, session), session->auth_time,
                                    visit->now);
    if (sessions->observer)
        sessions->observer->ended(sessions->observer->data,
                                  apr_time_sec(visit->now) - session->auth_time);
    return NULL;
}

static na_error *end_bearer(const na_sessions *sessions, const na_visit *visit,
                            const na_session **ended)
{
    na_error *error = visit->bearer ? na_session_load(sessions, visit, ended) : NULL;
    if (*ended)
        return end(sessions, visit, *ended);
    return na_is_unavailable(error) ? error : NULL;
}

/* Ends all sessions in the request: otherwise the second one would become the user's session. */
na_error *na_session_end(const na_sessions *sessions, const na_visit *visit,
                         apr_array_header_t *set_cookies, const na_session **ended)
{
    na_shown at;
    const na_session *session;
    na_error *error;
    at.source = at.number = at.is_read = 0;
    *ended = NULL;
    na_session_clear(sessions->config, visit, set_cookies);
    NA_TRY(end_bearer(sessions, visit, ended));
    while (!(error = na_session_load_next(sessions, visit, &at, &session)) && session) {
        *ended = *ended ? *ended : session;
        NA_TRY(end(sessions, visit, session));
    }
    return na_is_unavailable(error) ? error : NULL;
}

na_error *na_session_end_other(const na_sessions *sessions, apr_pool_t *pool, const char *user,
                               const na_store_key *key, apr_int64_t auth_time, apr_time_t now)
{
    na_verified_forget(sessions->verified, key);
    if (sessions->table && *user == '/')
        NA_TRY(na_table_remove(sessions->table, pool, user + 1, key, NULL));
    return na_registry_end(sessions->registry, pool, user, key, auth_time, now);
}

na_error *na_session_end_user(const na_sessions *sessions, apr_pool_t *pool, const char *user,
                              const na_session *but, apr_time_t now)
{
    na_verified_forget_all(sessions->verified, sessions->config->id);
    if (sessions->table && *user == '/')
        NA_TRY(na_table_remove(sessions->table, pool, user + 1, NULL,
                               but ? na_session_key(pool, but) : NULL));
    return na_registry_end_user(sessions->registry, pool, user,
                                but ? na_session_key(pool, but) : NULL, now);
}

na_error *na_session_end_at_provider(const na_sessions *sessions, apr_pool_t *pool,
                                     const na_provider_session *at_provider, int remembers,
                                     apr_time_t now, apr_array_header_t *ended)
{
    const na_provider_names names = na_provider_names_of(pool, at_provider);
    const na_registry *registry = sessions->registry;
    apr_array_header_t *begun = apr_array_make(pool, 4, sizeof(na_begun));
    if (remembers)
        NA_TRY(na_provider_remember_end(registry, pool, &names, now));
    NA_TRY(na_provider_sessions(registry, pool, &names, now, begun));
    for (int i = 0; i < begun->nelts; i++) {
        const na_begun *one = &APR_ARRAY_IDX(begun, i, na_begun);
        NA_TRY(na_session_end_other(sessions, pool, one->record.user, &one->key,
                                    one->record.created, now));
        APR_ARRAY_PUSH(ended, na_begun) = *one;
    }
    return NULL;
}
