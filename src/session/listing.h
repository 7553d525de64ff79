/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of sessions, for their users and for administrators. */
#ifndef NA_SESSION_LISTING_H
#define NA_SESSION_LISTING_H

#include "session/registry.h"

/* One session of a list. */
typedef struct na_listed {
    na_store_key key;
    na_record record;
} na_listed;

/* Appends (na_listed) the sessions of a user, at most NA_USER_SESSIONS_MAX. */
na_error *na_registry_list(const na_registry *registry, apr_pool_t *pool, const char *user,
                           apr_time_t now, apr_array_header_t *list);

/* Visits a session of a listing, which is valid only during the call. */
typedef void na_listed_visit(void *data, const na_listed *listed);

/*
 * Visits about `max` sessions of all users, in no particular order: fewer if few entries of the
 * stores are live sessions of this site, somewhat more if the store's pages are larger. `cursor` is
 * NULL at the beginning, then the previous page's *next, which is NULL at the end. Fails with the
 * code NA_ERR_INVALID_CHECK if the cursor is invalid. Memory is bounded by the page.
 */
na_error *na_registry_list_page(const na_registry *registry, apr_pool_t *pool, const char *cursor,
                                int max, apr_time_t now, na_listed_visit *visit, void *data,
                                const char **next);

/*
 * Counts all sessions: exactly if a store has few entries, otherwise those of a random sample, so
 * that counting takes the same time for any number of them.
 */
na_error *na_registry_count(const na_registry *registry, apr_pool_t *pool, apr_time_t now,
                            apr_int64_t *count);

/* Returns a session's public name, which gives no access. */
const char *na_registry_handle(apr_pool_t *pool, const na_store_key *key);

/*
 * Finds the session of a handle; *is_there is 0 if there is none, or if it does not belong to
 * `user` (NULL for any user).
 */
na_error *na_registry_by_handle(const na_registry *registry, apr_pool_t *pool, const char *user,
                                const char *handle, apr_time_t now, na_listed *session,
                                int *is_there);

#endif
