/* SPDX-License-Identifier: Apache-2.0 */
/* Connections to a database: opened, kept, acquired, and given back. */
#include "sql/connection.h"

#include <apr_strings.h>

#include "sql/sqlite_file.h"

#include "base/pools.h"

#define AGE_MAX apr_time_from_sec(600)
#define IDLE_MAX apr_time_from_sec(120)

/* Names of apr_dbd's drivers, by engine. */
static const char *const driver_names[] = {"pgsql", "mysql", "sqlite3"};
static const char *const driver_packages[] = {"libaprutil1-dbd-pgsql", "libaprutil1-dbd-mysql",
                                              "libaprutil1-dbd-sqlite3"};

static na_error *get_driver(apr_pool_t *pool, na_sql_engine engine, const apr_dbd_driver_t **driver)
{
    apr_dbd_init(pool);
    return apr_dbd_get_driver(pool, driver_names[engine], driver) == APR_SUCCESS
               ? NULL
               : na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                                 "no database driver for %s is installed",
                                                 driver_names[engine]),
                                    apr_psprintf(pool, "install %s (Debian), apr-util-%s (RHEL)",
                                                 driver_packages[engine],
                                                 engine == NA_SQLITE ? "sqlite"
                                                                     : driver_names[engine]));
}

na_error *na_sql_check_driver(apr_pool_t *pool, const na_db_options *options)
{
    const apr_dbd_driver_t *driver;
    return get_driver(pool, na_sql_settings_of(options)->engine, &driver);
}

/*
 * Sets up a connection: times in UTC, and no unlimited waiting. SQLite's driver waits fifteen times
 * as long as busy_timeout.
 */
static int introduce(const na_sql *db, na_sql_connection *c)
{
    static const char sqlite[] = "PRAGMA busy_timeout=100; PRAGMA journal_mode=WAL; "
                                 "PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON";
    const char *text = sqlite;
    int rows;
    if (db->settings->engine == NA_POSTGRESQL)
        text = apr_psprintf(c->pool,
                            "SET TIME ZONE 'UTC'; SET statement_timeout = %ld; SET lock_timeout = "
                            "%ld; SET idle_in_transaction_session_timeout = 30000",
                            db->options->timeout_ms, db->options->timeout_ms);
    if (db->settings->engine == NA_MYSQL)
        text = "SET NAMES utf8mb4, time_zone = '+00:00', sql_mode = "
               "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout = 5";
    return apr_dbd_query(c->driver, c->handle, &rows, text) == 0;
}

/*
 * If the first transaction of a connection cannot begin, PostgreSQL's driver writes to a
 * transaction that does not exist. Therefore one is begun while the connection is new; after that,
 * failures are reported correctly.
 */
static int begin_first(const na_sql *db, na_sql_connection *c)
{
    return db->settings->engine != NA_POSTGRESQL ||
           (apr_dbd_transaction_start(c->driver, c->inner, c->handle, &c->transaction) == 0 &&
            apr_dbd_transaction_end(c->driver, c->inner, c->transaction) == 0);
}

static apr_status_t close_connection(void *made, void *data, apr_pool_t *list_pool)
{
    na_sql_connection *c = made;
    apr_pool_destroy(c->inner);
    apr_status_t status = apr_dbd_close(c->driver, c->handle);
    apr_pool_destroy(c->pool);
    return status;
}

static apr_status_t open_connection(void **made, void *data, apr_pool_t *list_pool)
{
    na_sql *db = data;
    const char *error = NULL;
    apr_pool_t *pool;
    if (na_pool_create_apart(list_pool, &pool))
        return APR_ENOMEM;
    na_sql_connection *c = apr_pcalloc(pool, sizeof *c);
    c->pool = pool;
    c->driver = db->driver;
    c->opened = apr_time_now();
    if (db->settings->engine == NA_SQLITE)
        na_sql_sqlite_file_make(pool, db->options->identity);
    apr_status_t status =
        apr_dbd_open_ex(db->driver, pool, db->options->identity, &c->handle, &error);
    if (status != APR_SUCCESS) {
        apr_pool_destroy(pool);
        return status;
    }
    apr_pool_create(&c->inner, pool);
    c->prepared = apr_hash_make(c->inner);
    *made = c;
    if (introduce(db, c) && begin_first(db, c))
        return APR_SUCCESS;
    close_connection(c, db, list_pool);
    return APR_EGENERAL;
}

na_error *na_sql_unavailable(const na_sql *db, apr_pool_t *pool, const char *why)
{
    return na_error_new(pool, NA_ERR_UNAVAILABLE, "%s: %s", db->options->name, why);
}

/* Runs before the connections' own pools are destroyed, which are children of the list's pool. */
static apr_status_t close_all(void *data)
{
    const na_sql *db = data;
    return apr_reslist_destroy(db->connections);
}

na_error *na_sql_open(apr_pool_t *pool, const na_db_options *options, const na_breaker *breaker,
                      na_sql **made)
{
    na_sql *db = apr_pcalloc(pool, sizeof *db);
    NA_TRY(na_pool_create_apart(pool, &db->pool));
    db->options = options;
    db->settings = na_sql_settings_of(options);
    db->breaker = breaker;
    NA_TRY(get_driver(db->pool, db->settings->engine, &db->driver));
    for (int i = 0; i < NA_SQL_STATEMENTS; i++)
        db->statements[i] = na_schema_statement(db->pool, db->settings->schema,
                                                db->settings->engine, (na_statement)i);
    if (apr_reslist_create(&db->connections, 0, options->max_connections, options->max_connections,
                           IDLE_MAX, open_connection, close_connection, db,
                           db->pool) != APR_SUCCESS)
        return na_sql_unavailable(db, pool, "could not create the connection list");
    apr_pool_pre_cleanup_register(db->pool, db, close_all);
    apr_reslist_timeout_set(db->connections, options->timeout_ms * 1000);
    *made = db;
    return NULL;
}

na_error *na_sql_acquire(na_sql *db, apr_pool_t *pool, na_sql_connection **c)
{
    void *got;
    for (;;) {
        apr_status_t status = apr_reslist_acquire(db->connections, &got);
        if (status == APR_TIMEUP)
            return na_error_new(pool, NA_ERR_BUSY, "%s: all connections are in use",
                                db->options->name);
        if (status != APR_SUCCESS)
            return na_sql_unavailable(db, pool,
                                      "could not connect (the server's log might give the reason)");
        *c = got;
        if (apr_time_now() - (*c)->opened < AGE_MAX)
            return NULL;
        apr_reslist_invalidate(db->connections, got);
    }
}

void na_sql_give_back(na_sql *db, na_sql_connection *c)
{
    if (c->broken || c->retired)
        apr_reslist_invalidate(db->connections, c);
    else
        apr_reslist_release(db->connections, c);
}

int na_sql_learn_definitions(na_sql_connection *c)
{
    static const char text[] = "SELECT 1 FROM sqlite_master LIMIT 0";
    int rows;
    if (apr_dbd_query(c->driver, c->handle, &rows, text) == 0)
        return 1;
    c->prepared = apr_hash_make(c->inner);
    return apr_dbd_query(c->driver, c->handle, &rows, text) == 0;
}

/* ── replicas ──────────────────────────────────────────────────────────────────────────────── */

na_sql *na_sql_nth(na_sql *primary, int nth)
{
    return nth ? primary->replicas[nth - 1] : primary;
}

void na_sql_set_replicas(na_sql *db, na_sql *const *replicas, int count)
{
    db->replicas = replicas;
    db->replica_count = count;
}
