/* SPDX-License-Identifier: Apache-2.0 */
#include "session/sessions.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/clock.h"
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

static const na_session *known(const na_sessions *sessions, const na_visit *visit,
                               const na_session_source *source, na_bytes token)
{
    return sessions->tokens
               ? hold(visit->pool, na_token_cache_get(sessions->tokens, source, token, visit->now))
               : NULL;
}

/* The source itself is the cache's owner: it stands for one configuration's keys. */
static void remember(const na_sessions *sessions, const na_visit *visit,
                     const na_session_source *source, na_bytes token, const na_session **session)
{
    if (!sessions->tokens)
        return;
    const na_session *kept = hold(visit->pool, na_token_cache_put(sessions->tokens, source, token,
                                                                  *session, visit->now));
    *session = kept ? kept : *session;
}

/* ── asking the registry, not more often than needed ───────────────────────────────────────── */

static int verified_within(const na_sessions *sessions, const na_visit *visit,
                           const na_session *session, long seconds)
{
    apr_int64_t at = na_verified_at(sessions->verified, &session->key, session->standing);
    apr_int64_t now = apr_time_sec(visit->now);
    return at && at <= now && now - at < seconds;
}

static int is_fresh(const na_sessions *sessions, const na_visit *visit, const na_session *session)
{
    return !visit->asks_anew &&
           verified_within(sessions, visit, session, sessions->config->check_interval);
}

/* While the store is down, its last word may count for longer; a refusal is a word as well. */
static na_error *settle(const na_sessions *sessions, const na_visit *visit,
                        const na_session *session, na_error *error)
{
    if (na_is_unavailable(error) &&
        verified_within(sessions, visit, session, sessions->config->serve_for))
        return NULL;
    if (!error)
        na_verified_set(sessions->verified, &session->key, session->standing,
                        apr_time_sec(visit->now));
    else if (!na_is_unavailable(error))
        na_verified_forget(sessions->verified, &session->key);
    return error;
}

/* Whether the database has a say; NextAuth's table has it by itself. */
static int asks_users(const na_sessions *sessions, const na_session *session)
{
    return sessions->users && !(sessions->table && session->on_server) &&
           na_standing_matters(session);
}

/* What is new of the user is remembered with the token. */
static na_error *check_user(const na_sessions *sessions, const na_visit *visit,
                            const na_session_source *source, na_bytes token,
                            const na_session **session)
{
    const na_session *before = *session;
    if (!asks_users(sessions, before))
        return NULL;
    NA_TRY(na_standing_check(sessions->users, visit->pool, sessions->config->role_column,
                             sessions->config->identity_claims, session));
    if (*session != before)
        remember(sessions, visit, source, token, session);
    return NULL;
}

static void note(const na_visit *visit, na_session_lookup check)
{
    if (visit->check)
        *visit->check = check;
}

/* ── the two forms of a cookie ─────────────────────────────────────────────────────────────── */

/* An id has no dots, an encrypted token has four; nor has it what a database takes exception to. */
static int is_id(na_bytes token)
{
    if (token.len < NA_SESSION_ID_MIN || token.len > NA_SESSION_ID_MAX)
        return 0;
    for (apr_size_t i = 0; i < token.len; i++)
        if (!apr_isalnum(token.data[i]) && token.data[i] != '-' && token.data[i] != '_')
            return 0;
    return 1;
}

/* A token that this module made names its site; one that NextAuth made names none. */
static na_error *check_site(const na_session_config *config, const na_visit *visit,
                            const na_session *session)
{
    const char *site = na_session_claim(session, NA_CLAIM_SITE);
    if (site ? strcmp(site, config->site) == 0 : !config->refuse_unbound)
        return NULL;
    return na_error_new(visit->pool, NA_ERR_FOREIGN_SESSION,
                        site ? "the session is another site's"
                             : "the token names no site, and another site has the same secret: "
                               "see NextAuthSite");
}

