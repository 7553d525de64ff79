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

/* Appends (na_listed) the sessions of a user; of all users if `user` is NULL. */
na_error *na_registry_list(const na_registry *registry, apr_pool_t *pool, const char *user,
                           apr_time_t now, apr_array_header_t *list);

/* Counts all sessions. */
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
