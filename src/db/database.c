/* SPDX-License-Identifier: Apache-2.0 */
#include "db/database.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <apr_dbd.h>
#include <apr_hash.h>
#include <apr_reslist.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include "base/crypto.h"
#include "db/migrations.h"
#include "db/sqlite_file.h"

#define AGE_MAX apr_time_from_sec(600)
/* How often a transaction is made that others get in the way of, and a breath between. */
#define TRIES_MAX 5
#define CONFLICT_PAUSE apr_time_from_msec(5)

#define IDLE_MAX apr_time_from_sec(120)

/* apr_dbd's drivers, by engine. */
static const char *const driver_names[] = {"pgsql", "mysql", "sqlite3"};
static const char *const driver_packages[] = {"libaprutil1-dbd-pgsql", "libaprutil1-dbd-mysql",
                                              "libaprutil1-dbd-sqlite3"};

/*
 * Pools are no thread's but one's, so each connection has its own, with an allocator of its own;
 * and another in it that goes while the connection is still there, since what drivers keep in it
 * is cleaned up through the connection. MySQL's ends a transaction once more as its pool goes: in
 * the pool of a use that would happen to somebody else's.
 */
typedef struct connection {
    apr_pool_t *pool, *inner;
    const apr_dbd_driver_t *driver;
    apr_dbd_t *handle;
    apr_dbd_transaction_t *transaction; /* begun again and again; NULL before the first time */
    apr_hash_t *prepared;               /* apr_dbd_prepared_t * by name */
    apr_time_t opened;
    int broken;
    int retired; /* the definitions have changed under its prepared statements */
} connection;

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

struct na_db_use {
    na_db *primary;
    int nth;   /* 0: the primary itself, n: its replica n - 1 */
    na_db *db; /* that one */
    apr_pool_t *home, *pool;
    connection *connection;
    apr_dbd_transaction_t *transaction; /* NULL: reading */
    na_error *failure;                  /* a transaction's first statement that failed, in `home` */
    const char *lock;                   /* MySQL's, to be given back */
    int has_turn;                       /* of those who write to SQLite */
};

/* ── connections ───────────────────────────────────────────────────────────────────────────── */

static na_error *get_driver(apr_pool_t *pool, na_db_engine engine, const apr_dbd_driver_t **driver)
{
    apr_dbd_init(pool);
    return apr_dbd_get_driver(pool, driver_names[engine], driver) == APR_SUCCESS
               ? NULL
               : na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                                 "httpd has no driver for %s here",
                                                 driver_names[engine]),
                                    apr_psprintf(pool, "install %s (Debian), apr-util-%s (RHEL)",
                                                 driver_packages[engine],
                                                 engine == NA_DB_SQLITE ? "sqlite"
                                                                        : driver_names[engine]));
}

na_error *na_db_check_driver(apr_pool_t *pool, const na_db_options *options)
{
    const apr_dbd_driver_t *driver;
    return get_driver(pool, options->engine, &driver);
}

/*
 * What every connection is told first: one kind of time, and no waiting for ever. SQLite's driver
 * waits fifteen times what SQLite waits.
 */
static int introduce(const na_db *db, connection *c)
{
    static const char sqlite[] = "PRAGMA busy_timeout=100; PRAGMA journal_mode=WAL; "
                                 "PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON";
    const char *text = sqlite;
    int rows;
    if (db->options->engine == NA_DB_POSTGRESQL)
        text = apr_psprintf(c->pool,
                            "SET TIME ZONE 'UTC'; SET statement_timeout = %ld; SET lock_timeout = "
                            "%ld; SET idle_in_transaction_session_timeout = 30000",
                            db->options->timeout_ms, db->options->timeout_ms);
    if (db->options->engine == NA_DB_MYSQL)
        text = "SET NAMES utf8mb4, time_zone = '+00:00', sql_mode = "
               "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout = 5";
    return apr_dbd_query(c->driver, c->handle, &rows, text) == 0;
}

/*
 * PostgreSQL's driver writes to a transaction that is not there where the first one of a connection
 * cannot be begun. So that is done while the connection is fresh; later ones fail as they should.
 */
