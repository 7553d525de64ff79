/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the file of a backup: its checksum, and then row by row. */
#ifndef NA_DB_BACKUP_FILE_H
#define NA_DB_BACKUP_FILE_H

#include <jansson.h>

#include "db/backup.h"
#include "db/backup_tables.h"

typedef struct na_backup_file {
    /* from the header */
    const char *schema;
    int has_numbers; /* all users' IDs are numbers, from the database's counter */
    int has_store;
    json_int_t generation, last_user_id;

    /* from the end */
    json_int_t counts[NA_TABLES];

    apr_int64_t done, total; /* bytes */

    /* of the last line that was read */
    long number;
    size_t length;

    /* private to backup_file.c */
    apr_pool_t *pool, *line_pool;
    FILE *in;
    char *line; /* allocated with malloc */
    size_t capacity;
    EVP_MD_CTX *digest;
    int table;
    apr_int64_t rows[NA_TABLES];
} na_backup_file;

/*
 * Verifies the checksum of the whole file and reads its header and end. If the checksum is wrong,
 * all rows are examined, and the error names the line. `in` must allow seeking.
 */
na_error *na_backup_file_open(apr_pool_t *pool, FILE *in, na_backup_file **file);

/* Continues with the first row. */
na_error *na_backup_file_rewind(na_backup_file *file);

/*
 * Reads and checks the next row, which is valid until the next call. *table is its table's number.
 * *row is NULL after the last row; the end of the file, and the checksum, were verified then.
 */
na_error *na_backup_file_next(na_backup_file *file, int *table, json_t **row);

/* Creates an error about the last line that was read. */
na_error *na_backup_file_wrong(const na_backup_file *file, const char *what);

/* Returns 1 if the column contains a user's ID. */
int na_backup_is_users_id(const na_backup_column *column);

#endif
