/* SPDX-License-Identifier: Apache-2.0 */
/* A database as lines of JSON, and back. */
#ifndef NA_DB_BACKUP_H
#define NA_DB_BACKUP_H

#include <stdio.h>

#include "db/database.h"

/*
 * A backup is UTF-8 text of one JSON object a line: a header, a row of a table each, and at last
 * how many rows each table has and the SHA-256 of all lines before. It tells neither engine nor
 * schema apart: ids are text and times ISO 8601, so one can be restored into another.
 */

/* Users, accounts, sessions, verification tokens, authenticators, roles, credentials, the store. */
#define NA_BACKUP_TABLES 9

/* The table's name in backups, 0 … NA_BACKUP_TABLES - 1. */
const char *na_backup_table_name(int table);

/* What was written or read. */
typedef struct na_backup_result {
    apr_int64_t rows[NA_BACKUP_TABLES];
    apr_int64_t left_out; /* rows of users who are not there, where ids had to be translated */
    apr_int64_t refused_hashes;
    apr_int64_t ended;   /* rows of sessions and links that were not restored */
    apr_int64_t last_id; /* the largest that a new user may not get; 0: ids are no numbers */
} na_backup_result;

/* Told now and then how far it is; `total` is 0 where there is nothing to do. */
typedef void na_backup_progress(void *data, apr_int64_t done, apr_int64_t total);

/*
 * Writes one moment of the database to `out`, and flushes it; nobody has to wait for it meanwhile.
 * What it needs of memory does not grow with the database. `with_store`: nextauth_store too.
 * `progress` may be NULL. Errors: NA_ERR_CONFIGURATION where tables are missing, text is not UTF-8
 * or `out` cannot be written.
 */
na_error *na_db_backup(na_db *db, apr_pool_t *pool, FILE *out, int with_store,
                       na_backup_progress *progress, void *data, na_backup_result *result);

/* How it is restored. */
typedef struct na_restore_options {
    int replace;                  /* deletes what is there: otherwise that is an error */
    int keep_sessions;            /* nothing was lost since the backup: see na_db_restore */
    na_backup_progress *progress; /* or NULL */
    na_db_work *finish; /* the last thing in the transaction, once `result` is known; or NULL */
    /* whether a password's hash is restored; told why not by whoever decides; NULL: all are */
    int (*takes_hash)(void *data, const char *user_id, const char *hash);
    void *data; /* of all three */
} na_restore_options;

/*
 * Reads a backup from `in`, which can be rewound. All of it is checked before anything is written,
 * and all or nothing is written. Users keep their ids where the schema takes them, and get others
 * where it does not, with all that is theirs; what needs memory then are ids, some hundred bytes a
 * user. Ids are never given twice: new users get some beyond all that the backup and the database
 * know of, and what was issued before ends, as users who came after the backup may have it: rows of
 * sessions and links are left out, and the generation of ids is a new one. `keep_sessions` is for
 * whoever knows that nobody came. A backup that is not whole, and one that does not fit the
 * database, is an error with the code NA_ERR_CONFIGURATION.
 */
na_error *na_db_restore(na_db *db, apr_pool_t *pool, FILE *in, const na_restore_options *options,
                        na_backup_result *result);

#endif
