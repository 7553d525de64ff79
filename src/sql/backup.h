/* SPDX-License-Identifier: Apache-2.0 */
/* Backups: writing a database as lines of JSON, and restoring it. */
#ifndef NA_SQL_BACKUP_H
#define NA_SQL_BACKUP_H

#include <stdio.h>

#include "sql/database.h"

/*
 * A backup is UTF-8 text with one JSON object per line: a header, the rows of all tables, and
 * finally the number of rows of each table and the SHA-256 of all previous lines. It is independent
 * of engine and schema: IDs are text and times ISO 8601, so that it can be restored into another
 * engine or schema.
 */

/* Users, accounts, sessions, verification tokens, authenticators, roles, credentials, the store. */
#define NA_BACKUP_TABLES 9

/* Returns the name of table 0 … NA_BACKUP_TABLES - 1 in backups. */
const char *na_backup_table_name(int table);

/* Counts of what was written or read. */
typedef struct na_backup_result {
    apr_int64_t rows[NA_BACKUP_TABLES];
    apr_int64_t left_out; /* rows of missing users, if IDs had to be translated */
    apr_int64_t refused_hashes;
    apr_int64_t ended;   /* rows of sessions and links that were not restored */
    apr_int64_t last_id; /* the largest ID that was ever used; 0 if IDs are not numbers */
} na_backup_result;

/* Called repeatedly with the progress; `total` is 0 if there is nothing to do. */
typedef void na_backup_progress(void *data, apr_int64_t done, apr_int64_t total);

/*
 * Writes a consistent snapshot of the database to `out`, and flushes it; others are not blocked.
 * Memory use does not grow with the database. `with_store` includes nextauth_store. `progress` can
 * be NULL. The error is NA_ERR_CONFIGURATION if tables are missing, text is not UTF-8, or `out`
 * cannot be written.
 */
na_error *na_sql_backup(na_sql *db, apr_pool_t *pool, FILE *out, int with_store,
                        na_backup_progress *progress, void *data, na_backup_result *result);

/* Options of a restore. */
typedef struct na_restore_options {
    int replace;                  /* deletes existing rows, which are an error otherwise */
    int keep_sessions;            /* no user was created since the backup: see na_sql_restore */
    na_backup_progress *progress; /* NULL if none */
    na_sql_work *finish; /* called last in the transaction, once `result` is known; NULL if none */
    /* returns 1 if the password hash can be restored; NULL to restore all */
    int (*takes_hash)(void *data, const char *user_id, const char *hash);
    void *data; /* passed to all three functions */
} na_restore_options;

/*
 * Reads a backup from `in`, which must allow seeking. Its checksum is verified before anything is
 * written, its rows while they are; all or nothing is written. Users keep their IDs if the schema
 * accepts them; otherwise they get new IDs, which requires some hundred bytes of memory per user.
 * IDs are never reused: new users get IDs greater than all in the backup and the database. Users
 * created after the backup could otherwise receive its sessions and links, so those are not
 * restored, and a new generation of IDs begins; set `keep_sessions` only if no user was created
 * since. A backup that is incomplete or does not match the database is an error with the code
 * NA_ERR_CONFIGURATION.
 */
na_error *na_sql_restore(na_sql *db, apr_pool_t *pool, FILE *in, const na_restore_options *options,
                         na_backup_result *result);

#endif
