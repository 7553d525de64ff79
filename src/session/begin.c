/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: beginning and renewing them. */
#include "session/cookies.h"

#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "session/picture.h"
#include "session/token_entry.h"

const char *na_session_binding(apr_pool_t *pool, const char *value)
{
    unsigned char hash[NA_SHA256_LEN];
    na_sha256(hash, na_bytes_of(value), (na_bytes){0});
    return na_base64url_encode(pool, hash, sizeof hash / 2);
}

static na_error *seal_claims(const na_session_config *config, const na_visit *visit, const char *id,
                             json_t *claims, apr_int64_t expires, char **token)
{
    json_object_set_new(claims, NA_CLAIM_SESSION_ID, json_string(id));
    return na_keyring_seal(visit->pool, &config->sources[0].ring, claims, visit->now,
                           (long)(expires - apr_time_sec(visit->now)), token);
}

static const char *user_of(const na_visit *visit, const json_t *claims)
{
    int in_database = json_is_true(json_object_get(claims, NA_CLAIM_DATABASE_USER));
    return na_user_name(visit->pool, in_database ? NULL : na_json_string(claims, NA_CLAIM_PROVIDER),
                        na_json_string(claims, "sub"));
}

/* Returns the ID that was chosen for the session, because an entry has it already; else a new one.
 */
static const char *id_to_begin(const na_visit *visit, const json_t *claims)
{
    const char *chosen = na_json_string(claims, NA_CLAIM_SESSION_ID);
    return chosen ? apr_pstrdup(visit->pool, chosen)
                  : na_random_base64url(visit->pool, NA_SESSION_ID_BYTES);
}

/* The provider can have ended its session meanwhile: then this one ends before it is used. */
static na_error *check_provider(const na_sessions *sessions, const na_visit *visit,
                                const na_store_key *key, const na_record *record)
{
    na_error *error =
        na_provider_check_alive(sessions->registry, visit->pool, &record->at_provider);
    if (error && !na_is_unavailable(error))
        NA_TRY(na_session_end_other(sessions, visit->pool, record->user, key, record->created,
                                    visit->now));
    return error;
}

static int is_brief(const json_t *claims)
{
    return json_is_true(json_object_get(claims, NA_CLAIM_BRIEF));
}

/* A brief session's cookie has no Expires, so that it ends with the browser. */
static na_error *set_cookie(const na_session_config *config, const na_visit *visit,
                            const char *value, const json_t *claims, apr_int64_t expires,
                            apr_array_header_t *set_cookies)
{
    return na_session_set_cookie(config, visit, value, is_brief(claims) ? 0 : expires, set_cookies);
}

/*
 * Writes a new session to the registry. If this fails, a session can still begin if its claims are
 * in the token and the configuration allows it.
 */
static na_error *register_session(const na_sessions *sessions, const na_visit *visit,
                                  const char *id, json_t *claims,
                                  const na_provider_names *at_provider, apr_int64_t *expires)
{
    const na_session_config *config = sessions->config;
    const na_registry *registry = sessions->registry;
    const char *user = user_of(visit, claims);
    int on_server = config->strategy == NA_STRATEGY_DATABASE;
    apr_int64_t auth_time;
    na_store_key key;
    na_store_key_make(&key, NA_KIND_SESSION, id);
    NA_TRY(na_registry_begin(registry, visit->pool, user, &key, *expires, visit->now, &auth_time));
    json_object_set_new(claims, NA_CLAIM_AUTH_TIME, json_integer(auth_time));
    const na_lifetime lifetime = na_lifetime_of(&config->lifetime, is_brief(claims));
    *expires = na_lifetime_end(&lifetime, auth_time, visit->now);
    if (sessions->table)
        NA_TRY(na_table_add(sessions->table, visit->pool, id, na_json_string(claims, "sub"),
                            json_integer_value(json_object_get(claims, NA_CLAIM_REVISION)),
                            *expires));
    const na_record record = {.user = user,
                              .created = auth_time,
                              .expires = *expires,
                              .claims =
                                  on_server ? na_claims_without_token(visit->pool, claims) : NULL,
                              .at_provider = *at_provider};
    NA_TRY(na_registry_record(registry, visit->pool, &key, &visit->client, &record, visit->now));
    NA_TRY(check_provider(sessions, visit, &key, &record));
    if (!sessions->users) /* a user of the database is checked again at the next request */
        na_verified_set(sessions->verified, sessions->config->id, &key, 0,
                        apr_time_sec(visit->now));
    return NULL;
}