static int begin_first(const na_db *db, connection *c)
{
    return db->options->engine != NA_DB_POSTGRESQL ||
           (apr_dbd_transaction_start(c->driver, c->inner, c->handle, &c->transaction) == 0 &&
            apr_dbd_transaction_end(c->driver, c->inner, c->transaction) == 0);
}

static apr_status_t close_connection(void *made, void *data, apr_pool_t *list_pool)
{
    connection *c = made;
    apr_pool_destroy(c->inner);
    apr_status_t status = apr_dbd_close(c->driver, c->handle);
    apr_pool_destroy(c->pool);
    return status;
}

static apr_pool_t *make_own_pool(apr_pool_t *parent)
{
    apr_allocator_t *allocator;
    apr_pool_t *pool;
    apr_allocator_create(&allocator);
    apr_pool_create_ex(&pool, parent, NULL, allocator);
    apr_allocator_owner_set(allocator, pool);
    return pool;
}

static apr_status_t open_connection(void **made, void *data, apr_pool_t *list_pool)
{
    na_db *db = data;
    const char *error = NULL;
    apr_pool_t *pool = make_own_pool(list_pool);
    connection *c = apr_pcalloc(pool, sizeof *c);
    c->pool = pool;
    c->driver = db->driver;
    c->opened = apr_time_now();
    if (db->options->engine == NA_DB_SQLITE)
        na_db_sqlite_file_make(pool, db->options->parameters);
    apr_status_t status =
        apr_dbd_open_ex(db->driver, pool, db->options->parameters, &c->handle, &error);
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

static na_error *unavailable(const na_db *db, apr_pool_t *pool, const char *why)
{
    return na_error_new(pool, NA_ERR_UNAVAILABLE, "%s: %s", db->options->name, why);
}

/* Before the connections' own pools go, which are in the list's. */
static apr_status_t close_all(void *data)
{
    const na_db *db = data;
    return apr_reslist_destroy(db->connections);
}

na_error *na_db_make(apr_pool_t *pool, const na_db_options *options, const na_breaker *breaker,
                     na_db **made)
{
    na_db *db = apr_pcalloc(pool, sizeof *db);
    apr_pool_create(&db->pool, pool);
    db->options = options;
    db->breaker = breaker;
    NA_TRY(get_driver(db->pool, options->engine, &db->driver));
    for (int i = 0; i < NA_SQL_STATEMENTS; i++)
        db->statements[i] =
            na_schema_statement(db->pool, options->schema, options->engine, (na_statement)i);
    if (apr_reslist_create(&db->connections, 0, options->max_connections, options->max_connections,
                           IDLE_MAX, open_connection, close_connection, db,
                           db->pool) != APR_SUCCESS)
        return unavailable(db, pool, "no list of connections");
    apr_pool_pre_cleanup_register(db->pool, db, close_all);
    apr_reslist_timeout_set(db->connections, options->timeout_ms * 1000);
    *made = db;
    return NULL;
}

/* One that is too old has seen failovers and passwords come and go. */
static na_error *acquire(na_db *db, apr_pool_t *pool, connection **c)
{
    void *got;
    for (;;) {
        apr_status_t status = apr_reslist_acquire(db->connections, &got);
        if (status == APR_TIMEUP)
            return na_error_new(pool, NA_ERR_BUSY, "%s: all connections are in use",
                                db->options->name);
        if (status != APR_SUCCESS)
            return unavailable(db, pool, "no connection (the server's log may say why)");
        *c = got;
        if (apr_time_now() - (*c)->opened < AGE_MAX)
            return NULL;
        apr_reslist_invalidate(db->connections, got);
    }
}

/* After any error that nobody expected a connection is not to be trusted, whatever it says. */
static void give_back(na_db *db, connection *c)
{
    if (c->broken || c->retired)
        apr_reslist_invalidate(db->connections, c);
    else
        apr_reslist_release(db->connections, c);
}

/* ── turns ─────────────────────────────────────────────────────────────────────────────────── */

/*
 * SQLite's driver has one lock for the whole process, and keeps it while SQLite waits for whoever
 * writes: who could not go on then, if he was in the same process. So one writes at a time there.
 */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t free;
    int taken;
} turn = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static na_error *take_turn(na_db_use *use)
{
    const na_db_options *settings = use->db->options;
    apr_time_t until = apr_time_now() + settings->timeout_ms * 1000;
    struct timespec deadline = {apr_time_sec(until), apr_time_usec(until) * 1000};
    int waited = 0;
    if (settings->engine != NA_DB_SQLITE)
        return NULL;
    pthread_mutex_lock(&turn.mutex);
    while (turn.taken && !waited)
        waited = pthread_cond_timedwait(&turn.free, &turn.mutex, &deadline);
    use->has_turn = !turn.taken;
    turn.taken = 1;
    pthread_mutex_unlock(&turn.mutex);
    return use->has_turn
               ? NULL
               : na_error_new(use->pool, NA_ERR_BUSY, "%s: others are writing", settings->name);
}

