/* SPDX-License-Identifier: Apache-2.0 */
/* Files of names: how an application calls the tables and columns of Auth.js. */
#ifndef NA_SQL_NAMES_FILE_H
#define NA_SQL_NAMES_FILE_H

#include <apr_tables.h>

#include "base/error.h"

/* How schema= begins if a file lists the names. */
#define NA_NAMES_FILE "names:"

/* How a table or column is named that does not exist. */
#define NA_NAMES_NONE "-"

typedef struct na_names_file {
    const char *base; /* whose names and types hold where the file has none; NULL for the default */
    int base_line;
    const char *ids;    /* "text", "uuid" or "numbers"; NULL for the base's */
    const char *times;  /* "zoned" or "plain"; NULL for the base's */
    apr_table_t *names; /* by "users" or "users.email"; NA_NAMES_NONE if there is no such */
} na_names_file;

/*
 * Reads a file of names. Each line is a word and a value: `base prisma`, `ids uuid`, `times zoned`,
 * `users app_user`, `users.email mail`. Lines that begin with # are comments. Names are those of
 * SQL, without quotes, and cannot contain what would end a quoted name. Errors name the line.
 */
na_error *na_names_file_read(apr_pool_t *pool, const char *path, na_names_file *names);

/* Returns the columns that every table 0 … 4 (users … authenticators) has, NULL after the last. */
const char *const *na_names_columns(int table);

#endif
