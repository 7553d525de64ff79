/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on a connection in use, and differences between engines. */
#include "sql/statement.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "sql/migrations.h"

static apr_dbd_prepared_t *prepared(na_sql_connection *c, const char *name, const char *text)
{
    apr_dbd_prepared_t *statement = apr_hash_get(c->prepared, name, APR_HASH_KEY_STRING);
    if (statement)
        return statement;
    if (apr_dbd_prepare(c->driver, c->inner, c->handle, text, name, &statement) != 0)
        return NULL;
    apr_hash_set(c->prepared, apr_pstrdup(c->inner, name), APR_HASH_KEY_STRING, statement);
    return statement;
}

/* Reads all rows at once, by number: the only way that all drivers implement correctly. */
static int read_rows(const na_sql_connection *c, apr_pool_t *pool, apr_dbd_results_t *results,
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

static int try_select(na_sql_connection *c, apr_pool_t *pool, const char *name, const char *text,
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
    na_sql_connection *c = use->connection;
    const char *said = apr_dbd_error(c->driver, c->handle, 0);
    return na_one_line(use->pool, said && *said ? said : "no reason given", 300);
}

static na_error *statement_failed(na_db_use *use, const char *name)
{
    na_error *error = na_sql_unavailable(use->db, use->home,
                                         apr_pstrcat(use->pool, name, ": ", reason(use), NULL));
    use->connection->broken = 1;
    if (use->transaction && !use->failure)
        use->failure = error;
    return error;
}

/*
 * Prepares statements again, because a connection that was idle can have them from before tables
 * were redefined, too. Those of PostgreSQL remain valid, and keep their names.
 */
static void renew_statements(const na_sql *db, na_sql_connection *c)
{
    if (db->settings->engine == NA_SQLITE)
        na_sql_learn_definitions(c); /* a failure is the next statement's, too */
    if (db->settings->engine != NA_POSTGRESQL)
        c->prepared = apr_hash_make(c->inner);
}

/* Replaces a broken connection; a transaction cannot continue on another one. */
static int replace(na_db_use *use)
{
    if (use->transaction)
        return 0;
    na_sql *db = use->db;
    use->connection->broken = 1;
    apr_reslist_invalidate(db->connections, use->connection);
    use->connection = NULL;
    na_error *error = na_sql_acquire(db, use->pool, &use->connection);
    while (na_error_is(error, NA_ERR_UNAVAILABLE) && !use->is_current &&
           use->nth < use->primary->replica_count) {
        na_breaker_settle(use->db->breaker, use->pool, error);
        use->db = na_sql_nth(use->primary, ++use->nth);
        error = na_sql_acquire(use->db, use->pool, &use->connection);
    }
    if (error)
        use->connection = NULL;
    else
        renew_statements(use->db, use->connection);
    return !error;
}

static int is_alive(const na_db_use *use)
{
    const na_sql_connection *c = use->connection;
    apr_dbd_results_t *results = NULL;
    apr_pool_t *temporary;
    na_rows rows;
    apr_pool_create(&temporary, use->pool);
    int alive = apr_dbd_select(c->driver, temporary, c->handle, &results, "SELECT 1", 1) == 0 &&
                read_rows(c, temporary, results, &rows);
    apr_pool_destroy(temporary);
    return alive;
}

/* ── missing tables ────────────────────────────────────────────────────────────────────────── */

/* PostgreSQL's to_regclass can miss a table that was created while the transaction waited. */
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
                      table_queries[use->db->settings->engine], 1, &table, &rows) &&
           !rows.count;
}

static int is_behind_migrations(const na_db_use *use)
{
    na_rows rows;
    return try_select(use->connection, use->pool, "version",
                      "SELECT max(version) FROM nextauth_migrations", 0, NULL, &rows) &&
           rows.count && rows.values[0] && atoi(rows.values[0]) < NA_MIGRATION_COUNT;
}