static void pass_turn(na_db_use *use)
{
    if (!use->has_turn)
        return;
    use->has_turn = 0;
    pthread_mutex_lock(&turn.mutex);
    turn.taken = 0;
    pthread_cond_signal(&turn.free);
    pthread_mutex_unlock(&turn.mutex);
}

/* ── uses ──────────────────────────────────────────────────────────────────────────────────── */

static na_db *nth_of(na_db *primary, int nth)
{
    return nth ? primary->replicas[nth - 1] : primary;
}

static na_db_use *make_use(na_db *primary, int nth, apr_pool_t *pool)
{
    na_db_use *use = apr_palloc(pool, sizeof *use);
    *use = (na_db_use){
        .primary = primary, .nth = nth, .db = nth_of(primary, nth), .home = pool, .pool = pool};
    return use;
}

static na_error *start_reading(na_db *primary, int nth, apr_pool_t *pool, na_db_use **use)
{
    na_db *db = nth_of(primary, nth);
    NA_TRY(na_breaker_admit(db->breaker, pool));
    *use = make_use(primary, nth, pool);
    na_error *error = acquire(db, pool, &(*use)->connection);
    return error ? na_breaker_settle(db->breaker, pool, error) : NULL;
}

static int is_down(const na_error *error)
{
    return na_error_is(error, NA_ERR_UNAVAILABLE);
}

na_error *na_db_read(na_db *db, apr_pool_t *pool, na_db_use **use)
{
    na_error *error = start_reading(db, 0, pool, use);
    for (int nth = 1; is_down(error) && nth <= db->replica_count; nth++)
        error = start_reading(db, nth, pool, use);
    return error;
}

void na_db_set_replicas(na_db *db, na_db *const *replicas, int count)
{
    db->replicas = replicas;
    db->replica_count = count;
}

na_db *const *na_db_replicas(const na_db *db, int *count)
{
    *count = db->replica_count;
    return db->replicas;
}

int na_db_is_behind(const na_db_use *use)
{
    return use->nth > 0;
}

/*
 * SQLite's driver prepares in a way that fails for good once another process has changed the
 * definitions. Here nobody can change them any more: the first statement fails, if they were, and
 * the second one has the new ones. An error would stick to the transaction, hence the mode.
 */
static int learn_schema(connection *c)
{
    static const char text[] = "SELECT 1 FROM sqlite_master LIMIT 0";
    int rows, failed;
    apr_dbd_transaction_mode_set(c->driver, c->transaction, APR_DBD_TRANSACTION_IGNORE_ERRORS);
    failed = apr_dbd_query(c->driver, c->handle, &rows, text) != 0;
    if (failed) {
        c->prepared = apr_hash_make(c->inner);
        failed = apr_dbd_query(c->driver, c->handle, &rows, text) != 0;
    }
    apr_dbd_transaction_mode_set(c->driver, c->transaction, APR_DBD_TRANSACTION_COMMIT);
    return !failed;
}

