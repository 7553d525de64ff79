/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of requests: looking up, beginning, renewing, and ending them. */
#ifndef NA_SESSION_SESSIONS_H
#define NA_SESSION_SESSIONS_H

#include "base/cookie.h"
#include "session/cache.h"
#include "session/observer.h"
#include "session/provider_session.h"
#include "session/registry.h"
#include "session/standing.h"
#include "session/table.h"
#include "session/verified.h"

/* One kind of session cookie that is accepted. Immutable configuration. */
typedef struct na_session_source {
    na_dialect dialect;
    na_cookie cookie;
    apr_size_t name_len;
    na_keyring ring;
} na_session_source;

#define NA_SESSION_SOURCES_MAX 2

/*
 * IDs of configurations are multiples of this: each source is an owner of its own in the cache of
 * tokens, and so are the answers of answer.h.
 */
#define NA_SESSION_ID_STEP 4

/* The place of a session's claims: in the cookie, or on the server with an ID as cookie. */
typedef enum na_strategy { NA_STRATEGY_JWT, NA_STRATEGY_DATABASE } na_strategy;

/* NextAuthTwoFactor. */
typedef enum na_two_factor {
    NA_TWO_FACTOR_OFF,
    NA_TWO_FACTOR_OPTIONAL, /* of users who set one up */
    NA_TWO_FACTOR_REQUIRED  /* of all users */
} na_two_factor;

/* Default seconds for which a process relies on its last lookup. */
#define NA_CHECK_INTERVAL 5

typedef struct na_session_config {
    apr_uint64_t id; /* of the configuration in the caches of a process (NA_SESSION_ID_STEP) */
    na_session_source sources[NA_SESSION_SOURCES_MAX]; /* the first is the one written */
    int source_count;
    const apr_array_header_t *identity_claims; /* na_identity_claim */
    na_strategy strategy; /* of new sessions; those of the other strategy are still read */
    na_lifetime lifetime;
    na_two_factor two_factor;
    int role_column;       /* users of the database have a column `role` */
    long update_age;       /* seconds between renewals on page requests */
    long check_interval;   /* seconds for which a process relies on its last lookup */
    long serve_for;        /* likewise while the store is down; 0 if requests are refused then */
    int accepts_lost;      /* sessions older than the store's epoch are accepted */
    apr_size_t cookie_max; /* most bytes of a Cookie header that httpd accepts */
    const char *site;      /* the site's URL, or a name that sites share */
    int refuse_unbound; /* another site has the same secret, so tokens without a site are refused */
    int refuse_unbound_rows; /* likewise for rows in NextAuth's table and the database */
    na_record_keys record_keys;
    na_record_keys token_keys;     /* of providers' tokens; without keys if none are kept */
    const char *const *namespaces; /* of users in the store, one for each secret */
} na_session_config;

/* Data of a process. */
typedef struct na_sessions {
    const na_session_config *config;
    na_token_cache *tokens; /* NULL if none */
    na_verified *verified;  /* of the process; NULL if there is neither a registry nor a database */
    const na_registry *registry;         /* NULL if nothing is kept on the server */
    const na_session_observer *observer; /* NULL if none */
    na_db *users; /* queried about sessions of its users; NULL if there is no database */
    na_db *table; /* database with NextAuth's table of sessions; NULL if the registry has all */
} na_sessions;

/* A request that has a session or is about to get one. */
typedef struct na_visit {
    apr_pool_t *pool;
    apr_time_t now;
    const char *cookie_header; /* NULL if there is none */
    const char *bearer;        /* a session token instead of cookies; NULL if none */
    int asks_anew;             /* 1 to query the store and the database, even if queried recently */
    const char *binding;       /* for sessions of this client; NULL if unbound, "" if the client
                                  lacks the value */
    na_client client;
    struct na_observed *observed; /* for na_session_load only */
} na_visit;

/* Returns the binding for a value that identifies the client. */
const char *na_session_binding(apr_pool_t *pool, const char *value);

/*
 * Writes the session of a request: NULL if none, otherwise held until the pool is destroyed. An
 * error gives the reason why a cookie is not a valid session. Treat it as no session, unless the
 * code is NA_ERR_UNAVAILABLE: then it is unknown whether there is one.
 */
na_error *na_session_load(const na_sessions *sessions, const na_visit *visit,
                          const na_session **session);