na_error *na_sql_refused(na_db_use *use, na_error *error, const char *what)
{
    if (lacks(use, na_schema_table(use->pool, use->db->settings->schema, "users")) ||
        lacks(use, "nextauth_migrations") || is_behind_migrations(use))
        return na_error_with_hint(na_error_wrap(use->pool, error, NA_ERR_NO_TABLES,
                                                "tables are missing"),
                                  "run nextauthctl migrate");
    return na_error_wrap(use->pool, error, NA_ERR_CONFLICT, "%s", what);
}

na_error *na_sql_lost(na_db_use *use)
{
    return na_sql_unavailable(use->db, use->pool,
                              "the connection was lost, and no other is available");
}

/* ── definitions that change meanwhile ─────────────────────────────────────────────────────── */

static int is_outdated(const na_db_use *use)
{
    const na_sql_connection *c = use->connection;
    const char *said = apr_dbd_error(c->driver, c->handle, 0);
    return use->db->settings->engine == NA_SQLITE && !use->transaction && said &&
           strcmp(said, "database schema has changed") == 0;
}

/*
 * SQLite's driver does not prepare a statement again that another process has outdated. In a
 * transaction, definitions are those of its first statement.
 */
static int select_in_snapshot(na_db_use *use, const char *name, const char *text, int count,
                              const char *const *arguments, na_rows *rows)
{
    na_sql_connection *c = use->connection;
    int ignored, done;
    if (apr_dbd_query(c->driver, c->handle, &ignored, "BEGIN") != 0)
        return 0;
    c->prepared = apr_hash_make(c->inner);
    done =
        na_sql_learn_definitions(c) && try_select(c, use->pool, name, text, count, arguments, rows);
    return apr_dbd_query(c->driver, c->handle, &ignored, "ROLLBACK") == 0 && done;
}

/*
 * If a first connection failed and the second one still responds, the statement or its tables are
 * at fault.
 */
na_error *na_sql_select_text(na_db_use *use, const char *name, const char *text, int count,
                             const char *const *arguments, na_rows *rows)
{
    na_error *error = NULL;
    for (int tries = 0; tries <= use->db->options->max_connections; tries++) {
        if (!use->connection)
            return na_sql_lost(use);
        if (try_select(use->connection, use->pool, name, text, count, arguments, rows))
            return NULL;
        if (is_outdated(use) && select_in_snapshot(use, name, text, count, arguments, rows))
            return NULL;
        error = statement_failed(use, name);
        if (tries && !use->transaction && is_alive(use))
            return na_sql_refused(use, error, "refused");
        if (!replace(use))
            return error;
    }
    return error;
}

static const char *name_of(apr_pool_t *pool, na_statement statement)
{
    return apr_psprintf(pool, "nextauth_%d", (int)statement);
}

na_error *na_sql_select(na_db_use *use, na_statement statement, int count,
                        const char *const *arguments, na_rows *rows)
{
    return na_sql_select_text(use, name_of(use->pool, statement), use->db->statements[statement],
                              count, arguments, rows);
}

na_error *na_sql_change_text(na_db_use *use, const char *name, const char *text, int count,
                             const char *const *arguments, int *affected)
{
    na_sql_connection *c = use->connection;
    int rows = 0;
    apr_dbd_prepared_t *ready = prepared(c, name, text);
    if (!ready || apr_dbd_pquery(c->driver, use->pool, c->handle, &rows, ready, count,
                                 (const char **)arguments) != 0)
        return statement_failed(use, name);
    if (affected)
        *affected = rows;
    return NULL;
}

na_error *na_sql_change(na_db_use *use, na_statement statement, int count,
                        const char *const *arguments, int *affected)
{
    return na_sql_change_text(use, name_of(use->pool, statement), use->db->statements[statement],
                              count, arguments, affected);
}

/*
 * Any definition invalidates SQLite's prepared statements permanently, so those of earlier uses are
 * prepared again. PostgreSQL's remain valid and keep their names.
 */
na_error *na_sql_execute(na_db_use *use, const char *text)
{
    int rows;
    use->connection->retired = 1;
    if (use->db->settings->engine == NA_SQLITE)
        apr_hash_clear(use->connection->prepared);
    return apr_dbd_query(use->connection->driver, use->connection->handle, &rows, text) == 0
               ? NULL
               : statement_failed(use, "a definition");
}

