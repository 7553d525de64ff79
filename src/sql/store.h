/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a table of the database. */
#ifndef NA_SQL_STORE_H
#define NA_SQL_STORE_H

#include "sql/database.h"
#include "store/store.h"

/*
 * Sets driver and self of *store, for a store in the table nextauth_store. The database must live
 * as long.
 */
void na_db_store_make(apr_pool_t *pool, na_db *db, na_store *store);

#endif
