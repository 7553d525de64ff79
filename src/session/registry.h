/* SPDX-License-Identifier: Apache-2.0 */
/* Records of sessions in stores. */
#ifndef NA_SESSION_REGISTRY_H
#define NA_SESSION_REGISTRY_H

#include "session/observer.h"
#include "session/record.h"
#include "session/session.h"

/*
 * The sessions in stores: their records, and a list for each user. The first store is written; the
 * others are previous stores, read until their sessions have ended. All functions fail with the
 * code NA_ERR_UNAVAILABLE if a store does not respond.
 */
typedef struct na_registry {
    const na_record_keys *keys;
    const na_record_keys *token_keys; /* of providers' tokens; NULL if none are kept */
    const char *const *namespaces;    /* one for each of the keys */
    const na_store *const *stores;
    int store_count;
    long remember;     /* seconds for which ends are remembered: longer than any token is valid */
    long use_interval; /* seconds between updates of a session's last use */
    int accepts_lost;  /* tokens older than the store's epoch are accepted */
    struct na_epoch_cache *epoch;        /* see epoch.h */
    const na_session_observer *observer; /* notified of sessions that are ended; NULL if none */

    /* called when the first store is found empty and a new epoch begins; NULL if none */
    void (*forgot)(void *data, const char *store);
    void *forgot_data;
} na_registry;

/* The client of a request. */
typedef struct na_client {
    const char *address;    /* IP address; NULL if unknown */
    const char *user_agent; /* NULL if unknown */
    int is_passive;         /* 1 if the request does not count as use of its session */
} na_client;

/*
 * Most ends of one user's sessions that are remembered individually, within the time of `remember`.
 */
#define NA_USER_ENDS_MAX 50

/*
 * Adds a session that begins at `now` to its user's list. *auth_time is when it began: later than
 * `now` if all of the user's sessions were ended within the same second.
 */
na_error *na_registry_begin(const na_registry *registry, apr_pool_t *pool, const char *user,
                            const na_store_key *key, apr_int64_t expires, apr_time_t now,
                            apr_int64_t *auth_time);

/*
 * Writes the record of a session that began: with the user, the times `created` and `expires`, the
 * claims (NULL if the token has them), and the session at the provider.
 */
na_error *na_registry_record(const na_registry *registry, apr_pool_t *pool, const na_store_key *key,
                             const na_client *client, const na_record *begun, apr_time_t now);

/*
 * Finds a session by its ID: *record has the claims. Fails if there is no such session, it has
 * ended, or its user's sessions were ended. Records the use.
 */
na_error *na_registry_find(const na_registry *registry, apr_pool_t *pool, const na_store_key *key,
                           const na_client *client, apr_time_t now, na_record *record);

/* Reads the record of a session without any check; *is_there is 0 if none. */
na_error *na_registry_look(const na_registry *registry, apr_pool_t *pool, const na_store_key *key,
                           na_record *record, int *is_there);

/*
 * Fails if the session of a token or all sessions of its user were ended, or if its record was
 * lost, so that it is unknown whether it was ended. *newer are claims that can be newer than the
 * token's; NULL if there are none.
 */
na_error *na_registry_check(const na_registry *registry, apr_pool_t *pool,
                            const na_session *session, const na_client *client, apr_time_t now,
                            const json_t **newer);

/*
 * Replaces the claims in a session's record, and those of its tokens. Fails with NA_ERR_SESSION if
 * the session has ended or has no record, and with NA_ERR_BUSY if the record has claims that are
 * newer than the session's.
 */
na_error *na_registry_replace_claims(const na_registry *registry, apr_pool_t *pool,
                                     const na_session *session, const json_t *claims,
                                     apr_time_t now);

/*
 * Sets the end of a session's record to `expires`, and its claims to `claims`, unless they are NULL
 * or older than those that it has. `in_token` is 1 if a token is about to be issued, `is_first` if
 * it is the first with this ID.
 */
na_error *na_registry_extend(const na_registry *registry, apr_pool_t *pool,
                             const na_session *session, const na_client *client,
                             const json_t *claims, int in_token, int is_first, apr_int64_t expires,
                             apr_time_t now);

/* Ends one session of a user; `auth_time` is its sign-in (seconds). */
na_error *na_registry_end(const na_registry *registry, apr_pool_t *pool, const char *user,
                          const na_store_key *key, apr_int64_t auth_time, apr_time_t now);

/* Ends all sessions of a user; with `but`, all but that one. */
na_error *na_registry_end_user(const na_registry *registry, apr_pool_t *pool, const char *user,
                               const na_store_key *but, apr_time_t now);

#endif
