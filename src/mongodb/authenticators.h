/* SPDX-License-Identifier: Apache-2.0 */
/* Passkeys, as Auth.js names and stores them. */
#ifndef NA_MONGODB_AUTHENTICATORS_H
#define NA_MONGODB_AUTHENTICATORS_H

#include "mongodb/use.h"

na_error *na_mongo_create_authenticator(na_db_use *use, const bson_oid_t *user,
                                        const na_db_authenticator *authenticator);

/* Deletes an authenticator of this user; one that another user has stays. */
na_error *na_mongo_delete_authenticator(na_db_use *use, const bson_oid_t *user,
                                        const char *credential_id);

/* Operations of na_adapter, with an na_mongo as `self`. */
na_error *na_mongo_find_authenticator(void *self, apr_pool_t *pool, const char *credential_id,
                                      na_db_authenticator *authenticator, int *found);
na_error *na_mongo_list_authenticators(void *self, apr_pool_t *pool, const char *user_id,
                                       apr_array_header_t *list);
na_error *na_mongo_update_counter(void *self, apr_pool_t *pool, const char *credential_id,
                                  apr_int64_t counter);

#endif
