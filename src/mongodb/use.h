/* SPDX-License-Identifier: Apache-2.0 */
/* Uses of MongoDB: reading, changes, and transactions where the servers have them. */
#ifndef NA_MONGODB_USE_H
#define NA_MONGODB_USE_H

#include "mongodb/client.h"

/*
 * Begins a use. A reading one reads a secondary if there is no primary; a current one does not. A
 * writing one has checked that the primary responds. It takes effect operation by operation, but
 * with na_mongo_transact. Fails with NA_ERR_NO_TABLES if the database has not been migrated.
 */
na_error *na_mongo_read(na_mongo *mongo, apr_pool_t *pool, na_db_use **use);
na_error *na_mongo_read_current(na_mongo *mongo, apr_pool_t *pool, na_db_use **use);
na_error *na_mongo_write(na_mongo *mongo, apr_pool_t *pool, na_db_use **use);

/* Begins a writing use of a database that need not be migrated. */
na_error *na_mongo_define(na_mongo *mongo, apr_pool_t *pool, na_db_use **use);

/*
 * Ends a use: commits its transaction if there was no error, otherwise aborts it; then gives its
 * locks back. Returns `error`, or the error of the commit.
 */
na_error *na_mongo_end(na_db_use *use, na_error *error);

/*
 * Runs `work` as a writing use, which is a transaction if the servers have them (a replica set or a
 * sharded cluster). Repeats it a few times after a conflict with others; it must tolerate what a
 * previous attempt left in `data`, and, without transactions, in the database.
 */
typedef na_error *na_mongo_work(void *data, na_db_use *use);

na_error *na_mongo_transact(na_mongo *mongo, apr_pool_t *pool, na_mongo_work *work, void *data);

/* Begins the transaction of a use of na_mongo_transact, once it has its locks. */
na_error *na_mongo_start_transaction(na_db_use *use);

#endif
