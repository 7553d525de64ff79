/* SPDX-License-Identifier: Apache-2.0 */
/* The tables and columns of a backup. */
#ifndef NA_DB_BACKUP_TABLES_H
#define NA_DB_BACKUP_TABLES_H

#include <openssl/evp.h>

#include "db/adapter.h"

#define NA_BACKUP_FORMAT "nextauth-backup"
#define NA_BACKUP_VERSION 1
#define NA_BACKUP_GENERATION "generation"
#define NA_BACKUP_LAST_ID "lastUserId"
#define NA_BACKUP_NUMBERS "numericIds"
#define NA_BACKUP_COLUMNS_MAX 11

/* Largest line in bytes; a row with tokens has some ten thousand. */
#define NA_BACKUP_LINE_MAX (8 * 1024 * 1024)

/* The largest ID that a database generates, and that is a user's. */
#define NA_BACKUP_ID_MAX 2147483647

typedef enum na_column_kind {
    NA_COLUMN_TEXT,
    NA_COLUMN_ID,      /* ID of a user, in the schema's type; text in backups */
    NA_COLUMN_ID_TEXT, /* ID of a user, as text in every schema */
    NA_COLUMN_INT,
    NA_COLUMN_BOOL,
    NA_COLUMN_TIME /* ISO 8601 in backups */
} na_column_kind;

typedef struct na_backup_column {
    const char *name; /* in backups */
    na_column_kind kind;
    int may_be_null;
} na_backup_column;

typedef struct na_backup_table {
    const char *name; /* in backups */
    int is_optional;
    int ends; /* sessions and links: restored only with keep_sessions */
    const na_backup_column columns[NA_BACKUP_COLUMNS_MAX + 1];
} na_backup_table;

/* In the order of na_db_table. */
extern const na_backup_table na_backup_tables[NA_TABLES];

/* Returns the number of a table's columns. */
int na_backup_columns(na_db_table table);

/* Creates a SHA-256 digest of lines, which lives as long as the pool. */
EVP_MD_CTX *na_backup_digest(apr_pool_t *pool);
const char *na_backup_digest_text(apr_pool_t *pool, EVP_MD_CTX *digest);

#endif
