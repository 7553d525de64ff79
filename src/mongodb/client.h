/* SPDX-License-Identifier: Apache-2.0 */
/* A process's clients of MongoDB. */
#ifndef NA_MONGODB_CLIENT_H
#define NA_MONGODB_CLIENT_H

#include <apr_tables.h>
#include <apr_thread_mutex.h>
#include <apr_time.h>

#include "base/breaker.h"
#include "mongodb/options.h"

/*
 * A process's clients: made at the first use, so never before a fork, of which libmongoc's threads
 * and connections would know nothing. Safe for threads; destroyed with its pool. The options and
 * the breaker must live as long.
 */
typedef struct na_mongo {
    const na_db_options *options;
    const na_mongo_settings *settings;
    const na_breaker *breaker;
    apr_thread_mutex_t *mutex;
    mongoc_client_pool_t *clients;          /* NULL before the first use */
    volatile apr_uint32_t is_migrated;      /* 1 once the steps of migrate.h were seen */
    volatile apr_uint32_t lacks_collations; /* 1 once the server has said so */
} na_mongo;

na_error *na_mongo_make(apr_pool_t *pool, const na_db_options *options, const na_breaker *breaker,
                        na_mongo **made);

/* A client in use. Every use must be ended exactly once. */
struct na_db_use {
    na_mongo *mongo;
    const na_db_options *options;
    const na_mongo_settings *settings;
    apr_pool_t *home, *pool; /* of the use itself; of results */
    mongoc_client_t *client;
    mongoc_database_t *database;
    mongoc_read_prefs_t *reads;       /* NULL for the primary only */
    mongoc_client_session_t *session; /* with a transaction; NULL if there is none */
    mongoc_cursor_t *scan;            /* that goes through a collection; NULL if none does */
    apr_array_header_t *locks;        /* const char *: names that are locked */
    char owner[33];                   /* of these locks */
    na_error *failure;                /* the first failure of the server, in `home`; NULL if none */
    int is_writing, has_transactions;
    unsigned staged;        /* collections that a restore has made, as bits */
    apr_int64_t generation; /* that it sets; 0 for none */
    int is_beside_breaker;  /* it is neither asked nor told */
    int is_behind;          /* a secondary is read: documents that it lacks might exist */
};

/* Returns the process's clients, which it makes at the first call; NULL if that fails. */
mongoc_client_pool_t *na_mongo_clients(na_mongo *mongo);

/* Returns a document that is destroyed with the pool of the use. */
bson_t *na_mongo_own(const na_db_use *use, bson_t *document);

#endif
