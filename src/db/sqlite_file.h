/* SPDX-License-Identifier: Apache-2.0 */
/* The file of SQLite, created with narrow permissions. */
#ifndef NA_DB_SQLITE_FILE_H
#define NA_DB_SQLITE_FILE_H

#include <apr_pools.h>

/*
 * Makes the file of a database, where it is not there yet, for its owner alone: SQLite would let
 * everybody read it, and gives -wal and -shm the mode that it has. Root, who runs migrate, makes it
 * for the owner of the folder, who has to write there. What fails, SQLite finds again, and says.
 */
void na_db_sqlite_file_make(apr_pool_t *pool, const char *path);

#endif