static na_error *begin(const na_sessions *sessions, const na_visit *visit, json_t *claims,
                       const na_provider_names *at_provider, apr_array_header_t *set_cookies)
{
    const na_session_config *config = sessions->config;
    apr_int64_t now = apr_time_sec(visit->now);
    const na_lifetime lifetime = na_lifetime_of(&config->lifetime, is_brief(claims));
    apr_int64_t expires = na_lifetime_end(&lifetime, now, visit->now);
    const char *id = id_to_begin(visit, claims);
    int on_server = config->strategy == NA_STRATEGY_DATABASE;
    char *token;
    const na_session *before;
    apr_array_header_t *ignored = apr_array_make(visit->pool, 4, sizeof(char *));
    json_object_set_new(claims, NA_CLAIM_AUTH_TIME, json_integer(now));
    json_object_set_new(claims, NA_CLAIM_SITE, json_string(config->site));
    if (visit->binding)
        json_object_set_new(claims, NA_CLAIM_BINDING, json_string(visit->binding));
    na_error *error = sessions->registry
                          ? register_session(sessions, visit, id, claims, at_provider, &expires)
                          : NULL;
    if (!error && sessions->registry)
        json_object_set_new(claims, NA_CLAIM_REGISTERED, json_true());
    if (error) /* the record might exist after all, and would not match this token */
        id = na_random_base64url(visit->pool, NA_SESSION_ID_BYTES);
    if (!error)
        error = na_session_end(sessions, visit, ignored, &before);
    if (error && (on_server || !config->serve_for || !na_is_unavailable(error)))
        return error;
    na_session_clear_elsewhere(config, visit, set_cookies);
    if (on_server)
        return set_cookie(config, visit, id, claims, expires, set_cookies);
    NA_TRY(seal_claims(config, visit, id, claims, expires, &token));
    return set_cookie(config, visit, token, claims, expires, set_cookies);
}

na_error *na_session_check_claims(apr_pool_t *pool, const json_t *claims)
{
    na_claims read;
    na_bytes text = na_bytes_of(na_json_dump(pool, claims));
    na_error *error = text.len > NA_CLAIMS_BYTES_MAX
                          ? na_error_new(pool, NA_ERR_SESSION,
                                         "the session's claims have %" APR_SIZE_T_FMT
                                         " bytes; at most %d are allowed",
                                         text.len, NA_CLAIMS_BYTES_MAX)
                          : na_claims_read(pool, text, &read);
    return na_error_with_hint(error, "use NextAuthClaim to keep less of the profile");
}

static na_error *begin_checked(const na_sessions *sessions, const na_visit *visit, json_t *claims,
                               const na_provider_names *at_provider,
                               apr_array_header_t *set_cookies)
{
    na_picture_fit(sessions, visit->pool, claims);
    NA_TRY(na_session_check_claims(visit->pool, claims));
    NA_TRY(begin(sessions, visit, claims, at_provider, set_cookies));
    if (sessions->observer)
        sessions->observer->began(sessions->observer->data);
    return NULL;
}

/* Moves a provider's tokens to the session with this new ID, before the other one ends. */
static na_error *move_tokens(const na_sessions *sessions, const na_visit *visit,
                             const na_session *session, const char *id)
{
    na_store_key key;
    if (!sessions->registry || !sessions->registry->token_keys)
        return NULL;
    na_store_key_make(&key, NA_KIND_SESSION, id);
    return na_token_entry_move(sessions->registry, visit->pool,
                               na_session_key(visit->pool, session), &key);
}

