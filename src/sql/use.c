/* SPDX-License-Identifier: Apache-2.0 */
/* Uses of a database: beginning and ending reads and transactions. */
#include "sql/statement.h"

#include <pthread.h>
#include <time.h>

#include <apr_strings.h>

/* Attempts of a transaction that conflicts with others, and the pause after the first of them. */
#define TRIES_MAX 5
#define CONFLICT_PAUSE apr_time_from_msec(5)

/* ── turns of SQLite's writers ─────────────────────────────────────────────────────────────── */

/*
 * SQLite's driver has one lock for the whole process, and holds it while SQLite waits for a writer.
 * A writer in the same process could then not continue. Therefore only one thread writes at a time.
 */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t free;
    int taken;
} turn = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static na_error *take_turn(na_db_use *use)
{
    const na_db_options *options = use->db->options;
    apr_time_t until = apr_time_now() + options->timeout_ms * 1000;
    struct timespec deadline = {apr_time_sec(until), apr_time_usec(until) * 1000};
    int waited = 0;
    if (use->db->settings->engine != NA_SQLITE)
        return NULL;
    pthread_mutex_lock(&turn.mutex);
    while (turn.taken && !waited)
        waited = pthread_cond_timedwait(&turn.free, &turn.mutex, &deadline);
    use->has_turn = !turn.taken;
    turn.taken = 1;
    pthread_mutex_unlock(&turn.mutex);
    return use->has_turn
               ? NULL
               : na_error_new(use->pool, NA_ERR_BUSY, "%s: others are writing", options->name);
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

static na_db_use *make_use(na_sql *primary, int nth, apr_pool_t *pool)
{
    na_db_use *use = apr_palloc(pool, sizeof *use);
    *use = (na_db_use){
        .primary = primary, .nth = nth, .db = na_sql_nth(primary, nth), .home = pool, .pool = pool};
    return use;
}

static na_error *start_reading(na_sql *primary, int nth, apr_pool_t *pool, na_db_use **use)
{
    na_sql *db = na_sql_nth(primary, nth);
    NA_TRY(na_breaker_admit(db->breaker, pool));
    *use = make_use(primary, nth, pool);
    na_error *error = na_sql_acquire(db, pool, &(*use)->connection);
    return error ? na_breaker_settle(db->breaker, pool, error) : NULL;
}

static int is_down(const na_error *error)
{
    return na_error_is(error, NA_ERR_UNAVAILABLE);
}

na_error *na_sql_read(na_sql *db, apr_pool_t *pool, na_db_use **use)
{
    na_error *error = start_reading(db, 0, pool, use);
    for (int nth = 1; is_down(error) && nth <= db->replica_count; nth++)
        error = start_reading(db, nth, pool, use);
    return error;
}

na_error *na_sql_read_current(na_sql *db, apr_pool_t *pool, na_db_use **use)
{
    NA_TRY(start_reading(db, 0, pool, use));
    (*use)->is_current = 1;
    return NULL;
}

int na_sql_is_behind(const na_db_use *use)
{
    return use->nth > 0;
}

/*
 * SQLite's driver prepares statements in a way that fails permanently after another process changed
 * the definitions. Within the transaction they can no longer change. The mode keeps a failure that
 * an earlier change causes from failing the transaction.
 */
static int learn_schema(na_sql_connection *c)
{
    apr_dbd_transaction_mode_set(c->driver, c->transaction, APR_DBD_TRANSACTION_IGNORE_ERRORS);
    int learned = na_sql_learn_definitions(c);
    apr_dbd_transaction_mode_set(c->driver, c->transaction, APR_DBD_TRANSACTION_COMMIT);
    return learned;
}

static int begin_transaction(na_db_use *use)
{
    na_sql_connection *c = use->connection;
    if (apr_dbd_transaction_start(c->driver, c->inner, c->handle, &c->transaction) != 0)
        return 0;
    use->transaction = c->transaction;
    return use->transaction && (use->db->settings->engine != NA_SQLITE || learn_schema(c));
}

/* Idle connections often fail together, so as many are tried as can exist. */
static na_error *begin_on_live(na_db_use *use)
{
    na_sql *db = use->db;
    /* SQLite has no server that could be gone: if it cannot begin, others are writing */
    int most = db->settings->engine == NA_SQLITE ? 1 : db->options->max_connections;
    for (int tries = 0; tries <= most; tries++) {
        if (begin_transaction(use))
            return NULL;
        use->connection->broken = 1;
        na_sql_give_back(db, use->connection);
        use->transaction = NULL;
        NA_TRY(na_sql_acquire(db, use->pool, &use->connection));
    }
    use->connection->broken = 1;
    na_sql_give_back(db, use->connection);
    return na_sql_unavailable(db, use->pool, "could not begin a transaction");
}

na_error *na_sql_write(na_sql *db, apr_pool_t *pool, na_db_use **use)
{
    NA_TRY(na_breaker_admit(db->breaker, pool));
    *use = make_use(db, 0, pool);
    na_error *error = take_turn(*use);
    if (!error)
        error = na_sql_acquire(db, pool, &(*use)->connection);
    if (!error)
        error = begin_on_live(*use);
    if (!error)
        return NULL;
    pass_turn(*use);
    return na_breaker_settle(db->breaker, pool, error);
}

static void unlock(na_db_use *use)
{
    na_rows rows;
    const char *arguments[] = {use->lock};
    if (use->lock && !use->connection->broken &&
        na_sql_select_text(use, "unlock", "SELECT RELEASE_LOCK(%s)", 1, arguments, &rows))
        use->connection->broken = 1;
}

/* If the rollback succeeded, the server is available: the statement or a conflict is the cause. */
static na_error *not_its_fault(na_db_use *use, na_error *error)
{
    return na_error_is(error, NA_ERR_UNAVAILABLE) ? na_sql_refused(use, error, "rolled back")
                                                  : error;
}

/* If a statement failed, drivers that are asked to commit roll back and report success. */
static na_error *end_transaction(na_db_use *use, na_error *error)
{
    na_sql_connection *c = use->connection;
    if (!error)
        error = use->failure;
    apr_dbd_transaction_mode_set(c->driver, use->transaction,
                                 error ? APR_DBD_TRANSACTION_ROLLBACK : APR_DBD_TRANSACTION_COMMIT);
    int failed = apr_dbd_transaction_end(c->driver, c->pool, use->transaction) != 0;
    use->transaction = NULL;
    c->broken |= failed;
    if (failed && !error)
        return na_sql_unavailable(use->db, use->pool, "could not commit the transaction");
    return !failed && error ? not_its_fault(use, error) : error;
}

na_error *na_sql_end(na_db_use *use, na_error *error)
{
    na_sql_connection *c = use->connection;
    if (!c)
        return na_breaker_settle(use->db->breaker, use->pool, error ? error : na_sql_lost(use));
    if (use->transaction)
        error = end_transaction(use, error);
    unlock(use);
    pass_turn(use);
    na_sql_give_back(use->db, c);
    return na_breaker_settle(use->db->breaker, use->pool, error);
}

/* If the latest migrations are not applied yet, a conflict is reported as if they were needed. */
static int can_be_conflict(const na_error *error)
{
    return na_error_is(error, NA_ERR_CONFLICT) || na_error_is(error, NA_ERR_NO_TABLES);
}

na_error *na_sql_transact(na_sql *db, apr_pool_t *pool, na_sql_work *work, void *data)
{
    na_db_use *use;
    for (int tries = 1;; tries++) {
        na_error *error = na_sql_write(db, pool, &use);
        if (!error)
            error = na_sql_end(use, work(data, use));
        if (!can_be_conflict(error) || tries == TRIES_MAX)
            return error;
        apr_sleep(tries * CONFLICT_PAUSE);
    }
}

apr_pool_t *na_sql_pool(const na_db_use *use)
{
    return use->pool;
}

apr_pool_t *na_sql_set_pool(na_db_use *use, apr_pool_t *pool)
{
    apr_pool_t *before = use->pool;
    use->pool = pool;
    return before;
}

na_sql_engine na_sql_engine_of(const na_db_use *use)
{
    return use->db->settings->engine;
}

const na_schema *na_sql_schema_of(const na_db_use *use)
{
    return use->db->settings->schema;
}

int na_sql_protects(const na_db_use *use)
{
    return use->db->options->protects;
}

na_error *na_sql_ping(na_sql *db, apr_pool_t *pool, int *behind)
{
    na_db_use *use;
    int found = 0;
    *behind = 0;
    NA_TRY(na_sql_read(db, pool, &use));
    na_error *error =
        na_sql_has_table(use, na_schema_table(pool, db->settings->schema, "users"), &found);
    *behind = na_sql_is_behind(use);
    error = na_sql_end(use, error);
    return error || found ? error : na_sql_unavailable(db, pool, "the tables do not exist");
}
