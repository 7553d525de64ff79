/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of users: second factors, remembered browsers, and access tokens. */
#ifndef NA_MONGODB_SECRETS_H
#define NA_MONGODB_SECRETS_H

#include "mongodb/use.h"

/* { _id: text, userId, kind, name, sealed, scope, counter, createdAt, usedAt, expires: dates } */

na_error *na_mongo_create_secret(na_db_use *use, const bson_oid_t *user,
                                 const na_db_secret *secret);

/* Checks what na_decision.spent asks for, and does it; one of several callers succeeds. */
na_error *na_mongo_can_spend_secret(na_db_use *use, const bson_oid_t *user,
                                    const na_db_secret *spent, int *holds);
na_error *na_mongo_spend_secret(na_db_use *use, const bson_oid_t *user, const na_db_secret *spent,
                                int *holds);

/* `id` is NULL for all of a kind. */
na_error *na_mongo_delete_secrets(na_db_use *use, const bson_oid_t *user, const char *kind,
                                  const char *id);

/* Operations of na_adapter, with an na_mongo as `self`. */
na_error *na_mongo_find_secret(void *self, apr_pool_t *pool, const char *kind, const char *id,
                               na_db_secret *secret, int *found);
na_error *na_mongo_list_secrets(void *self, apr_pool_t *pool, const char *user_id, const char *kind,
                                apr_array_header_t *secrets);
na_error *na_mongo_use_secret(void *self, apr_pool_t *pool, const char *kind, const char *id,
                              apr_int64_t used_at);

#endif
