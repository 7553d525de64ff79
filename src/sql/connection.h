/* SPDX-License-Identifier: Apache-2.0 */
/* A database's connections, for the files that implement database.h. */
#ifndef NA_SQL_CONNECTION_H
#define NA_SQL_CONNECTION_H

#include <apr_dbd.h>
#include <apr_hash.h>
#include <apr_reslist.h>

#include "sql/database.h"

/*
 * Pools belong to one thread, so each connection has its own, with its own allocator. An inner pool
 * is destroyed while the connection is still open, because drivers clean up through the connection.
 * MySQL's driver ends a transaction again when its pool is destroyed: in the pool of a use, that
 * would end another use's transaction.
 */
typedef struct na_sql_connection {
    apr_pool_t *pool, *inner;
    const apr_dbd_driver_t *driver;
    apr_dbd_t *handle;
    apr_dbd_transaction_t *transaction; /* reused for each transaction; NULL before the first */
    apr_hash_t *prepared;               /* apr_dbd_prepared_t * by name */
    apr_time_t opened;
    int broken;
    int retired; /* 1 if tables were redefined after its statements were prepared */
} na_sql_connection;

struct na_sql {
    apr_pool_t *pool;
    const na_db_options *options;
    const na_sql_settings *settings; /* of the options */
    const na_breaker *breaker;
    const apr_dbd_driver_t *driver;
    const char *statements[NA_SQL_STATEMENTS];
    apr_reslist_t *connections;
    na_sql *const *replicas;
    int replica_count;
};

/*
 * Acquires a connection. One that is so old that it might predate a failover or a password change
 * is replaced.
 */
na_error *na_sql_acquire(na_sql *db, apr_pool_t *pool, na_sql_connection **c);

/* Gives a connection back. It is closed after an unexpected error, whatever state it reports. */
void na_sql_give_back(na_sql *db, na_sql_connection *c);

/*
 * Makes SQLite notice definitions that another process has changed, which it only does when a
 * statement fails: in a transaction, they then stay. Forgets prepared statements that failed with
 * them. Returns 0 if the database cannot be read.
 */
int na_sql_learn_definitions(na_sql_connection *c);

/* Returns the database itself if `nth` is 0, otherwise its replica nth - 1. */
na_sql *na_sql_nth(na_sql *primary, int nth);

/* Returns an error NA_ERR_UNAVAILABLE that names the database. */
na_error *na_sql_unavailable(const na_sql *db, apr_pool_t *pool, const char *why);

#endif
