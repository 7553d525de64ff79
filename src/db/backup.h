/* SPDX-License-Identifier: Apache-2.0 */
/* Backups: writing a database as lines of JSON, and restoring it. */
#ifndef NA_DB_BACKUP_H
#define NA_DB_BACKUP_H

#include <stdio.h>

#include "db/database.h"

/*
 * A backup is UTF-8 text with one JSON object per line: a header, the rows of all tables, and
 * finally the number of rows of each table and the SHA-256 of all previous lines. It is independent
 * of engine and schema: IDs are text and times ISO 8601, so that it can be restored into another
 * engine or schema.
 */

/* Returns the name of a table in backups. */
const char *na_backup_table_name(na_db_table table);

/* Counts of what was written or read. */
typedef struct na_backup_result {
    apr_int64_t rows[NA_TABLES];
    apr_int64_t left_out; /* rows of missing users, if IDs had to be translated */
    apr_int64_t refused_hashes;
    apr_int64_t ended;   /* rows of sessions and links that were not restored */
    apr_int64_t last_id; /* the largest ID that was ever used; 0 if IDs are not numbers */
} na_backup_result;

/* Called repeatedly with the progress; `total` is 0 if there is nothing to do. */
typedef void na_backup_progress(void *data, apr_int64_t done, apr_int64_t total);

/*
 * Writes a consistent snapshot of the database to `out`, and flushes it; others are not blocked.
 * Memory use does not grow with the database. `with_store` includes the store. `progress` can
 * be NULL. The error is NA_ERR_CONFIGURATION if tables are missing, text is not UTF-8, or `out`
 * cannot be written.
 */
na_error *na_db_backup(const na_db *db, apr_pool_t *pool, FILE *out, int with_store,
                       na_backup_progress *progress, void *data, na_backup_result *result);

/* Options of a restore. */
typedef struct na_restore_options {
    int replace;                  /* deletes existing rows, which are an error otherwise */
    int keep_sessions;            /* no user was created since the backup: see na_db_restore */
    na_backup_progress *progress; /* NULL if none */
    /* called last, once `result` is known, before the restore is visible; NULL if none */
    na_error *(*finish)(void *data, na_db_use *use);
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
na_error *na_db_restore(const na_db *db, apr_pool_t *pool, FILE *in,
                        const na_restore_options *options, na_backup_result *result);

#endif