static int begin(na_db_use *use)
{
    connection *c = use->connection;
    if (apr_dbd_transaction_start(c->driver, c->inner, c->handle, &c->transaction) != 0)
        return 0;
    use->transaction = c->transaction;
    return use->transaction && (use->db->options->engine != NA_DB_SQLITE || learn_schema(c));
}

/* Connections that were idle die together: as many may be tried as there can be. */
static na_error *begin_on_live(na_db_use *use)
{
    na_db *db = use->db;
    /* SQLite has no server that could have gone: one that does not begin is waiting for others */
    int most = db->options->engine == NA_DB_SQLITE ? 1 : db->options->max_connections;
    for (int tries = 0; tries <= most; tries++) {
        if (begin(use))
            return NULL;
        use->connection->broken = 1;
        give_back(db, use->connection);
        use->transaction = NULL;
        NA_TRY(acquire(db, use->pool, &use->connection));
    }
    use->connection->broken = 1;
    give_back(db, use->connection);
    return unavailable(db, use->pool, "no transaction can be begun");
}

na_error *na_db_write(na_db *db, apr_pool_t *pool, na_db_use **use)
{
    NA_TRY(na_breaker_admit(db->breaker, pool));
    *use = make_use(db, 0, pool);
    na_error *error = take_turn(*use);
    if (!error)
        error = acquire(db, pool, &(*use)->connection);
    if (!error)
        error = begin_on_live(*use);
    if (!error)
        return NULL;
    pass_turn(*use);
    return na_breaker_settle(db->breaker, pool, error);
}

static na_error *refused(na_db_use *use, na_error *error, const char *what);

static na_error *lost(na_db_use *use)
{
    return unavailable(use->db, use->pool, "the connection was lost, and there is no other");
}

static void unlock(na_db_use *use)
{
    na_rows rows;
    const char *arguments[] = {use->lock};
    if (use->lock && !use->connection->broken &&
        na_db_select_text(use, "unlock", "SELECT RELEASE_LOCK(%s)", 1, arguments, &rows))
        use->connection->broken = 1;
}

/* Who can roll back is there: it was the statement, or somebody who came between. */
static na_error *not_its_fault(na_db_use *use, na_error *error)
{
    return na_error_is(error, NA_ERR_UNAVAILABLE) ? refused(use, error, "rolled back") : error;
}

static void set_mode(na_db_use *use, int mode)
{
    apr_dbd_transaction_mode_set(use->connection->driver, use->transaction, mode);
}

/* Asked to commit after a statement that failed, drivers roll back, and call that done. */
static na_error *end_transaction(na_db_use *use, na_error *error)
{
    connection *c = use->connection;
    if (!error)
        error = use->failure;
    set_mode(use, error ? APR_DBD_TRANSACTION_ROLLBACK : APR_DBD_TRANSACTION_COMMIT);
    int failed = apr_dbd_transaction_end(c->driver, c->pool, use->transaction) != 0;
    use->transaction = NULL;
    c->broken |= failed;
    if (failed && !error)
        return unavailable(use->db, use->pool, "the transaction was not committed");
    return !failed && error ? not_its_fault(use, error) : error;
}

na_error *na_db_end(na_db_use *use, na_error *error)
{
    connection *c = use->connection;
    if (!c)
        return na_breaker_settle(use->db->breaker, use->pool, error ? error : lost(use));
    if (use->transaction)
        error = end_transaction(use, error);
    unlock(use);
    pass_turn(use);
    give_back(use->db, c);
    return na_breaker_settle(use->db->breaker, use->pool, error);
}

na_error *na_db_transact(na_db *db, apr_pool_t *pool, na_db_work *work, void *data)
{
    na_db_use *use;
    for (int tries = 1;; tries++) {
        na_error *error = na_db_write(db, pool, &use);
        if (!error)
            error = na_db_end(use, work(data, use));
        if (!na_error_is(error, NA_ERR_CONFLICT) || tries == TRIES_MAX)
            return error;
        apr_sleep(tries * CONFLICT_PAUSE);
    }
}

apr_pool_t *na_db_pool(const na_db_use *use)
{
    return use->pool;
}