static na_error *load_claims(const na_sessions *sessions, const na_visit *visit,
                             const na_session_source *source, na_bytes token,
                             const na_session **session)
{
    const na_session_config *config = sessions->config;
    note(visit, NA_LOOKUP_CACHED);
    *session = known(sessions, visit, source, token);
    int is_known = *session != NULL; /* with what the database said last */
    if (!is_known) {
        note(visit, NA_LOOKUP_OPENED);
        NA_TRY(na_session_open(visit->pool, &source->ring, source->dialect, token,
                               &config->lifetime, visit->now, config->identity_claims, session));
        NA_TRY(check_site(config, visit, *session));
        remember(sessions, visit, source, token, session);
    }
    int asks = asks_users(sessions, *session);
    if ((!sessions->registry && !asks) ||
        ((is_known || !asks) && is_fresh(sessions, visit, *session)))
        return NULL;
    note(visit, NA_LOOKUP_STORE);
    na_error *error = sessions->registry ? na_registry_check(sessions->registry, visit->pool,
                                                             *session, &visit->client, visit->now)
                                         : NULL;
    if (!error)
        error = check_user(sessions, visit, source, token, session);
    return settle(sessions, visit, *session, error);
}

static na_error *open_record(const na_sessions *sessions, const na_visit *visit, const char *id,
                             const na_session **session)
{
    const na_session_config *config = sessions->config;
    na_record record;
    na_store_key key;
    na_store_key_make(&key, NA_KIND_SESSION, id);
    NA_TRY(na_registry_find(sessions->registry, visit->pool, &key, &visit->client, visit->now,
                            &record));
    apr_int64_t renewed =
        record.expires -
        (na_lifetime_end(&config->lifetime, record.created, visit->now) - apr_time_sec(visit->now));
    apr_int64_t expires =
        na_lifetime_cut(&config->lifetime, record.created,
                        record.used + sessions->registry->use_interval, record.expires);
    if (expires <= apr_time_sec(visit->now))
        return na_error_new(visit->pool, NA_ERR_SESSION,
                            "the session was not used, or lasted, too long");
    return na_session_of_record(visit->pool, id, record.claims, renewed, expires,
                                config->identity_claims, session);
}

/* A row of NextAuth's table; one that Auth.js made has no record yet, which it gets as it is used.
 */
static na_error *open_row(const na_sessions *sessions, const na_visit *visit, const char *id,
                          const na_session **session)
{
    const na_session_config *config = sessions->config;
    na_table_row row;
    na_record record;
    na_store_key key;
    int found;
    na_store_key_make(&key, NA_KIND_SESSION, id);
    NA_TRY(na_table_find(sessions->table, visit->pool, id, config->role_column, visit->now, &row));
    NA_TRY(na_registry_look(sessions->registry, visit->pool, &key, &record, &found));
    if (!found && config->refuse_unbound_rows)
        return na_error_new(visit->pool, NA_ERR_SESSION,
                            "the row is not known to be of this site, and another site has the "
                            "same database: see NextAuthSite");
    apr_int64_t now = apr_time_sec(visit->now), began = found ? record.created : now;
    apr_int64_t used = found ? record.used + sessions->registry->use_interval : now;
    apr_int64_t expires = na_lifetime_cut(&config->lifetime, began, used, row.expires);
    if (expires <= now)
        return na_error_new(visit->pool, NA_ERR_SESSION,
                            "the session was not used, or lasted, too long");
    apr_int64_t renewed =
        row.expires - (na_lifetime_end(&config->lifetime, began, visit->now) - now);
    const json_t *claims = na_table_claims(visit->pool, found ? record.claims : NULL, &row, began);
    NA_TRY(na_session_of_record(visit->pool, id, claims, renewed, expires, config->identity_claims,
                                session));
    return na_registry_check(sessions->registry, visit->pool, *session, &visit->client, visit->now);
}

static na_error *load_id(const na_sessions *sessions, const na_visit *visit,
                         const na_session_source *source, na_bytes token,
                         const na_session **session)
{
    if (!sessions->registry)
        return na_error_new(visit->pool, NA_ERR_SESSION, "an id, but there is no session store");
    *session = known(sessions, visit, source, token);
    note(visit, NA_LOOKUP_CACHED);
    if (*session && is_fresh(sessions, visit, *session))
        return NULL;
    note(visit, NA_LOOKUP_STORE);
    const na_session *before = *session;
    const char *id = apr_pstrmemdup(visit->pool, (const char *)token.data, token.len);
    na_error *error = sessions->table ? open_row(sessions, visit, id, session)
                                      : open_record(sessions, visit, id, session);
    if (!error)
        error = check_user(sessions, visit, source, token, session);
    if (!error)
        remember(sessions, visit, source, token, session);
    if (error && !before)
        return error;
    if (error)
        *session = before;
    return settle(sessions, visit, *session, error);
}

