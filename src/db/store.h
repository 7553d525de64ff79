/* SPDX-License-Identifier: Apache-2.0 */
/* A table of the database as a store. */
#ifndef NA_DB_STORE_H
#define NA_DB_STORE_H

#include "db/database.h"
#include "store/store.h"

/*
 * A store in the database's table nextauth_store. Sets driver and self of *store; the database has
 * to live as long.
 */
void na_db_store_make(apr_pool_t *pool, na_db *db, na_store *store);

#endif