apr_pool_t *na_db_set_pool(na_db_use *use, apr_pool_t *pool)
{
    apr_pool_t *before = use->pool;
    use->pool = pool;
    return before;
}

na_db_engine na_db_engine_of(const na_db_use *use)
{
    return use->db->options->engine;
}

const na_schema *na_db_schema_of(const na_db_use *use)
{
    return use->db->options->schema;
}

int na_db_protects(const na_db_use *use)
{
    return use->db->options->protects;
}

/* ── statements ────────────────────────────────────────────────────────────────────────────── */

static apr_dbd_prepared_t *prepared(connection *c, const char *name, const char *text)
{
    apr_dbd_prepared_t *statement = apr_hash_get(c->prepared, name, APR_HASH_KEY_STRING);
    if (statement)
        return statement;
    if (apr_dbd_prepare(c->driver, c->inner, c->handle, text, name, &statement) != 0)
        return NULL;
    apr_hash_set(c->prepared, apr_pstrdup(c->inner, name), APR_HASH_KEY_STRING, statement);
    return statement;
}

/* All rows at once, by number: the one way of reading that all drivers do right. */
static int read_rows(const connection *c, apr_pool_t *pool, apr_dbd_results_t *results,
                     na_rows *rows)
{
    rows->columns = apr_dbd_num_cols(c->driver, results);
    rows->count = apr_dbd_num_tuples(c->driver, results);
    if (rows->count < 0)
        return 0;
    rows->values =
        apr_pcalloc(pool, (apr_size_t)(rows->count * rows->columns + 1) * sizeof *rows->values);
    for (int n = 0; n < rows->count; n++) {
        apr_dbd_row_t *row = NULL;
        if (apr_dbd_get_row(c->driver, pool, results, &row, n + 1) != 0)
            return 0;
        for (int i = 0; i < rows->columns; i++) {
            const char *value = NULL;
            if (apr_dbd_datum_get(c->driver, row, i, APR_DBD_TYPE_STRING, &value) == APR_SUCCESS)
                rows->values[n * rows->columns + i] = apr_pstrdup(pool, value);
        }
    }
    return 1;
}

static int try_select(connection *c, apr_pool_t *pool, const char *name, const char *text,
                      int count, const char *const *arguments, na_rows *rows)
{
    apr_dbd_results_t *results = NULL;
    apr_pool_t *temporary;
    apr_dbd_prepared_t *statement = prepared(c, name, text);
    if (!statement)
        return 0;
    apr_pool_create(&temporary, pool);
    int done = apr_dbd_pselect(c->driver, temporary, c->handle, &results, statement, 1, count,
                               (const char **)arguments) == 0 &&
               read_rows(c, pool, results, rows);
    apr_pool_destroy(temporary);
    return done;
}

static const char *reason(na_db_use *use)
{
    connection *c = use->connection;
    const char *said = apr_dbd_error(c->driver, c->handle, 0);
    return na_one_line(use->pool, said && *said ? said : "it failed", 300);
}

static na_error *failed(na_db_use *use, const char *name)
{
    na_error *error =
        unavailable(use->db, use->home, apr_pstrcat(use->pool, name, ": ", reason(use), NULL));
    use->connection->broken = 1;
    if (use->transaction && !use->failure)
        use->failure = error;
    return error;
}

/* The connection is broken, and nothing rests on it: another one. */
static int replace(na_db_use *use)
{
    if (use->transaction)
        return 0;
    na_db *db = use->db;
    use->connection->broken = 1;
    apr_reslist_invalidate(db->connections, use->connection);
    use->connection = NULL;
    na_error *error = acquire(db, use->pool, &use->connection);
    while (is_down(error) && use->nth < use->primary->replica_count) {
        na_breaker_settle(use->db->breaker, use->pool, error);
        use->db = nth_of(use->primary, ++use->nth);
        error = acquire(use->db, use->pool, &use->connection);
    }
    if (error)
        use->connection = NULL;
    return !error;
}

