/* SPDX-License-Identifier: Apache-2.0 */
/* A use of a connection, for the files behind database.h. */
#ifndef NA_DB_STATEMENT_H
#define NA_DB_STATEMENT_H

#include "db/connection.h"

struct na_db_use {
    na_db *primary;
    int nth;   /* 0: the primary itself, n: its replica n - 1 */
    na_db *db; /* that one */
    apr_pool_t *home, *pool;
    na_db_connection *connection;
    apr_dbd_transaction_t *transaction; /* NULL: reading */
    na_error *failure;                  /* a transaction's first statement that failed, in `home` */
    const char *lock;                   /* MySQL's, to be given back */
    int has_turn;                       /* of those who write to SQLite */
};

/*
 * What a statement that the server did not take comes to, however often it is tried:
 * NA_ERR_NO_TABLES if tables are missing, or else NA_ERR_CONFLICT with `what`.
 */
na_error *na_db_refused(na_db_use *use, na_error *error, const char *what);

/* The connection was lost, and there is no other. */
na_error *na_db_lost(na_db_use *use);

#endif
