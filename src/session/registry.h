/* SPDX-License-Identifier: Apache-2.0 */
/* Records of sessions, and lists of them, in stores. */
#ifndef NA_SESSION_REGISTRY_H
#define NA_SESSION_REGISTRY_H

#include "session/observer.h"
#include "session/record.h"
#include "session/session.h"

/*
 * The sessions that stores know of: their records, and who has which. The first store is written
 * to; the others are those of before, read until what they have has ended. Everything fails with
 * the code NA_ERR_UNAVAILABLE where a store does not answer.
 */
typedef struct na_registry {
    const na_record_keys *keys;
    const char *const *namespaces; /* as many as keys */
    const na_store *const *stores;
    int store_count;
    long remember;     /* seconds: no token outlives its session's end for longer */
    long use_interval; /* seconds between notes of when a session was last used */
    int accepts_lost;  /* tokens from before the stores' memory are taken all the same */
    const na_session_observer *observer; /* told of sessions that are ended; NULL: nobody is */

    /* called when the first store turns out to have no memory, which begins then; NULL if none */
    void (*forgot)(void *data, const char *store);
    void *forgot_data;
} na_registry;

/* Who uses a session, as the request shows. */
typedef struct na_client {
    const char *address;    /* NULL: unknown */
    const char *user_agent; /* likewise */
} na_client;

/* Most ends of one user's sessions that are remembered one by one, within the time of `remember`.
 */
#define NA_USER_ENDS_MAX 50

/*
 * Puts a session that begins at `now` on its user's list. *auth_time is when it began: later than
 * now where "sign out everywhere" came within the same second.
 */
na_error *na_registry_begin(const na_registry *registry, apr_pool_t *pool, const char *user,
                            const na_store_key *key, apr_int64_t expires, apr_time_t now,
                            apr_int64_t *auth_time);

/* Writes the record of a session that was begun. `claims` NULL: the token carries them. */
na_error *na_registry_record(const na_registry *registry, apr_pool_t *pool, const char *user,
                             const na_store_key *key, const na_client *client, const json_t *claims,
                             apr_int64_t auth_time, apr_int64_t expires, apr_time_t now);

/*
 * The session of an id, from its record: *record has claims. Fails if there is none, where it
 * was ended, or its user's sessions were. Keeps the record up to date.
 */
na_error *na_registry_find(const na_registry *registry, apr_pool_t *pool, const na_store_key *key,
                           const na_client *client, apr_time_t now, na_record *record);

/* The record of a session, whatever it says; *is_there is 0 if none. */
na_error *na_registry_look(const na_registry *registry, apr_pool_t *pool, const na_store_key *key,
                           na_record *record, int *is_there);

/*
 * Fails if the session of a token was ended, or its user's sessions were, or its record is gone:
 * then nobody knows whether it was.
 */
na_error *na_registry_check(const na_registry *registry, apr_pool_t *pool,
                            const na_session *session, const na_client *client, apr_time_t now);

/*
 * Makes a session's record end at `expires`, with `claims` where those are not NULL. `in_token`: a
 * token of it is about to be made, `is_first`: the first that has its id.
 */
na_error *na_registry_extend(const na_registry *registry, apr_pool_t *pool,
                             const na_session *session, const na_client *client,
                             const json_t *claims, int in_token, int is_first, apr_int64_t expires,
                             apr_time_t now);

/* Ends one session of a user's, whose sign-in was at `auth_time` (seconds). */
na_error *na_registry_end(const na_registry *registry, apr_pool_t *pool, const char *user,
                          const na_store_key *key, apr_int64_t auth_time, apr_time_t now);

/* Ends all sessions of a user's; with `but`, all but that one. */
na_error *na_registry_end_user(const na_registry *registry, apr_pool_t *pool, const char *user,
                               const na_store_key *but, apr_time_t now);

/* One session of a list. */
typedef struct na_listed {
    na_store_key key;
    na_record record;
} na_listed;

/* Appends (na_listed) the sessions of a user; of everybody where `user` is NULL. */
na_error *na_registry_list(const na_registry *registry, apr_pool_t *pool, const char *user,
                           apr_time_t now, apr_array_header_t *list);

/* How many sessions there are. */
na_error *na_registry_count(const na_registry *registry, apr_pool_t *pool, apr_time_t now,
                            apr_int64_t *count);

/* A session's name for people and programs to call it by, which is no way in. */
const char *na_registry_handle(apr_pool_t *pool, const na_store_key *key);

/*
 * The session of a handle; *is_there is 0 if none, or where it is not of `user` (NULL:
 * anybody's).
 */
na_error *na_registry_by_handle(const na_registry *registry, apr_pool_t *pool, const char *user,
                                const char *handle, apr_time_t now, na_listed *session,
                                int *is_there);

#endif
