/* SPDX-License-Identifier: Apache-2.0 */
/* Ends of sessions, which are remembered in the place of their records. */
#ifndef NA_SESSION_REMEMBERED_H
#define NA_SESSION_REMEMBERED_H

#include "session/registry.h"

/* Seconds for which an end is remembered if the session cannot be used without its record. */
#define NA_END_SHORT 300

/* Remembers the end of a session, in the first store, until a time in seconds. */
na_error *na_end_remember(const na_registry *registry, apr_pool_t *pool, const char *user,
                          const na_store_key *key, const na_provider_names *at_provider,
                          apr_int64_t until);

/*
 * Ends a session's record. If its tokens can be used without a record, the end is remembered until
 * none can be valid anymore, unless the user's record covers it (`is_covered`).
 */
na_error *na_end_record(const na_registry *registry, apr_pool_t *pool, const char *user,
                        const na_store_key *key, int is_covered, apr_time_t now);

/* Ends the records of all sessions (na_listing) of an array. */
na_error *na_end_records(const na_registry *registry, apr_pool_t *pool, const char *user,
                         const apr_array_header_t *listings, apr_time_t now);

#endif
