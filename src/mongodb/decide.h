/* SPDX-License-Identifier: Apache-2.0 */
/* Doing what was decided about a user. */
#ifndef NA_MONGODB_DECIDE_H
#define NA_MONGODB_DECIDE_H

#include "mongodb/use.h"

/* Operations of na_adapter, with an na_mongo as `self`. */
na_error *na_mongo_decide(void *self, apr_pool_t *pool, na_decision *decision);
na_error *na_mongo_replace_tokens(void *self, apr_pool_t *pool, const na_db_account *was,
                                  const na_db_account *is);
na_error *na_mongo_replace_hash(void *self, apr_pool_t *pool, const char *user_id, const char *was,
                                const char *hash);

#endif
