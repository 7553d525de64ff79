/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuth's table of sessions. */
#ifndef NA_SESSION_TABLE_H
#define NA_SESSION_TABLE_H

#include "db/adapter.h"
#include "session/registry.h"

/*
 * NextAuth's table of sessions, which Auth.js reads and writes as well: a row has the session's
 * ID, its user and its end. What else there is to a session is in the registry. With the database's
 * option `protects` the ID is written as a hash, which Auth.js does not find; rows of both forms
 * are found in any case.
 */

/* A row, with the current user and roles. */
typedef struct na_table_row {
    na_db_user user;
    apr_int64_t expires;             /* seconds */
    const apr_array_header_t *roles; /* const char * */
} na_table_row;

/* Fails with NA_ERR_SESSION if the row does not exist, has expired, or its user is disabled. */
na_error *na_table_find(na_db *db, apr_pool_t *pool, const char *id, int role_column,
                        apr_time_t now, na_table_row *row);

/* Fails with NA_ERR_ACCESS_DENIED if the user's revision is not `revision` any more. */
na_error *na_table_add(na_db *db, apr_pool_t *pool, const char *id, const char *user_id,
                       apr_int64_t revision, apr_int64_t expires);

/* Fails with NA_ERR_SESSION if the row does not exist: an application can end the session. */
na_error *na_table_extend(na_db *db, apr_pool_t *pool, const char *id, apr_int64_t expires);

/* Deletes a user's rows: the one of `key`, or with `but` all others, or all. */
na_error *na_table_remove(na_db *db, apr_pool_t *pool, const char *user_id, const na_store_key *key,
                          const na_store_key *but);

/*
 * A session's claims: `kept` (may be NULL) of its sign-in, with the user and the roles as they are
 * now. Roles that rules gave stay; those of the database at the sign-in are its no more.
 */
void na_table_set_roles(json_t *claims, const json_t *kept, const apr_array_header_t *now);
json_t *na_table_claims(apr_pool_t *pool, const json_t *kept, const na_table_row *row,
                        apr_int64_t auth_time);

#endif
