/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuth's table of sessions. */
#ifndef NA_SESSION_TABLE_H
#define NA_SESSION_TABLE_H

#include "db/database.h"
#include "session/registry.h"

/*
 * NextAuth's table of sessions, which Auth.js also reads and writes: a row has the session's ID,
 * its user, and its end. Everything else about the session is in the registry. With the database's
 * option `protects`, the ID is written as a hash, which Auth.js does not find; rows of both forms
 * are always found.
 */

/* A row, with the current user and roles. */
typedef struct na_table_row {
    na_db_user user;
    apr_int64_t expires;             /* seconds */
    const apr_array_header_t *roles; /* const char * */
} na_table_row;

/*
 * Finds a row. Fails with NA_ERR_SESSION if it does not exist, has expired, or its user is
 * disabled.
 */
na_error *na_table_find(const na_db *db, apr_pool_t *pool, const char *id, int role_column,
                        apr_time_t now, na_table_row *row);

/* Adds a row. Fails with NA_ERR_ACCESS_DENIED if the user's revision is no longer `revision`. */
na_error *na_table_add(const na_db *db, apr_pool_t *pool, const char *id, const char *user_id,
                       apr_int64_t revision, apr_int64_t expires);

/*
 * Extends a row. Fails with NA_ERR_SESSION if it does not exist: an application can end the
 * session.
 */
na_error *na_table_extend(const na_db *db, apr_pool_t *pool, const char *id, apr_int64_t expires);

/* Deletes a user's rows: the one of `key`, all others with `but`, or all. */
na_error *na_table_remove(const na_db *db, apr_pool_t *pool, const char *user_id,
                          const na_store_key *key, const na_store_key *but);

/*
 * Set the roles in a session's claims, and return all its claims. `kept` (can be NULL) are the
 * claims from its sign-in. Roles from rules are kept; roles that the database gave at the sign-in
 * are replaced by its current ones.
 */
void na_table_set_roles(json_t *claims, const json_t *kept, const apr_array_header_t *now);
json_t *na_table_claims(apr_pool_t *pool, const json_t *kept, const na_table_row *row,
                        apr_int64_t auth_time);

#endif
