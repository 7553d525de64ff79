/* SPDX-License-Identifier: Apache-2.0 */
/* A database's connections, for the files behind database.h. */
#ifndef NA_DB_CONNECTION_H
#define NA_DB_CONNECTION_H

#include <apr_dbd.h>
#include <apr_hash.h>
#include <apr_reslist.h>

#include "db/database.h"

/*
 * Pools are no thread's but one's, so each connection has its own, with an allocator of its own;
 * and another in it that goes while the connection is still there, since what drivers keep in it
 * is cleaned up through the connection. MySQL's ends a transaction once more as its pool goes: in
 * the pool of a use that would happen to somebody else's.
 */
typedef struct na_db_connection {
    apr_pool_t *pool, *inner;
    const apr_dbd_driver_t *driver;
    apr_dbd_t *handle;
    apr_dbd_transaction_t *transaction; /* begun again and again; NULL before the first time */
    apr_hash_t *prepared;               /* apr_dbd_prepared_t * by name */
    apr_time_t opened;
    int broken;
    int retired; /* the definitions have changed under its prepared statements */
} na_db_connection;

struct na_db {
    apr_pool_t *pool;
    const na_db_options *options;
    const na_breaker *breaker;
    const apr_dbd_driver_t *driver;
    const char *statements[NA_SQL_STATEMENTS];
    apr_reslist_t *connections;
    na_db *const *replicas;
    int replica_count;
};

/* One that is too old has seen failovers and passwords come and go, and is replaced. */
na_error *na_db_acquire(na_db *db, apr_pool_t *pool, na_db_connection **c);

/* After an error that nothing expected a connection is not to be trusted, whatever it says. */
void na_db_give_back(na_db *db, na_db_connection *c);

/* The database itself (0), or its replica nth - 1. */
na_db *na_db_nth(na_db *primary, int nth);

/* An error NA_ERR_UNAVAILABLE that names the database. */
na_error *na_db_unavailable(const na_db *db, apr_pool_t *pool, const char *why);

#endif