static int is_alive(const na_db_use *use)
{
    const connection *c = use->connection;
    apr_dbd_results_t *results = NULL;
    apr_pool_t *temporary;
    na_rows rows;
    apr_pool_create(&temporary, use->pool);
    int alive = apr_dbd_select(c->driver, temporary, c->handle, &results, "SELECT 1", 1) == 0 &&
                read_rows(c, temporary, results, &rows);
    apr_pool_destroy(temporary);
    return alive;
}

/* ── tables that are not there ─────────────────────────────────────────────────────────────── */

/* PostgreSQL's to_regclass may know less than the transaction: it does not see what it waited for.
 */
static const char *const table_queries[] = {
    "SELECT relname FROM pg_catalog.pg_class WHERE relname = CAST(%s AS name) AND relkind IN "
    "('r', 'p', 'v') AND pg_catalog.pg_table_is_visible(oid)",
    "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND "
    "table_name = %s",
    "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name = %s"};

static int lacks(const na_db_use *use, const char *table)
{
    na_rows rows;
    return try_select(use->connection, use->pool, "has_table",
                      table_queries[use->db->options->engine], 1, &table, &rows) &&
           !rows.count;
}

static int is_behind_migrations(const na_db_use *use)
{
    na_rows rows;
    return try_select(use->connection, use->pool, "version",
                      "SELECT max(version) FROM nextauth_migrations", 0, NULL, &rows) &&
           rows.count && rows.values[0] && atoi(rows.values[0]) < na_migration_count;
}

/* A statement that the database did not take, no matter how often. */
static na_error *refused(na_db_use *use, na_error *error, const char *what)
{
    if (lacks(use, na_schema_table(use->db->options->schema, "users")) ||
        lacks(use, "nextauth_migrations") || is_behind_migrations(use))
        return na_error_with_hint(na_error_wrap(use->pool, error, NA_ERR_NO_TABLES,
                                                "tables are missing"),
                                  "run nextauthctl migrate");
    return na_error_wrap(use->pool, error, NA_ERR_CONFLICT, "%s", what);
}

/* Two connections failed, and the second one answers: it is the statement, or what it is about. */
na_error *na_db_select_text(na_db_use *use, const char *name, const char *text, int count,
                            const char *const *arguments, na_rows *rows)
{
    na_error *error = NULL;
    for (int tries = 0; tries <= use->db->options->max_connections; tries++) {
        if (!use->connection)
            return lost(use);
        if (try_select(use->connection, use->pool, name, text, count, arguments, rows))
            return NULL;
        error = failed(use, name);
        if (tries && !use->transaction && is_alive(use))
            return refused(use, error, "refused");
        if (!replace(use))
            return error;
    }
    return error;
}

static const char *name_of(apr_pool_t *pool, na_statement statement)
{
    return apr_psprintf(pool, "nextauth_%d", (int)statement);
}

na_error *na_db_select(na_db_use *use, na_statement statement, int count,
                       const char *const *arguments, na_rows *rows)
{
    return na_db_select_text(use, name_of(use->pool, statement), use->db->statements[statement],
                             count, arguments, rows);
}

na_error *na_db_change_text(na_db_use *use, const char *name, const char *text, int count,
                            const char *const *arguments, int *affected)
{
    connection *c = use->connection;
    int rows = 0;
    apr_dbd_prepared_t *ready = prepared(c, name, text);
    if (!ready || apr_dbd_pquery(c->driver, use->pool, c->handle, &rows, ready, count,
                                 (const char **)arguments) != 0)
        return failed(use, name);
    if (affected)
        *affected = rows;
    return NULL;
}

na_error *na_db_change(na_db_use *use, na_statement statement, int count,
                       const char *const *arguments, int *affected)
{
    return na_db_change_text(use, name_of(use->pool, statement), use->db->statements[statement],
                             count, arguments, affected);
}

/*
 * SQLite's prepared statements are dead after any definition, and do not come back: those that the
 * connection has from uses before are made anew. PostgreSQL's live, and keep their names.
 */
