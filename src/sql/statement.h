/* SPDX-License-Identifier: Apache-2.0 */
/* A use of a connection, for the files that implement database.h. */
#ifndef NA_SQL_STATEMENT_H
#define NA_SQL_STATEMENT_H

#include "sql/connection.h"

struct na_db_use {
    na_sql *primary;
    int nth;    /* 0 for the primary itself, n for its replica n - 1 */
    na_sql *db; /* the one that `nth` selects */
    apr_pool_t *home, *pool;
    na_sql_connection *connection;
    apr_dbd_transaction_t *transaction; /* NULL if reading */
    na_error *failure;                  /* a transaction's first statement that failed, in `home` */
    const char *lock; /* name of MySQL's lock, released at the end; NULL if none */
    int is_current;   /* 1 if it must not continue on a replica */
    int has_turn;     /* 1 if it holds the turn to write to SQLite */
};

/*
 * Returns the error for a statement that the server refused, however often it is tried:
 * NA_ERR_NO_TABLES if tables are missing, otherwise NA_ERR_CONFLICT with `what`.
 */
na_error *na_sql_refused(na_db_use *use, na_error *error, const char *what);

/* Returns the error for a lost connection without a replacement. */
na_error *na_sql_lost(na_db_use *use);

#endif
