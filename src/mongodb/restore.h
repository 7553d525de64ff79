/* SPDX-License-Identifier: Apache-2.0 */
/* Restoring collections from rows of a backup. */
#ifndef NA_MONGODB_RESTORE_H
#define NA_MONGODB_RESTORE_H

#include "mongodb/use.h"

/* Operations of na_adapter, with an na_mongo as `self`. */
na_error *na_mongo_begin_restore(void *self, apr_pool_t *pool, na_db_use **use);
na_error *na_mongo_empty_table(na_db_use *use, apr_pool_t *pool, na_db_table table);
na_error *na_mongo_insert_rows(na_db_use *use, apr_pool_t *pool, na_db_table table,
                               const apr_array_header_t *rows, int *refused);
na_error *na_mongo_find_shared_email(na_db_use *use, apr_pool_t *pool, const char **email);
na_error *na_mongo_write_ids(na_db_use *use, apr_pool_t *pool, const na_db_ids *ids);
na_error *na_mongo_end_restore(na_db_use *use, na_error *error);

#endif
