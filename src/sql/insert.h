/* SPDX-License-Identifier: Apache-2.0 */
/* Inserting rows of a backup, many of them with one statement. */
#ifndef NA_SQL_INSERT_H
#define NA_SQL_INSERT_H

#include "sql/rows.h"

/* Implements the adapter's function. */
na_error *na_sql_insert_rows(na_db_use *use, apr_pool_t *pool, na_db_table table,
                             const apr_array_header_t *rows, int *refused);

#endif