na_error *na_session_begin(const na_sessions *sessions, const na_visit *visit, json_t *claims,
                           const na_provider_session *at_provider, apr_array_header_t *set_cookies)
{
    const na_provider_names names =
        at_provider ? na_provider_names_of(visit->pool, at_provider) : (na_provider_names){0};
    return begin_checked(sessions, visit, claims, &names, set_cookies);
}

/* The session that takes the place of another one began from the same one at the provider. */
static na_error *names_of(const na_sessions *sessions, const na_visit *visit,
                          const na_session *session, na_provider_names *names)
{
    na_record record;
    int found;
    *names = (na_provider_names){0};
    if (!sessions->registry)
        return NULL;
    NA_TRY(na_registry_look(sessions->registry, visit->pool, na_session_key(visit->pool, session),
                            &record, &found));
    if (found)
        *names = record.at_provider;
    return NULL;
}

na_error *na_session_restart(const na_sessions *sessions, const na_visit *visit,
                             const na_session *session, apr_int64_t revision,
                             apr_array_header_t *set_cookies)
{
    return na_session_restart_with(sessions, visit, session, revision, NULL, set_cookies);
}

na_error *na_session_restart_with(const na_sessions *sessions, const na_visit *visit,
                                  const na_session *session, apr_int64_t revision,
                                  const json_t *changes, apr_array_header_t *set_cookies)
{
    json_t *before;
    NA_TRY(na_json_parse_sealed(visit->pool, NA_ERR_SESSION, na_bytes_of(session->claims_json),
                                &before));
    json_t *claims = na_claims_without_token(visit->pool, before);
    json_object_del(claims, NA_CLAIM_BINDING);
    json_object_set_new(claims, NA_CLAIM_REVISION, json_integer(revision));
    if (changes)
        json_object_update(claims, (json_t *)changes);
    const char *id = na_random_base64url(visit->pool, NA_SESSION_ID_BYTES);
    na_provider_names names;
    json_object_set_new(claims, NA_CLAIM_SESSION_ID, json_string(id));
    NA_TRY(move_tokens(sessions, visit, session, id));
    NA_TRY(names_of(sessions, visit, session, &names));
    return begin_checked(sessions, visit, claims, &names, set_cookies);
}

/* A short idle time requires more frequent renewals: it must not count from a use long ago. */
static long renewal_age(const na_session_config *config, const na_session *session)
{
    long idle =
        session->is_brief ? na_lifetime_of(&config->lifetime, 1).idle : config->lifetime.idle;
    return idle && idle / 10 < config->update_age ? idle / 10 : config->update_age;
}

static int has_form(const na_session_config *config, const na_session *session)
{
    return session->on_server == (config->strategy == NA_STRATEGY_DATABASE);
}

int na_session_is_due(const na_session_config *config, const na_session *session, apr_time_t now)
{
    return !has_form(config, session) ||
           apr_time_sec(now) - session->issued_at >= renewal_age(config, session);
}

/*
 * Returns the ID of a session on the server: of several cookies, the one that matches the session.
 */
static const char *id_in_cookie(const na_session_config *config, const na_visit *visit,
                                const na_session *session)
{
    na_shown at;
    na_bytes token;
    at.source = at.number = at.is_read = 0;
    while (na_shown_next(config, visit, &at, &token)) {
        const char *id = apr_pstrmemdup(visit->pool, (const char *)token.data, token.len);
        na_store_key key;
        if (!na_session_is_id(token))
            continue;
        na_store_key_make(&key, NA_KIND_SESSION, id);
        if (memcmp(key.hash, na_session_key(visit->pool, session)->hash, sizeof key.hash) == 0)
            return id;
    }
    return NULL;
}

/*
 * Returns the session's ID, or a new one. An ID that becomes a cookie must have the form of one.
 * Without a registry, a session that an application began needs no ID: NULL.
 */
