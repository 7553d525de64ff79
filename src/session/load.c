/* SPDX-License-Identifier: Apache-2.0 */
/* The session of a request. */
#include "session/load.h"

#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/json.h"

/* A lookup, for an observer. */
typedef struct na_observed {
    na_session_lookup check;
    apr_int64_t began; /* monotonic; 0 if the lookup took no time worth measuring */
} na_observed;

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

/* Each source has keys of its own. */
static apr_uint64_t owner_of(const na_sessions *sessions, const na_session_source *source)
{
    return sessions->config->id + (apr_uint64_t)(source - sessions->config->sources);
}

static const na_session *known(const na_sessions *sessions, const na_visit *visit,
                               const na_session_source *source, na_bytes token)
{
    return sessions->tokens
               ? hold(visit->pool, na_token_cache_get(sessions->tokens, owner_of(sessions, source),
                                                      token, visit->now))
               : NULL;
}

/* Stores a session in the cache. */
static void remember(const na_sessions *sessions, const na_visit *visit,
                     const na_session_source *source, na_bytes token, const na_session **session)
{
    if (!sessions->tokens)
        return;
    const na_session *kept =
        hold(visit->pool,
             na_token_cache_put(sessions->tokens, owner_of(sessions, source), token, *session));
    *session = kept ? kept : *session;
}

/* ── querying the registry, not more often than necessary ──────────────────────────────────── */

static int verified_within(const na_sessions *sessions, const na_visit *visit,
                           const na_session *session, long seconds)
{
    apr_int64_t at = na_verified_at(sessions->verified, sessions->config->id,
                                    na_session_key(visit->pool, session), session->standing);
    apr_int64_t now = apr_time_sec(visit->now);
    return at && at <= now && now - at < seconds;
}

static int is_fresh(const na_sessions *sessions, const na_visit *visit, const na_session *session)
{
    return !visit->asks_anew &&
           verified_within(sessions, visit, session, sessions->config->check_interval);
}

/*
 * Returns 1 if the next request need not ask the store: it must after one that does not count as
 * use, or the next that does would not be recorded while such requests come all the time.
 */
static int is_relied_on(const na_sessions *sessions, const na_visit *visit)
{
    return !sessions->registry || !visit->client.is_passive;
}

/*
 * Applies the result of a lookup. While the store is down, its last answer can remain valid longer;
 * a refusal is an answer, too.
 */
static na_error *settle(const na_sessions *sessions, const na_visit *visit,
                        const na_session *session, na_error *error)
{
    if (na_is_unavailable(error) &&
        verified_within(sessions, visit, session, sessions->config->serve_for))
        return NULL;
    if (!error && is_relied_on(sessions, visit))
        na_verified_set(sessions->verified, sessions->config->id,
                        na_session_key(visit->pool, session), session->standing,
                        apr_time_sec(visit->now));
    else if (error && !na_is_unavailable(error))
        na_verified_forget(sessions->verified, na_session_key(visit->pool, session));
    return error;
}

/*
 * Returns 1 if the database must be queried about the user; a row of NextAuth's table includes
 * that.
 */
static int asks_users(const na_sessions *sessions, const na_session *session)
{
    return sessions->users && !(sessions->table && session->on_server) &&
           na_standing_matters(session);
}

/*
 * Returns 1 if the database must be queried for a second factor of the user: this module writes how
 * the user signed in if it asks for one, so others began the session, or it began before.
 */
static int asks_factor(const na_sessions *sessions, const na_session *session)
{
    return sessions->config->two_factor == NA_TWO_FACTOR_OPTIONAL && sessions->users &&
           !session->has_methods;
}

/* Checks the user in the database, and caches what has changed together with the token. */
static na_error *check_user(const na_sessions *sessions, const na_visit *visit,
                            const na_session_source *source, na_bytes token,
                            const na_session **session)
{
    const na_session *before = *session;
    if (asks_factor(sessions, before))
        NA_TRY(na_standing_check_factor(sessions->users, visit->pool, before));
    if (!asks_users(sessions, before))
        return NULL;
    NA_TRY(na_standing_check(sessions->users, visit->pool, sessions->config->role_column,
                             sessions->config->identity_claims, session));
    if (*session != before)
        remember(sessions, visit, source, token, session);
    return NULL;
}

