/* SPDX-License-Identifier: Apache-2.0 */
/* Generations: numbers that distinguish a restored database from its predecessor. */
#ifndef NA_SQL_GENERATION_H
#define NA_SQL_GENERATION_H

#include "sql/database.h"

/* Implement the adapter's functions: see na_db_ids. */
na_error *na_sql_read_ids(na_db_use *use, apr_pool_t *pool, na_db_ids *ids);
na_error *na_sql_write_ids(na_db_use *use, apr_pool_t *pool, const na_db_ids *ids);

#endif
