/* SPDX-License-Identifier: Apache-2.0 */
/* A user's two entries in the stores: a record, and the list of sessions. */
#ifndef NA_SESSION_USER_ENTRIES_H
#define NA_SESSION_USER_ENTRIES_H

#include "session/lookup.h"

/* Returns a user's keys of a kind, one for each secret, and room for more; likewise *values. */
na_store_key *na_user_keys(const na_registry *registry, apr_pool_t *pool, const char *kind,
                           const char *user, int and_more, na_found **values);

/* Decrypts the records under all secrets, and merges them. */
na_error *na_user_open(const na_registry *registry, apr_pool_t *pool, const na_store_key *keys,
                       const na_found *values, na_user_record *record);

na_error *na_user_find(const na_registry *registry, apr_pool_t *pool, const char *user,
                       na_user_record *record);

/* Changes a user's record. Called again with the new record if a concurrent change was first. */
typedef void na_user_change(const na_registry *registry, na_user_record *record, void *data);

na_error *na_user_update(const na_registry *registry, apr_pool_t *pool, const char *user,
                         apr_time_t now, na_user_change *how, void *data);

/* Returns 1 if the record ends a session that began at `auth_time` (seconds). */
int na_user_has_ended(const na_user_record *user, apr_int64_t auth_time, const na_store_key *key);

/*
 * Merges the lists under all secrets; returns 1 if the one that is written is complete. A list that
 * was tampered with counts as empty and is filled again.
 */
int na_user_open_lists(const na_registry *registry, apr_pool_t *pool, const na_store_key *keys,
                       const na_found *values, apr_array_header_t *list);

/* A list in the stores: that of all sessions of a user, or one of provider_session.h. */
typedef struct na_list {
    const char *kind; /* of its entries */
    const char *name;
    const char *user; /* for the memory of sessions that give way to others */
} na_list;

/* Returns the list of all sessions of a user. */
na_list na_user_list(const char *user);

/*
 * Changes a list; returns 0 if there is nothing to change. Called again with the new list if
 * a concurrent change was first. Sessions that it moves to `ends` are ended before the list is
 * written, so that none is lost.
 */
typedef int na_user_change_list(apr_array_header_t *list, apr_array_header_t *ends, void *data);

na_error *na_user_update_list(const na_registry *registry, apr_pool_t *pool, const na_list *list,
                              apr_time_t now, na_user_change_list *how, void *data);

/* Adds a session to the list until a time in seconds, and removes expired ones. */
na_error *na_user_list_session(const na_registry *registry, apr_pool_t *pool, const na_list *list,
                               const na_store_key *key, apr_int64_t until, apr_time_t now);

/* Removes a session from the list. */
na_error *na_user_unlist_session(const na_registry *registry, apr_pool_t *pool, const na_list *list,
                                 const na_store_key *key, apr_time_t now);

#endif
