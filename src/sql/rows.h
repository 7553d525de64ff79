/* SPDX-License-Identifier: Apache-2.0 */
/* Whole tables, for backups: reading their rows by pages, and emptying them. */
#ifndef NA_SQL_ROWS_H
#define NA_SQL_ROWS_H

#include "db/backup_tables.h"
#include "sql/database.h"

/* A table of backups as SQL has it; its columns are words for na_schema_text. */
typedef struct na_sql_table {
    const char *text; /* for na_schema_text */
    const char *key[2];
    int has_row_id; /* rows have an ID that nothing refers to */
    int has_times;  /* createdAt and updatedAt, if the schema has them */
} na_sql_table;

extern const na_sql_table na_sql_tables[NA_TABLES];

/* Returns the name "WHAT_NUMBER" of a statement about a table. */
const char *na_sql_statement_name(apr_pool_t *pool, const char *what, na_db_table table);

/* Implement the adapter's functions of the same names. */
na_error *na_sql_begin_backup(void *self, apr_pool_t *pool, na_db_use **use);
na_error *na_sql_begin_restore(void *self, apr_pool_t *pool, na_db_use **use);
na_error *na_sql_find_table(na_db_use *use, apr_pool_t *pool, na_db_table table, int *found);
na_error *na_sql_count_rows(na_db_use *use, apr_pool_t *pool, na_db_table table,
                            apr_int64_t *count);
na_error *na_sql_read_rows(na_db_use *use, apr_pool_t *pool, na_db_table table, const void **cursor,
                           apr_array_header_t *rows);
na_error *na_sql_empty_table(na_db_use *use, apr_pool_t *pool, na_db_table table);
na_error *na_sql_find_shared_email(na_db_use *use, apr_pool_t *pool, const char **email);

#endif
