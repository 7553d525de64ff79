/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of backups, from documents. */
#ifndef NA_MONGODB_TABLES_H
#define NA_MONGODB_TABLES_H

#include "mongodb/use.h"

/* The collection of a table: roles, credentials, and revisions share one. */
na_collection na_mongo_collection_of(na_db_table table);

/* Appends the rows (na_db_row) of a table that a document has: none if it lacks a value. */
void na_mongo_rows_of(apr_pool_t *pool, na_db_table table, const bson_t *document,
                      apr_array_header_t *rows);

/* Operations of na_adapter, with an na_mongo as `self`. */
na_error *na_mongo_begin_backup(void *self, apr_pool_t *pool, na_db_use **use);
na_error *na_mongo_has_table(na_db_use *use, apr_pool_t *pool, na_db_table table, int *found);
na_error *na_mongo_count_rows(na_db_use *use, apr_pool_t *pool, na_db_table table,
                              apr_int64_t *count);
na_error *na_mongo_read_rows(na_db_use *use, apr_pool_t *pool, na_db_table table,
                             const void **cursor, apr_array_header_t *rows);
na_error *na_mongo_read_ids(na_db_use *use, apr_pool_t *pool, na_db_ids *ids);

#endif
