/* SPDX-License-Identifier: Apache-2.0 */
/* The tables and columns of a backup. */
#ifndef NA_SQL_BACKUP_TABLES_H
#define NA_SQL_BACKUP_TABLES_H

#include <stdio.h>

#include <openssl/evp.h>

#include "sql/database.h"

#define NA_BACKUP_FORMAT "nextauth-backup"
#define NA_BACKUP_VERSION 1
#define NA_BACKUP_GENERATION "generation"
#define NA_BACKUP_LAST_ID "lastUserId"
#define NA_BACKUP_COLUMNS_MAX 11

/* Largest line in bytes; a row with tokens has some ten thousand. */
#define NA_BACKUP_LINE_MAX (8 * 1024 * 1024)

typedef enum na_column_kind {
    NA_COLUMN_TEXT,
    NA_COLUMN_ID,      /* ID of a user, in the schema's type; text in backups */
    NA_COLUMN_ID_TEXT, /* ID of a user, as text in every schema */
    NA_COLUMN_INT,
    NA_COLUMN_BOOL,
    NA_COLUMN_TIME /* ISO 8601 in backups */
} na_column_kind;

typedef struct na_backup_column {
    const char *name; /* in backups, and between {} in na_schema_text */
    na_column_kind kind;
    int may_be_null;
} na_backup_column;

typedef struct na_backup_table {
    const char *name; /* in backups */
    const char *text; /* for na_schema_text */
    const char *key[2];
    int has_row_id; /* rows have an ID that nothing refers to */
    int has_times;  /* createdAt and updatedAt, if the schema has them */
    int is_optional;
    int ends; /* sessions and links: restored only with keep_sessions */
    const na_backup_column columns[NA_BACKUP_COLUMNS_MAX + 1];
} na_backup_table;

/* The tables in the order of backups: users before rows that refer to them, the store last. */
extern const na_backup_table na_backup_tables[];

/*
 * Returns the name "WHAT_NUMBER" of a statement about a table, for na_sql_select_text and
 * na_sql_change_text.
 */
const char *na_backup_statement(apr_pool_t *pool, const char *what, const na_backup_table *table);

/* Sets *found to 1 if the table exists. A missing table is an error unless it is optional. */
na_error *na_backup_find(na_db_use *use, const na_backup_table *table, int *found);
na_error *na_backup_count(na_db_use *use, const na_backup_table *table, apr_int64_t *count);

/* Creates a SHA-256 digest of lines, which lives as long as the pool. */
EVP_MD_CTX *na_backup_digest(apr_pool_t *pool);
const char *na_backup_digest_text(apr_pool_t *pool, EVP_MD_CTX *digest);

#endif
