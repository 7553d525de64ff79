/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite's database file, created with restricted permissions. */
#ifndef NA_SQL_SQLITE_FILE_H
#define NA_SQL_SQLITE_FILE_H

#include <apr_pools.h>

/*
 * Creates a missing database file that only its owner can read. SQLite would create it
 * world-readable, and gives its mode to -wal and -shm. If root runs this, as in migrate, the owner
 * of the directory becomes the owner of the file and must be able to write it. Failures are
 * ignored, because SQLite reports them.
 */
void na_sql_sqlite_file_make(apr_pool_t *pool, const char *path);

#endif
