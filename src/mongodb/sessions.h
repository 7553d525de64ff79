/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuth's sessions. */
#ifndef NA_MONGODB_SESSIONS_H
#define NA_MONGODB_SESSIONS_H

#include "mongodb/use.h"

na_error *na_mongo_create_session(na_db_use *use, const bson_oid_t *user, const char *token,
                                  apr_int64_t expires);
na_error *na_mongo_get_session(na_db_use *use, const char *token, na_db_session *session,
                               int *found);
na_error *na_mongo_get_sessions(na_db_use *use, const bson_oid_t *user,
                                apr_array_header_t *sessions);

/* Operations of na_adapter, with an na_mongo as `self`. */
na_error *na_mongo_list_sessions(void *self, apr_pool_t *pool, const char *user_id,
                                 apr_array_header_t *sessions);
na_error *na_mongo_update_session(void *self, apr_pool_t *pool, const char *token,
                                  const char *new_token, apr_int64_t expires, int *found);
na_error *na_mongo_delete_session(void *self, apr_pool_t *pool, const char *token);

#endif