static na_error *check_binding(const na_visit *visit, const na_session *session)
{
    return visit->binding && session->binding && !na_equal_secret(visit->binding, session->binding)
               ? na_error_new(visit->pool, NA_ERR_SESSION, "the session is bound to another client")
               : NULL;
}

static na_error *load_token(const na_sessions *sessions, const na_visit *visit,
                            const na_session_source *source, na_bytes token,
                            const na_session **session)
{
    NA_TRY(is_id(token) ? load_id(sessions, visit, source, token, session)
                        : load_claims(sessions, visit, source, token, session));
    return check_binding(visit, *session);
}

/* ── the tokens that a request shows ───────────────────────────────────────────────────────── */

/* Where one is in looking through them. */
typedef struct shown {
    int source, number;
    int is_read; /* `chunks` are those of `source` */
    na_chunks chunks;
} shown;

/* The next one and whose it is; NULL where there are no more. */
static const na_session_source *next_token(const na_session_config *config, const na_visit *visit,
                                           shown *at, na_bytes *token)
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

/*
 * The next that is a session. Others of its name may stand in front: a stale one of a parent
 * domain, say. Where there is none, and one could not be looked up, that is the error.
 */
/* Of several refusals the one that leaves most open: a cookie that may be good is not cleared. */
static int weight(const na_error *error)
{
    return na_is_unavailable(error) ? 2 : na_session_is_foreign(error);
}

int na_session_is_foreign(const na_error *error)
{
    return na_error_is(error, NA_ERR_FOREIGN_SESSION);
}

static na_error *load_next(const na_sessions *sessions, const na_visit *visit, shown *at,
                           const na_session **session)
{
    const na_session_source *source;
    na_bytes token;
    na_error *error = NULL;
    while ((source = next_token(sessions->config, visit, at, &token))) {
        na_error *refused = load_token(sessions, visit, source, token, session);
        if (!refused)
            return NULL;
        if (weight(refused) >= weight(error))
            error = refused;
    }
    *session = NULL;
    return error;
}

/*
 * As NextAuth's getToken() takes it: claims alone, never an id. The keys of each cookie that may
 * have it are tried.
 */
static na_error *load_bearer(const na_sessions *sessions, const na_visit *visit,
                             const na_session **session)
{
    const na_bytes token = na_bytes_of(visit->bearer);
    na_error *error = NULL;
    *session = NULL;
    if (is_id(token))
        return na_error_new(visit->pool, NA_ERR_SESSION, "a session id is for the cookie alone");
    for (int i = 0; i < sessions->config->source_count; i++) {
        error = load_token(sessions, visit, &sessions->config->sources[i], token, session);
        if (!error || na_is_unavailable(error))
            return error;
        *session = NULL;
    }
    return error;
}

static na_error *load(const na_sessions *sessions, const na_visit *visit,
                      const na_session **session)
{
    if (visit->bearer)
        return load_bearer(sessions, visit, session);
    shown at;
    at.source = at.number = at.is_read = 0;
    return load_next(sessions, visit, &at, session);
}

na_error *na_session_load(const na_sessions *sessions, const na_visit *visit,
                          const na_session **session)
{
    const na_session_observer *observer = sessions->observer;
    na_session_lookup check = NA_LOOKUP_NONE;
    na_visit observed = *visit;
    if (!observer)
        return load(sessions, visit, session);
    observed.check = &check;
    apr_int64_t began = na_monotonic_ns();
    na_error *error = load(sessions, &observed, session);
    if (error)
        check = na_is_unavailable(error) ? NA_LOOKUP_UNAVAILABLE : NA_LOOKUP_REFUSED;
    observer->checked(observer->data, check, (double)(na_monotonic_ns() - began) / 1e9);
    return error;
}

/* ── writing ───────────────────────────────────────────────────────────────────────────────── */

const char *na_session_binding(apr_pool_t *pool, const char *value)
{
    unsigned char hash[NA_SHA256_LEN];
    na_sha256(hash, na_bytes_of(value), (na_bytes){0});
    return na_base64url_encode(pool, hash, sizeof hash / 2);
}

