/* SPDX-License-Identifier: Apache-2.0 */
/* The file of SQLite, created with narrow permissions. */
#ifndef NA_DB_SQLITE_FILE_H
#define NA_DB_SQLITE_FILE_H

#include <apr_pools.h>

/*
 * Creates a missing database file, readable by its owner only: SQLite would make it world-readable,
 * and gives its mode to -wal and -shm. Root, who runs migrate, creates it for the owner of the
 * directory, who must be able to write it. Failures are ignored, because SQLite reports them.
 */
void na_db_sqlite_file_make(apr_pool_t *pool, const char *path);

#endif