/*
 * Begins a session with `claims`, to which this module's own are added. Appends the Set-Cookie
 * values (char *) that replace the cookies of the request to `set_cookies`. Ends the session that
 * the request had: every sign-in gets a new ID. Claim NA_CLAIM_SESSION_ID is that of an ID that
 * na_session_new_id chose; without it, a new one is used. `at_provider` is the session at the
 * provider with which it ends; NULL if there is none, or nothing is kept of it. Fails with
 * NA_ERR_ACCESS_DENIED if that has ended meanwhile.
 */
na_error *na_session_begin(const na_sessions *sessions, const na_visit *visit, json_t *claims,
                           const na_provider_session *at_provider, apr_array_header_t *set_cookies);

/*
 * Begins a session with the claims of one that ended, at another revision of its user: for a user
 * whose change ended all other sessions.
 */
na_error *na_session_restart(const na_sessions *sessions, const na_visit *visit,
                             const na_session *session, apr_int64_t revision,
                             apr_array_header_t *set_cookies);

/*
 * Begins a session likewise, with these claims instead of those that the session had: for a user
 * who gave a second factor.
 */
na_error *na_session_restart_with(const na_sessions *sessions, const na_visit *visit,
                                  const na_session *session, apr_int64_t revision,
                                  const json_t *claims, apr_array_header_t *set_cookies);

/* Returns 1 if a page request must renew the session. */
int na_session_is_due(const na_session_config *config, const na_session *session, apr_time_t now);

/* A renewal of a session. Between the two functions below, a caller can change it. */
typedef struct na_renewal {
    json_t *claims;      /* owned by the pool; na_session_check_claims those that you changed */
    int is_written;      /* 1 if the claims are written: always to a token, to a record if due */
    apr_int64_t expires; /* the end in seconds, before and after the renewal */
} na_renewal;

/* Prepares the renewal of a session of the request, with all its claims. */
na_error *na_session_prepare(const na_sessions *sessions, const na_visit *visit,
                             const na_session *session, na_renewal *renewal);

/*
 * Renews a session for another maximum age, in the form of new sessions. The error is
 * NA_ERR_CONFIGURATION if the claims cannot be written to a cookie.
 */
na_error *na_session_renew(const na_sessions *sessions, const na_visit *visit,
                           const na_session *session, na_renewal *renewal,
                           apr_array_header_t *set_cookies);

/*
 * Replaces the claims of a session that has a record, whichever of its tokens is used from now on:
 * `claims` have a later NA_CLAIM_PROFILE_DUE than all others. *changed is the session with them,
 * which is due to be renewed. Fails with NA_ERR_SESSION if it has ended.
 */
na_error *na_session_replace_claims(const na_sessions *sessions, const na_visit *visit,
                                    const na_session *session, const json_t *claims,
                                    const na_session **changed);

/* Fails if a session with these claims would be refused later, or if they are too large. */
na_error *na_session_check_claims(apr_pool_t *pool, const json_t *claims);

/*
 * Ends the sessions of the request: clears the cookies, even if something fails, and ends the
 * sessions in the registry. *ended is the first of them, NULL if there was none.
 */
na_error *na_session_end(const na_sessions *sessions, const na_visit *visit,
                         apr_array_header_t *set_cookies, const na_session **ended);

/* End another session of the same user, or all of them except `but` (NULL if none). */
na_error *na_session_end_other(const na_sessions *sessions, apr_pool_t *pool, const char *user,
                               const na_store_key *key, apr_int64_t auth_time, apr_time_t now);
na_error *na_session_end_user(const na_sessions *sessions, apr_pool_t *pool, const char *user,
                              const na_session *but, apr_time_t now);

/*
 * Ends all sessions that began from one at a provider, or from any of its user
 * (provider_session.h). `remembers` is 1 to end also those that are beginning. Appends what was
 * ended (na_begun).
 */
na_error *na_session_end_at_provider(const na_sessions *sessions, apr_pool_t *pool,
                                     const na_provider_session *at_provider, int remembers,
                                     apr_time_t now, apr_array_header_t *ended);

/*
 * Returns 1 if the refused token can be decrypted, but belongs to an application and names no user,
 * or belongs to another site: its cookie is not cleared.
 */
int na_session_is_foreign(const na_error *error);

/* Appends the Set-Cookie values that clear every session cookie of the request. */
void na_session_clear(const na_session_config *config, const na_visit *visit,
                      apr_array_header_t *set_cookies);

#endif