/* Replaces what the request has of every session cookie by `value` in the first. */
static na_error *set_cookie(const na_session_config *config, const na_visit *visit,
                            const char *value, apr_int64_t expires, apr_array_header_t *set_cookies)
{
    const na_session_source *primary = &config->sources[0];
    for (int i = 1; i < config->source_count; i++)
        NA_TRY(na_chunks_write(visit->pool, &config->sources[i].cookie, config->sources[i].dialect,
                               visit->cookie_header, NULL, 0, 0, set_cookies));
    return na_chunks_write(visit->pool, &primary->cookie, primary->dialect, visit->cookie_header,
                           value, config->cookie_max, apr_time_from_sec(expires), set_cookies);
}

static na_error *seal_claims(const na_session_config *config, const na_visit *visit, const char *id,
                             json_t *claims, apr_int64_t expires, char **token)
{
    json_object_set_new(claims, NA_CLAIM_SESSION_ID, json_string(id));
    return na_keyring_seal(visit->pool, &config->sources[0].ring, claims, visit->now,
                           (long)(expires - apr_time_sec(visit->now)), token);
}

/* What is said anew with every token is none of the record's business, nor is the id. */
static const json_t *without_token_claims(apr_pool_t *pool, const json_t *claims)
{
    static const char *const names[] = {"iat", "exp", "jti", NA_CLAIM_SESSION_ID,
                                        NA_CLAIM_REGISTERED};
    json_t *kept = na_json_own(pool, json_copy((json_t *)claims));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        json_object_del(kept, names[i]);
    return kept;
}

static const char *user_of(const na_visit *visit, const json_t *claims)
{
    int in_database = json_is_true(json_object_get(claims, NA_CLAIM_DATABASE_USER));
    return na_user_name(visit->pool, in_database ? NULL : na_json_string(claims, NA_CLAIM_PROVIDER),
                        na_json_string(claims, "sub"));
}

/* With the claims in the token, a session can begin without the registry where that may fail. */
static na_error *register_session(const na_sessions *sessions, const na_visit *visit,
                                  const char *id, json_t *claims, apr_int64_t *expires)
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
    *expires = na_lifetime_end(&config->lifetime, auth_time, visit->now);
    if (sessions->table)
        NA_TRY(na_table_add(sessions->table, visit->pool, id, na_json_string(claims, "sub"),
                            json_integer_value(json_object_get(claims, NA_CLAIM_REVISION)),
                            *expires));
    NA_TRY(na_registry_record(registry, visit->pool, user, &key, &visit->client,
                              on_server ? without_token_claims(visit->pool, claims) : NULL,
                              auth_time, *expires, visit->now));
    if (!sessions->users) /* what was decided about a user of the database is asked once more */
        na_verified_set(sessions->verified, &key, 0, apr_time_sec(visit->now));
    return NULL;
}

static void clear_elsewhere(const na_session_config *config, const na_visit *visit,
                            apr_array_header_t *set_cookies)
{
    for (int i = 0; i < config->source_count; i++)
        na_chunks_clear_elsewhere(visit->pool, &config->sources[i].cookie, visit->cookie_header,
                                  set_cookies);
}

static na_error *begin(const na_sessions *sessions, const na_visit *visit, json_t *claims,
                       apr_array_header_t *set_cookies)
{
    const na_session_config *config = sessions->config;
    apr_int64_t now = apr_time_sec(visit->now);
    apr_int64_t expires = na_lifetime_end(&config->lifetime, now, visit->now);
    const char *id = na_random_base64url(visit->pool, NA_SESSION_ID_BYTES);
    int on_server = config->strategy == NA_STRATEGY_DATABASE;
    char *token;
    const na_session *before;
    apr_array_header_t *ignored = apr_array_make(visit->pool, 4, sizeof(char *));
    json_object_set_new(claims, NA_CLAIM_AUTH_TIME, json_integer(now));
    json_object_set_new(claims, NA_CLAIM_SITE, json_string(config->site));
    if (visit->binding)
        json_object_set_new(claims, NA_CLAIM_BINDING, json_string(visit->binding));
    na_error *error =
        sessions->registry ? register_session(sessions, visit, id, claims, &expires) : NULL;
    if (!error && sessions->registry)
        json_object_set_new(claims, NA_CLAIM_REGISTERED, json_true());
    if (error) /* the record may be there all the same, and would be another one's than it says */
        id = na_random_base64url(visit->pool, NA_SESSION_ID_BYTES);
    if (!error)
        error = na_session_end(sessions, visit, ignored, &before);
    if (error && (on_server || !config->serve_for || !na_is_unavailable(error)))
        return error;
    clear_elsewhere(config, visit, set_cookies);
    if (on_server)
        return set_cookie(config, visit, id, expires, set_cookies);
    NA_TRY(seal_claims(config, visit, id, claims, expires, &token));
    return set_cookie(config, visit, token, expires, set_cookies);
}

