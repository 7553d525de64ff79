/* SPDX-License-Identifier: Apache-2.0 */
/* Finding users, with everything that decides what they may do. */
#ifndef NA_MONGODB_FIND_H
#define NA_MONGODB_FIND_H

#include "mongodb/use.h"

/* Operations of na_adapter, with an na_mongo as `self`. */
na_error *na_mongo_find_person(void *self, apr_pool_t *pool, const na_db_who *who,
                               na_db_person *person, int *found);
na_error *na_mongo_list_people(void *self, apr_pool_t *pool, const char *last, int count,
                               apr_array_header_t *people);
na_error *na_mongo_accounts_of(void *self, apr_pool_t *pool, const char *user_id,
                               apr_array_header_t *accounts);
na_error *na_mongo_find_account(void *self, apr_pool_t *pool, const char *provider,
                                const char *account_id, na_db_account *account, int *found);
na_error *na_mongo_find_session(void *self, apr_pool_t *pool, const char *token, int role_column,
                                na_db_session *session, na_db_person *person, int *found);

#endif