static const char *id_of(const na_sessions *sessions, const na_visit *visit,
                         const na_session *session)
{
    const na_session_config *config = sessions->config;
    const char *id = session->on_server ? id_in_cookie(config, visit, session)
                                        : na_session_claim(session, NA_CLAIM_SESSION_ID);
    int usable =
        id && *id && (config->strategy == NA_STRATEGY_JWT || na_session_is_id(na_bytes_of(id)));
    if (usable || !sessions->registry)
        return usable ? id : NULL;
    return na_random_base64url(visit->pool, NA_SESSION_ID_BYTES);
}

/*
 * Adds claims that are missing because an application or an earlier configuration began the
 * session.
 */
static void complete_claims(const na_sessions *sessions, const na_visit *visit,
                            const na_session *session, json_t *claims)
{
    int dated = sessions->registry || sessions->config->lifetime.absolute;
    if (dated && session->auth_time && !json_object_get(claims, NA_CLAIM_AUTH_TIME))
        json_object_set_new(claims, NA_CLAIM_AUTH_TIME, json_integer(session->auth_time));
    if (visit->binding && *visit->binding && !session->binding)
        json_object_set_new(claims, NA_CLAIM_BINDING, json_string(visit->binding));
}

/*
 * Registers a session that has no claim NA_CLAIM_REGISTERED: one from the server that gets a token,
 * one of an application, or one that began while the store was down. The record must exist before
 * the token claims so.
 */
static na_error *register_token(const na_sessions *sessions, const na_visit *visit,
                                const na_session *session, const char *id, json_t *claims,
                                apr_int64_t expires)
{
    na_session renewed = *session;
    if (!sessions->registry || na_session_is_registered(session))
        return NULL;
    renewed.has_id = 1;
    na_store_key_make(&renewed.key, NA_KIND_SESSION, id);
    NA_TRY(na_registry_extend(sessions->registry, visit->pool, &renewed, &visit->client, NULL, 1,
                              !session->has_id, expires, visit->now));
    json_object_set_new(claims, NA_CLAIM_REGISTERED, json_true());
    return NULL;
}

static na_error *extend_on_server(const na_sessions *sessions, const na_visit *visit,
                                  const na_session *session, const na_session *renewed,
                                  const char *id, const json_t *claims, apr_int64_t expires)
{
    if (sessions->table && session->on_server)
        NA_TRY(na_table_extend(sessions->table, visit->pool, id, expires));
    else if (sessions->table)
        NA_TRY(na_table_add(sessions->table, visit->pool, id, session->user,
                            json_integer_value(json_object_get(claims, NA_CLAIM_REVISION)),
                            expires));
    return na_registry_extend(sessions->registry, visit->pool, renewed, &visit->client,
                              na_claims_without_token(visit->pool, claims), 0, !session->has_id,
                              expires, visit->now);
}

static na_error *renew_on_server(const na_sessions *sessions, const na_visit *visit,
                                 const na_session *session, const char *id,
                                 const na_renewal *renewal, apr_array_header_t *set_cookies)
{
    na_session renewed = *session;
    if (sessions->table && !session->on_server &&
        !na_session_claim(session, NA_CLAIM_DATABASE_USER))
        return na_error_new(
            visit->pool, NA_ERR_SESSION,
            "the session is older than NextAuthDatabase: its user is not in the database");
    renewed.has_id = 1;
    na_store_key_make(&renewed.key, NA_KIND_SESSION, id);
    if (renewal->is_written) {
        na_error *error = extend_on_server(sessions, visit, session, &renewed, id, renewal->claims,
                                           renewal->expires);
        /* the cached end is too early, or the session no longer exists */
        na_verified_forget(sessions->verified, &renewed.key);
        NA_TRY(error);
    }
    return set_cookie(sessions->config, visit, id, renewal->claims, renewal->expires, set_cookies);
}