/* A session that would be refused, or is out of all proportion, does not begin. */
static na_error *check_claims(apr_pool_t *pool, const json_t *claims)
{
    na_claims read;
    na_bytes text = na_bytes_of(na_json_dump(pool, claims));
    na_error *error =
        text.len > NA_CLAIMS_BYTES_MAX
            ? na_error_new(pool, NA_ERR_SESSION,
                           "the session's claims have %" APR_SIZE_T_FMT " bytes; %d are the most",
                           text.len, NA_CLAIMS_BYTES_MAX)
            : na_claims_read(pool, text, &read);
    return na_error_with_hint(error, "let NextAuthClaim keep less of the profile");
}

na_error *na_session_begin(const na_sessions *sessions, const na_visit *visit, json_t *claims,
                           apr_array_header_t *set_cookies)
{
    NA_TRY(check_claims(visit->pool, claims));
    NA_TRY(begin(sessions, visit, claims, set_cookies));
    if (sessions->observer)
        sessions->observer->began(sessions->observer->data);
    return NULL;
}

na_error *na_session_restart(const na_sessions *sessions, const na_visit *visit,
                             const na_session *session, apr_int64_t revision,
                             apr_array_header_t *set_cookies)
{
    json_t *before;
    NA_TRY(na_json_parse_sealed(visit->pool, NA_ERR_SESSION, na_bytes_of(session->claims_json),
                                &before));
    json_t *claims = (json_t *)without_token_claims(visit->pool, before);
    json_object_del(claims, NA_CLAIM_BINDING);
    json_object_set_new(claims, NA_CLAIM_REVISION, json_integer(revision));
    return na_session_begin(sessions, visit, claims, set_cookies);
}

/* A short idle time wants more renewals, or it would count from a use long ago. */
static long renewal_age(const na_session_config *config)
{
    long idle_share = config->lifetime.idle / 10;
    return config->lifetime.idle && idle_share < config->update_age ? idle_share
                                                                    : config->update_age;
}

static int has_form(const na_session_config *config, const na_session *session)
{
    return session->on_server == (config->strategy == NA_STRATEGY_DATABASE);
}

int na_session_is_due(const na_session_config *config, const na_session *session, apr_time_t now)
{
    return !has_form(config, session) ||
           apr_time_sec(now) - session->issued_at >= renewal_age(config);
}

/* The id of a session whose cookie is its id: of several cookies the one that is this session's. */
static const char *id_in_cookie(const na_session_config *config, const na_visit *visit,
                                const na_session *session)
{
    shown at;
    na_bytes token;
    at.source = at.number = at.is_read = 0;
    while (next_token(config, visit, &at, &token)) {
        const char *id = apr_pstrmemdup(visit->pool, (const char *)token.data, token.len);
        na_store_key key;
        if (!is_id(token))
            continue;
        na_store_key_make(&key, NA_KIND_SESSION, id);
        if (memcmp(key.hash, session->key.hash, sizeof key.hash) == 0)
            return id;
    }
    return NULL;
}

/*
 * One that is to be a cookie must have the form of one. Without a registry, a session that another
 * made needs none: NULL.
 */
static const char *id_of(const na_sessions *sessions, const na_visit *visit,
                         const na_session *session)
{
    const na_session_config *config = sessions->config;
    const char *id = session->on_server ? id_in_cookie(config, visit, session)
                                        : na_session_claim(session, NA_CLAIM_SESSION_ID);
    int usable = id && *id && (config->strategy == NA_STRATEGY_JWT || is_id(na_bytes_of(id)));
    if (usable || !sessions->registry)
        return usable ? id : NULL;
    return na_random_base64url(visit->pool, NA_SESSION_ID_BYTES);
}