/* ── parts that can fail ───────────────────────────────────────────────────────────────────── */

static void set_mode(na_db_use *use, int mode)
{
    apr_dbd_transaction_mode_set(use->connection->driver, use->transaction, mode);
}

static na_error *savepoint(na_db_use *use, const char *text)
{
    const na_sql_connection *c = use->connection;
    int rows;
    return apr_dbd_query(c->driver, c->handle, &rows, text) == 0
               ? NULL
               : statement_failed(use, "savepoint");
}

/*
 * The mode keeps the driver from remembering a failure. The savepoint is set here because only
 * PostgreSQL's driver sets one, and not for preparing statements. If the engine has rolled back
 * everything, as MySQL does in a deadlock, the savepoint is gone and the failure stays.
 */
na_error *na_sql_try(na_db_use *use, na_sql_work *work, void *data)
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

/*
 * Writes the arguments of a statement with {=keys}: `values` arguments, then `keys` compared ones,
 * each of them twice for MySQL. Returns their number.
 */
static int with_keys(na_db_use *use, int values, int keys, const char *const *arguments,
                     const char **out)
{
    int times = use->db->settings->engine == NA_MYSQL ? 2 : 1, count = 0;
    for (int i = 0; i < values + keys; i++)
        for (int n = 0; n < (i < values ? 1 : times); n++)
            out[count++] = arguments[i];
    return count;
}

#define KEYED_MAX 7

na_error *na_sql_select_by(na_db_use *use, na_statement statement, int keys,
                           const char *const *arguments, na_rows *rows)
{
    const char *all[KEYED_MAX];
    int count = with_keys(use, 0, keys, arguments, all);
    return na_sql_select(use, statement, count, all, rows);
}

na_error *na_sql_change_by(na_db_use *use, na_statement statement, int values, int keys,
                           const char *const *arguments, int *affected)
{
    const char *all[KEYED_MAX];
    int count = with_keys(use, values, keys, arguments, all);
    return na_sql_change(use, statement, count, all, affected);
}

/* ── differences between engines ───────────────────────────────────────────────────────────── */

/* SQLite needs no lock: it allows only one writing transaction at a time. */
na_error *na_sql_lock(na_db_use *use, const char *name)
{
    unsigned char hash[NA_SHA256_LEN];
    apr_int64_t number;
    na_rows rows;
    na_sha256(hash, na_bytes_of(name), na_bytes_of(""));
    if (use->db->settings->engine == NA_SQLITE)
        return NULL;
    if (use->db->settings->engine == NA_MYSQL) {
        const char *arguments[] = {na_hex(use->pool, hash, sizeof hash / 2)};
        NA_TRY(na_sql_select_text(use, "lock", "SELECT GET_LOCK(%s, 5)", 1, arguments, &rows));
        const char *got = rows.count ? na_rows_value(&rows, 0, 0) : NULL;
        if (!got || strcmp(got, "1") != 0)
            return na_sql_unavailable(use->db, use->pool, "could not acquire a lock in time");
        use->lock = arguments[0];
        return NULL;
    }
    memcpy(&number, hash, sizeof number);
    const char *arguments[] = {apr_psprintf(use->pool, "%" APR_INT64_T_FMT, number)};
    return na_sql_select_text(use, "lock", "SELECT pg_advisory_xact_lock(CAST(%s AS bigint))", 1,
                              arguments, &rows);
}

na_error *na_sql_has_table(na_db_use *use, const char *name, int *found)
{
    na_rows rows;
    NA_TRY(na_sql_select_text(use, "has_table", table_queries[use->db->settings->engine], 1, &name,
                              &rows));
    *found = rows.count > 0;
    return NULL;
}

na_error *na_sql_last_id(na_db_use *use, const char **id)
{
    na_rows rows;
    NA_TRY(na_sql_select_text(use, "last_id", "SELECT LAST_INSERT_ID()", 0, NULL, &rows));
    *id = rows.count ? na_rows_value(&rows, 0, 0) : NULL;
    return *id ? NULL : na_sql_unavailable(use->db, use->pool, "no ID was generated");
}
