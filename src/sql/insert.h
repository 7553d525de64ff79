/* SPDX-License-Identifier: Apache-2.0 */
/* Inserting rows of a backup, many of them with one statement. */
#ifndef NA_SQL_INSERT_H
#define NA_SQL_INSERT_H

#include "sql/backup_tables.h"

/*
 * Inserts rows of a table in a transaction. `values` has the values of the table's columns as text,
 * row by row: times are ISO 8601, booleans 1 or 0; NULL is NULL. If a row is refused, *refused is
 * its number, from 0.
 */
na_error *na_sql_put_rows(na_db_use *use, const na_backup_table *table, const char *const *values,
                          int count, int *refused);

#endif