/* What a session that another made, or an earlier configuration, does not have yet. */
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
 * A session on the server that gets a token, one that another made, or one that began while the
 * store was down: its record has to be there before a token says that it is.
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
                              without_token_claims(visit->pool, claims), 0, !session->has_id,
                              expires, visit->now);
}

static na_error *renew_on_server(const na_sessions *sessions, const na_visit *visit,
                                 const na_session *session, const char *id, json_t *claims,
                                 apr_array_header_t *set_cookies, apr_int64_t *expires)
{
    na_session renewed = *session;
    if (sessions->table && !session->on_server &&
        !na_session_claim(session, NA_CLAIM_DATABASE_USER))
        return na_error_new(visit->pool, NA_ERR_SESSION,
                            "the session is from before the database: its user is not in there");
    renewed.has_id = 1;
    na_store_key_make(&renewed.key, NA_KIND_SESSION, id);
    if (!na_session_is_due(sessions->config, session, visit->now)) {
        *expires = session->expires;
        return set_cookie(sessions->config, visit, id, *expires, set_cookies);
    }
    na_error *error = extend_on_server(sessions, visit, session, &renewed, id, claims, *expires);
    na_verified_forget(sessions->verified, &renewed.key); /* what is cached ends too early, or is
                                                             no session any more */
    NA_TRY(error);
    return set_cookie(sessions->config, visit, id, *expires, set_cookies);
}

na_error *na_session_renew(const na_sessions *sessions, const na_visit *visit,
                           const na_session *session, apr_array_header_t *set_cookies,
                           const json_t **claims, apr_int64_t *expires)
{
    const na_session_config *config = sessions->config;
    json_t *renewed;
    char *token;
    *expires = na_lifetime_end(&config->lifetime, session->auth_time, visit->now);
    const char *id = id_of(sessions, visit, session);
    NA_TRY(na_json_parse_sealed(visit->pool, NA_ERR_SESSION, na_bytes_of(session->claims_json),
                                &renewed));
    complete_claims(sessions, visit, session, renewed);
    if (claims)
        *claims = renewed;
    if (config->strategy == NA_STRATEGY_DATABASE)
        return renew_on_server(sessions, visit, session, id, renewed, set_cookies, expires);
    NA_TRY(register_token(sessions, visit, session, id, renewed, *expires));
    NA_TRY(seal_claims(config, visit, id, renewed, *expires, &token));
    return set_cookie(config, visit, token, *expires, set_cookies);
}

/* ── ending ────────────────────────────────────────────────────────────────────────────────── */

void na_session_clear(const na_session_config *config, const na_visit *visit,
                      apr_array_header_t *set_cookies)
{
    clear_elsewhere(config, visit, set_cookies);
    for (int i = 0; i < config->source_count; i++)
        na_chunks_write(visit->pool, &config->sources[i].cookie, config->sources[i].dialect,
                        visit->cookie_header, NULL, 0, 0, set_cookies);
}

static na_error *end(const na_sessions *sessions, const na_visit *visit, const na_session *session)
{
    if (sessions->registry)
        return na_session_end_other(sessions, visit->pool,
                                    na_session_user_name(visit->pool, session), &session->key,
                                    session->auth_time, visit->now);
    if (sessions->observer)
        sessions->observer->ended(sessions->observer->data,
                                  apr_time_sec(visit->now) - session->auth_time);
    return NULL;
}

/* All that the request shows: what is behind the first would be the user's session from now on. */
na_error *na_session_end(const na_sessions *sessions, const na_visit *visit,
                         apr_array_header_t *set_cookies, const na_session **ended)
{
    shown at;
    const na_session *session;
    na_error *error;
    at.source = at.number = at.is_read = 0;
    *ended = NULL;
    na_session_clear(sessions->config, visit, set_cookies);
    while (!(error = load_next(sessions, visit, &at, &session)) && session) {
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
    na_verified_forget_all(sessions->verified);
    if (sessions->table && *user == '/')
        NA_TRY(na_table_remove(sessions->table, pool, user + 1, NULL, but ? &but->key : NULL));
    return na_registry_end_user(sessions->registry, pool, user, but ? &but->key : NULL, now);
}
