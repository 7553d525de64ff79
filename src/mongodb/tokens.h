/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of mailed links. */
#ifndef NA_MONGODB_TOKENS_H
#define NA_MONGODB_TOKENS_H

#include "mongodb/use.h"

na_error *na_mongo_get_token(na_db_use *use, const char *identifier, const char *hash,
                             na_db_token *token, int *found);

/* Only one of several concurrent calls deletes a token: *deleted is 1 for it. */
na_error *na_mongo_take_token(na_db_use *use, const char *identifier, const char *hash,
                              int *deleted);
na_error *na_mongo_delete_tokens(na_db_use *use, const char *identifier);

/* Operations of na_adapter, with an na_mongo as `self`. */
na_error *na_mongo_add_token(void *self, apr_pool_t *pool, const na_db_token *token, int most);
na_error *na_mongo_find_token(void *self, apr_pool_t *pool, const char *identifier,
                              const char *hash, na_db_token *token, int *found);
na_error *na_mongo_use_token(void *self, apr_pool_t *pool, const char *identifier, const char *hash,
                             na_db_token *token, int *found);

#endif