/* A session in the cache is found in less time than it takes to read the clock twice. */
static void note(const na_visit *visit, na_session_lookup check)
{
    na_observed *observed = visit->observed;
    if (!observed)
        return;
    observed->check = check;
    if (check != NA_LOOKUP_CACHED && !observed->began)
        observed->began = na_monotonic_ns();
}

/* ── the two forms of a cookie ─────────────────────────────────────────────────────────────── */

/* Tokens that this module issued name their site; those of NextAuth do not. */
static na_error *check_site(const na_session_config *config, const na_visit *visit,
                            const na_session *session)
{
    const char *site = na_session_claim(session, NA_CLAIM_SITE);
    if (site ? strcmp(site, config->site) == 0 : !config->refuse_unbound)
        return NULL;
    return na_error_new(
        visit->pool, NA_ERR_FOREIGN_SESSION,
        site ? "the session belongs to another site"
             : "the token has no site, and another site has the same secret: see NextAuthSite");
}

/* Caches claims that are newer than the token's together with it. */
static na_error *adopt_newer(const na_sessions *sessions, const na_visit *visit,
                             const na_session_source *source, na_bytes token, const json_t *newer,
                             const na_session **session)
{
    json_t *own;
    if (na_profile_due(newer) <= na_session_profile_due(*session))
        return NULL;
    NA_TRY(na_json_parse_sealed(visit->pool, NA_ERR_SESSION, na_bytes_of((*session)->claims_json),
                                &own));
    NA_TRY(na_session_change(visit->pool, *session, na_claims_with_token(visit->pool, newer, own),
                             sessions->config->identity_claims, session));
    remember(sessions, visit, source, token, session);
    return NULL;
}

static na_error *load_claims(const na_sessions *sessions, const na_visit *visit,
                             const na_session_source *source, na_bytes token,
                             const na_session **session)
{
    const na_session_config *config = sessions->config;
    note(visit, NA_LOOKUP_CACHED);
    *session = known(sessions, visit, source, token);
    int is_known = *session != NULL; /* with the database's last answer about the user */
    if (!is_known) {
        note(visit, NA_LOOKUP_OPENED);
        na_session *opened;
        NA_TRY(na_session_open(visit->pool, &source->ring, source->dialect, token,
                               &config->lifetime, visit->now, config->identity_claims, &opened));
        NA_TRY(check_site(config, visit, opened));
        if (sessions->verified)
            na_session_make_key(visit->pool, opened);
        *session = opened;
        if (sessions->tokens &&
            na_token_cache_wants(sessions->tokens, owner_of(sessions, source), token))
            remember(sessions, visit, source, token, session);
    }
    int asks = asks_users(sessions, *session) || asks_factor(sessions, *session);
    if ((!sessions->registry && !asks) ||
        ((is_known || !asks) && is_fresh(sessions, visit, *session)))
        return NULL;
    note(visit, NA_LOOKUP_STORE);
    const json_t *newer = NULL;
    na_error *error = sessions->registry
                          ? na_registry_check(sessions->registry, visit->pool, *session,
                                              &visit->client, visit->now, &newer)
                          : NULL;
    if (!error && newer)
        error = adopt_newer(sessions, visit, source, token, newer, session);
    if (!error)
        error = check_user(sessions, visit, source, token, session);
    return settle(sessions, visit, *session, error);
}

/* The claims are those of a record; NULL if it has none. */
static na_lifetime lifetime_of(const na_session_config *config, const json_t *claims)
{
    return na_lifetime_of(&config->lifetime, json_is_true(json_object_get(claims, NA_CLAIM_BRIEF)));
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
    const na_lifetime lifetime = lifetime_of(config, record.claims);
    apr_int64_t renewed = record.expires - (na_lifetime_end(&lifetime, record.created, visit->now) -
                                            apr_time_sec(visit->now));
    apr_int64_t expires =
        na_lifetime_cut(&lifetime, record.created, record.used + sessions->registry->use_interval,
                        record.expires);
    if (expires <= apr_time_sec(visit->now))
        return na_error_new(visit->pool, NA_ERR_SESSION,
                            "the session exceeded its idle or maximum lifetime");
    return na_session_of_record(visit->pool, id, record.claims, renewed, expires,
                                config->identity_claims, session);
}

