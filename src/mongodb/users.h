/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of users and accounts. */
#ifndef NA_MONGODB_USERS_H
#define NA_MONGODB_USERS_H

#include "mongodb/use.h"

/*
 * As @auth/mongodb-adapter writes them: users have ObjectIds, to which the field userId of others
 * refers; times are dates. A missing field is NULL. A user without a value has null, an account
 * lacks the field.
 */

/* Generates an ObjectId that no process generates again: time and eight random bytes. */
void na_mongo_new_id(bson_oid_t *oid);
const char *na_mongo_id_text(apr_pool_t *pool, const bson_oid_t *oid);

/* Returns the error of a user ID that is no ObjectId. */
na_error *na_mongo_wrong_id(apr_pool_t *pool);

na_error *na_mongo_get_user(na_db_use *use, const bson_oid_t *id, na_db_user *user, int *found);

/* The same, with the role that an application keeps in the document appended to `roles`. */
na_error *na_mongo_get_user_and_role(na_db_use *use, const bson_oid_t *id, na_db_user *user,
                                     apr_array_header_t *roles, int *found);

/* Finds the user with an email address, whatever its case; the exact one first. */
na_error *na_mongo_get_user_by_email(na_db_use *use, const char *email, na_db_user *user,
                                     int *found);

/* *is_duplicate is 1 if another user has the email address; see na_mongo_insert. */
na_error *na_mongo_create_user(na_db_use *use, const bson_oid_t *id, const na_db_user *user,
                               int *is_duplicate);

/* Writes all fields but the ID, if they are still as they `was` (NULL to write them in any case).
 */
na_error *na_mongo_update_user(na_db_use *use, const bson_oid_t *id, const na_db_user *was,
                               const na_db_user *user, int *matched);

/* Appends up to `count` users (na_db_user) with IDs after `last` (NULL for the first). */
na_error *na_mongo_list_users(na_db_use *use, const bson_oid_t *last, int count,
                              apr_array_header_t *users);

na_error *na_mongo_get_account(na_db_use *use, const char *provider, const char *account_id,
                               na_db_account *account, int *found);
na_error *na_mongo_list_accounts(na_db_use *use, const bson_oid_t *user,
                                 apr_array_header_t *accounts);
na_error *na_mongo_link_account(na_db_use *use, const na_db_account *account, int *is_duplicate);

/* Deletes an account of this user; one that another user has meanwhile stays. */
na_error *na_mongo_unlink_account(na_db_use *use, const bson_oid_t *user,
                                  const na_db_account *account);

/* Replaces `was` by `token` in the field of this name, unless it was changed meanwhile. */
na_error *na_mongo_replace_token(na_db_use *use, const char *field, const na_db_account *account,
                                 const char *was, const char *token);

#endif