/* Claims that do not fit into a cookie say nothing about the session that has others. */
static na_error *renew_token(const na_sessions *sessions, const na_visit *visit,
                             const na_session *session, const char *id, const na_renewal *renewal,
                             apr_array_header_t *set_cookies)
{
    const na_session_config *config = sessions->config;
    char *token;
    NA_TRY(register_token(sessions, visit, session, id, renewal->claims, renewal->expires));
    na_error *error = seal_claims(config, visit, id, renewal->claims, renewal->expires, &token);
    if (!error)
        error = set_cookie(config, visit, token, renewal->claims, renewal->expires, set_cookies);
    return error ? na_error_wrap(visit->pool, error, NA_ERR_CONFIGURATION,
                                 "could not write the session's cookie")
                 : NULL;
}

na_error *na_session_prepare(const na_sessions *sessions, const na_visit *visit,
                             const na_session *session, na_renewal *renewal)
{
    const na_session_config *config = sessions->config;
    renewal->is_written =
        config->strategy == NA_STRATEGY_JWT || na_session_is_due(config, session, visit->now);
    renewal->expires = session->expires;
    NA_TRY(na_json_parse_sealed(visit->pool, NA_ERR_SESSION, na_bytes_of(session->claims_json),
                                &renewal->claims));
    complete_claims(sessions, visit, session, renewal->claims);
    return NULL;
}

/* A provider's tokens are kept as long as the session. If the store is down, a later renewal does.
 */
static na_error *extend_tokens(const na_sessions *sessions, const na_visit *visit,
                               const na_session *session, apr_int64_t expires)
{
    if (!sessions->registry || !sessions->registry->token_keys)
        return NULL;
    na_error *error = na_token_entry_extend(sessions->registry, visit->pool,
                                            na_session_key(visit->pool, session), expires);
    return na_is_unavailable(error) ? NULL : error;
}

na_error *na_session_renew(const na_sessions *sessions, const na_visit *visit,
                           const na_session *session, na_renewal *renewal,
                           apr_array_header_t *set_cookies)
{
    const na_session_config *config = sessions->config;
    const char *id = id_of(sessions, visit, session);
    const na_lifetime lifetime = na_lifetime_of(&config->lifetime, session->is_brief);
    na_renewal renewed = *renewal;
    na_picture_fit(sessions, visit->pool, renewal->claims);
    if (renewal->is_written)
        renewed.expires = na_lifetime_end(&lifetime, session->auth_time, visit->now);
    NA_TRY(config->strategy == NA_STRATEGY_DATABASE
               ? renew_on_server(sessions, visit, session, id, &renewed, set_cookies)
               : renew_token(sessions, visit, session, id, &renewed, set_cookies));
    *renewal = renewed;
    return extend_tokens(sessions, visit, session, renewed.expires);
}

/*
 * What the process knows of the session is no longer true, and the other processes learn it with
 * their next lookup.
 */
na_error *na_session_replace_claims(const na_sessions *sessions, const na_visit *visit,
                                    const na_session *session, const json_t *claims,
                                    const na_session **changed)
{
    json_t *before;
    NA_TRY(na_json_parse_sealed(visit->pool, NA_ERR_SESSION, na_bytes_of(session->claims_json),
                                &before));
    json_t *all = na_claims_with_token(visit->pool, claims, before);
    na_picture_fit(sessions, visit->pool, all);
    NA_TRY(na_session_check_claims(visit->pool, all));
    na_error *error =
        na_registry_replace_claims(sessions->registry, visit->pool, session,
                                   na_claims_without_token(visit->pool, all), visit->now);
    na_verified_forget(sessions->verified, na_session_key(visit->pool, session));
    NA_TRY(error);
    NA_TRY(
        na_session_change(visit->pool, session, all, sessions->config->identity_claims, changed));
    na_session *due = apr_pmemdup(visit->pool, *changed, sizeof *due);
    due->issued_at = 0;
    *changed = due;
    return NULL;
}