/* Loads a row of NextAuth's table. A row that Auth.js wrote gets its record at its first use. */
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
        return na_error_new(
            visit->pool, NA_ERR_SESSION,
            "the row has no site, and another site has the same database: see NextAuthSite");
    const na_lifetime lifetime = lifetime_of(config, found ? record.claims : NULL);
    apr_int64_t now = apr_time_sec(visit->now), began = found ? record.created : now;
    apr_int64_t used = found ? record.used + sessions->registry->use_interval : now;
    apr_int64_t expires = na_lifetime_cut(&lifetime, began, used, row.expires);
    if (expires <= now)
        return na_error_new(visit->pool, NA_ERR_SESSION,
                            "the session exceeded its idle or maximum lifetime");
    apr_int64_t renewed = row.expires - (na_lifetime_end(&lifetime, began, visit->now) - now);
    const json_t *claims = na_table_claims(visit->pool, found ? record.claims : NULL, &row, began);
    NA_TRY(na_session_of_record(visit->pool, id, claims, renewed, expires, config->identity_claims,
                                session));
    const json_t *newer; /* is for tokens */
    return na_registry_check(sessions->registry, visit->pool, *session, &visit->client, visit->now,
                             &newer);
}

static na_error *load_id(const na_sessions *sessions, const na_visit *visit,
                         const na_session_source *source, na_bytes token,
                         const na_session **session)
{
    if (!sessions->registry)
        return na_error_new(visit->pool, NA_ERR_SESSION, "a session ID without a session store");
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
    NA_TRY(na_session_is_id(token) ? load_id(sessions, visit, source, token, session)
                                   : load_claims(sessions, visit, source, token, session));
    return check_binding(visit, *session);
}

/* ── the tokens of a request ───────────────────────────────────────────────────────────────── */

/*
 * Ranks refusals by uncertainty, to report the most uncertain: a cookie that might be valid is not
 * cleared.
 */
static int weight(const na_error *error)
{
    return na_is_unavailable(error) ? 2 : na_session_is_foreign(error);
}

int na_session_is_foreign(const na_error *error)
{
    return na_error_is(error, NA_ERR_FOREIGN_SESSION);
}

na_error *na_session_load_next(const na_sessions *sessions, const na_visit *visit, na_shown *at,
                               const na_session **session)
{
    const na_session_source *source;
    na_bytes token;
    na_error *error = NULL;
    while ((source = na_shown_next(sessions->config, visit, at, &token))) {
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
 * Accepts what NextAuth's getToken() accepts: encrypted claims, never an ID. The keys of every
 * session cookie are tried.
 */
static na_error *load_bearer(const na_sessions *sessions, const na_visit *visit,
                             const na_session **session)
{
    const na_bytes token = na_bytes_of(visit->bearer);
    na_error *error = NULL;
    *session = NULL;
    if (na_session_is_id(token))
        return na_error_new(visit->pool, NA_ERR_SESSION,
                            "a session ID is only accepted in the cookie");
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
    na_shown at;
    at.source = at.number = at.is_read = 0;
    return na_session_load_next(sessions, visit, &at, session);
}

/* Counts such a session as missing; a new one and a sign-out still end its record. */
static na_error *check_required(const na_sessions *sessions, const na_visit *visit,
                                const na_session **session)
{
    const na_session *s = *session;
    if (sessions->config->two_factor != NA_TWO_FACTOR_REQUIRED || !s || s->second_factor ||
        s->is_remembered)
        return NULL;
    *session = NULL;
    return na_error_new(visit->pool, NA_ERR_SESSION,
                        "the session began without a second factor, which NextAuthTwoFactor "
                        "requires");
}

static na_error *load_allowed(const na_sessions *sessions, const na_visit *visit,
                              const na_session **session)
{
    NA_TRY(load(sessions, visit, session));
    return check_required(sessions, visit, session);
}

na_error *na_session_load(const na_sessions *sessions, const na_visit *visit,
                          const na_session **session)
{
    const na_session_observer *observer = sessions->observer;
    na_observed observed = {NA_LOOKUP_NONE, 0};
    na_visit seen = *visit;
    if (!observer)
        return load_allowed(sessions, visit, session);
    seen.observed = &observed;
    na_error *error = load_allowed(sessions, &seen, session);
    if (error)
        observed.check = na_is_unavailable(error) ? NA_LOOKUP_UNAVAILABLE : NA_LOOKUP_REFUSED;
    apr_int64_t ns = observed.began ? na_monotonic_ns() - observed.began : 0;
    observer->checked(observer->data, observed.check, (double)ns / 1e9);
    return error;
}
