/* SPDX-License-Identifier: Apache-2.0 */
/* Which sessions began from a session at a provider, so that they can end together. */
#ifndef NA_SESSION_PROVIDER_SESSION_H
#define NA_SESSION_PROVIDER_SESSION_H

#include "session/registry.h"

/*
 * The session at a provider that a session begins from, as the ID token describes it. It has two
 * names: its own, and that of its user. Of each, a store has a list (list.h) of the sessions that
 * began from it, as bounded as that of a user, and, for an hour after its end, when it ended.
 *
 * No session's validity depends on these entries, so that no lookup of a session reads them. A
 * session is listed when it begins, and again when its use is recorded.
 */
typedef struct na_provider_session {
    const char *provider; /* ID of the provider: two can have the same issuer */
    const char *issuer;
    const char *subject; /* NULL if only the session is named */
    const char *id;      /* `sid`; NULL if only the user is named */
    apr_int64_t since;   /* when the provider issued the token that says so; seconds */
} na_provider_session;

/* Returns the names by which stores know it. */
na_provider_names na_provider_names_of(apr_pool_t *pool, const na_provider_session *session);

/* Lists a session, which has this record, under the names of its session at the provider. */
na_error *na_provider_list_session(const na_registry *registry, apr_pool_t *pool,
                                   const na_record *record, const na_store_key *key,
                                   apr_time_t now);
na_error *na_provider_unlist_session(const na_registry *registry, apr_pool_t *pool,
                                     const na_record *record, const na_store_key *key,
                                     apr_time_t now);

/*
 * Fails with NA_ERR_ACCESS_DENIED if the session at the provider has ended since. To be called for
 * a session that begins after it was listed: one of two that run at once sees the other.
 */
na_error *na_provider_check_alive(const na_registry *registry, apr_pool_t *pool,
                                  const na_provider_names *names);

/* Remembers that it has ended, unless a later end is remembered, before the sessions are ended that
 * began from it. */
na_error *na_provider_remember_end(const na_registry *registry, apr_pool_t *pool,
                                   const na_provider_names *names, apr_time_t now);

/* A session that began from one at a provider, and has not ended. */
typedef struct na_begun {
    na_store_key key;
    na_record record;
} na_begun;

/*
 * Appends the sessions (na_begun) that began from it. If both names are known, those of the user
 * are only the ones of which the provider never said from which of its sessions they began.
 */
na_error *na_provider_sessions(const na_registry *registry, apr_pool_t *pool,
                               const na_provider_names *names, apr_time_t now,
                               apr_array_header_t *sessions);

#endif