na_error *na_db_execute(na_db_use *use, const char *text)
{
    int rows;
    use->connection->retired = 1;
    if (na_db_engine_of(use) == NA_DB_SQLITE)
        apr_hash_clear(use->connection->prepared);
    return apr_dbd_query(use->connection->driver, use->connection->handle, &rows, text) == 0
               ? NULL
               : failed(use, "a definition");
}

/* ── what may fail ─────────────────────────────────────────────────────────────────────────── */

static na_error *savepoint(na_db_use *use, const char *text)
{
    const connection *c = use->connection;
    int rows;
    return apr_dbd_query(c->driver, c->handle, &rows, text) == 0 ? NULL : failed(use, "savepoint");
}

/*
 * The mode keeps the driver from remembering what fails; the savepoint is ours, since only
 * PostgreSQL's driver makes one, and not for what it prepares. It is gone where the engine has
 * rolled back everything, as MySQL does in a deadlock: then the failure stays.
 */
na_error *na_db_try(na_db_use *use, na_db_work *work, void *data)
{
    na_error *before = use->failure;
    NA_TRY(savepoint(use, "SAVEPOINT nextauth_try"));
    set_mode(use, APR_DBD_TRANSACTION_IGNORE_ERRORS);
    na_error *error = work(data, use);
    set_mode(use, APR_DBD_TRANSACTION_COMMIT);
    if (!error)
        return savepoint(use, "RELEASE SAVEPOINT nextauth_try");
    if (!savepoint(use, "ROLLBACK TO SAVEPOINT nextauth_try"))
        use->failure = before;
    return error;
}

/* ── what engines do each in their way ─────────────────────────────────────────────────────── */

/* SQLite lets one transaction write at a time as it is. */
na_error *na_db_lock(na_db_use *use, const char *name)
{
    unsigned char hash[NA_SHA256_LEN];
    apr_int64_t number;
    na_rows rows;
    na_sha256(hash, na_bytes_of(name), na_bytes_of(""));
    if (na_db_engine_of(use) == NA_DB_SQLITE)
        return NULL;
    if (na_db_engine_of(use) == NA_DB_MYSQL) {
        const char *arguments[] = {na_hex(use->pool, hash, sizeof hash / 2)};
        NA_TRY(na_db_select_text(use, "lock", "SELECT GET_LOCK(%s, 5)", 1, arguments, &rows));
        const char *got = rows.count ? na_rows_value(&rows, 0, 0) : NULL;
        if (!got || strcmp(got, "1") != 0)
            return unavailable(use->db, use->pool, "a lock was not to be had in time");
        use->lock = arguments[0];
        return NULL;
    }
    memcpy(&number, hash, sizeof number);
    const char *arguments[] = {apr_psprintf(use->pool, "%" APR_INT64_T_FMT, number)};
    return na_db_select_text(use, "lock", "SELECT pg_advisory_xact_lock(CAST(%s AS bigint))", 1,
                             arguments, &rows);
}

na_error *na_db_has_table(na_db_use *use, const char *name, int *found)
{
    na_rows rows;
    NA_TRY(
        na_db_select_text(use, "has_table", table_queries[na_db_engine_of(use)], 1, &name, &rows));
    *found = rows.count > 0;
    return NULL;
}

na_error *na_db_last_id(na_db_use *use, const char **id)
{
    na_rows rows;
    NA_TRY(na_db_select_text(use, "last_id", "SELECT LAST_INSERT_ID()", 0, NULL, &rows));
    *id = rows.count ? na_rows_value(&rows, 0, 0) : NULL;
    return *id ? NULL : unavailable(use->db, use->pool, "no id was made");
}

na_error *na_db_ping(na_db *db, apr_pool_t *pool, int *behind)
{
    na_db_use *use;
    int found = 0;
    *behind = 0;
    NA_TRY(na_db_read(db, pool, &use));
    na_error *error = na_db_has_table(use, na_schema_table(db->options->schema, "users"), &found);
    *behind = na_db_is_behind(use);
    error = na_db_end(use, error);
    return error || found ? error : unavailable(db, pool, "there are no tables");
}
