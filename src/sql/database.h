/* SPDX-License-Identifier: Apache-2.0 */
/* Connections, statements and transactions of SQL databases. */
#ifndef NA_SQL_DATABASE_H
#define NA_SQL_DATABASE_H

#include <apr_tables.h>
#include <apr_time.h>

#include "db/adapter.h"
#include "sql/schema.h"

/* The settings of na_db_options that only this adapter knows. */
typedef struct na_sql_settings {
    na_sql_engine engine;
    const na_schema *schema;
} na_sql_settings;

const na_sql_settings *na_sql_settings_of(const na_db_options *options);

/*
 * Implement the adapter's configuration. URLs are postgresql://, mysql:// (mariadb://), or
 * sqlite:PATH. PostgreSQL's own parameters (sslmode=verify-full, sslrootcert=…) are passed on;
 * Prisma's are interpreted or ignored.
 */
na_error *na_sql_parse(apr_pool_t *pool, const char *url, const char *root, na_db_options *options);
na_error *na_sql_set_schema(apr_pool_t *pool, const char *name, na_db_options *options);

/* Checks that the engine's driver is installed; the hint names the package. */
na_error *na_sql_check_driver(apr_pool_t *pool, const na_db_options *options);

/*
 * A process's connections to a database: opened when needed, at most max_connections, closed after
 * ten minutes so that they follow failovers and new passwords. Safe for threads; must be created
 * after the fork; destroyed with its pool. The options and the breaker must live as long.
 */
typedef struct na_sql na_sql;

na_error *na_sql_open(apr_pool_t *pool, const na_db_options *options, const na_breaker *breaker,
                      na_sql **made);

/*
 * While `db` does not respond, reads use the first of `replicas` that does. Replicas are never
 * written, and not read while `db` works, because they lag behind. The array must live as long as
 * `db`.
 */
void na_sql_set_replicas(na_sql *db, na_sql *const *replicas, int count);

/*
 * Checks that the database responds and has its tables. *behind is 1 if the database is down and a
 * replica responded.
 */
na_error *na_sql_ping(na_sql *db, apr_pool_t *pool, int *behind);

/*
 * A connection in use. A reading use replaces a connection that turns out to be dead. A writing use
 * is a transaction, and replaces it when it begins. Every use must be ended exactly once.
 */
na_error *na_sql_read(na_sql *db, apr_pool_t *pool, na_db_use **use);

/* The same, but never of a replica: what is read can be the ground for a decision. */
na_error *na_sql_read_current(na_sql *db, apr_pool_t *pool, na_db_use **use);

na_error *na_sql_write(na_sql *db, apr_pool_t *pool, na_db_use **use);

/* Returns 1 if a replica is read: rows that it lacks might exist in the database. */
int na_sql_is_behind(const na_db_use *use);

/*
 * Ends a use. Commits if `error` is NULL and no statement of the transaction failed; otherwise
 * rolls back. Returns `error`, the first failure, or the error of the commit; NULL if committed.
 */
na_error *na_sql_end(na_db_use *use, na_error *error);

/*
 * Runs `work` as a transaction. Repeats it a few times if it was rolled back although the server
 * responds, for example after a deadlock. `work` must therefore tolerate what a previous attempt
 * left in `data`.
 */
typedef na_error *na_sql_work(void *data, na_db_use *use);

na_error *na_sql_transact(na_sql *db, apr_pool_t *pool, na_sql_work *work, void *data);

/*
 * Runs `work`, which can fail, as a part of the transaction `use`; definitions are not allowed. If
 * it fails, its changes are undone, the transaction can continue, and its error is returned. If
 * they cannot be undone, the transaction has failed.
 */
na_error *na_sql_try(na_db_use *use, na_sql_work *work, void *data);

apr_pool_t *na_sql_pool(const na_db_use *use);

/*
 * Changes the pool for all further results of the use. Returns the previous pool, which must be
 * restored before the end. With this, a long use can be processed in parts and the memory of each
 * be freed.
 */
apr_pool_t *na_sql_set_pool(na_db_use *use, apr_pool_t *pool);

na_sql_engine na_sql_engine_of(const na_db_use *use);
const na_schema *na_sql_schema_of(const na_db_use *use);
int na_sql_protects(const na_db_use *use); /* the option `protects` */

/* Rows as text, in the pool of the use; NULL for NULL. */
typedef struct na_rows {
    int count, columns;
    const char **values; /* row by row */
} na_rows;

static inline const char *na_rows_value(const na_rows *rows, int row, int column)
{
    return rows->values[row * rows->columns + column];
}

/*
 * Runs a statement of the schema with `arguments` as text (NULL for NULL): na_sql_select if it
 * returns rows, otherwise na_sql_change, which writes the number of changed rows to `affected` (can
 * be NULL). Errors have the code NA_ERR_UNAVAILABLE, or NA_ERR_NO_TABLES if tables are missing. If
 * the server responds after all, the code becomes NA_ERR_CONFLICT: at once without a transaction,
 * otherwise in na_sql_end.
 */
na_error *na_sql_select(na_db_use *use, na_statement statement, int count,
                        const char *const *arguments, na_rows *rows);
na_error *na_sql_change(na_db_use *use, na_statement statement, int count,
                        const char *const *arguments, int *affected);

/*
 * Run a statement with {=keys}: `values` arguments, then `keys` compared ones, which MySQL requires
 * twice.
 */
na_error *na_sql_select_by(na_db_use *use, na_statement statement, int keys,
                           const char *const *arguments, na_rows *rows);
na_error *na_sql_change_by(na_db_use *use, na_statement statement, int values, int keys,
                           const char *const *arguments, int *affected);

/*
 * Run a statement with the caller's own text, one of a small fixed set that `name` distinguishes.
 * The name is lower case because PostgreSQL's driver does not quote it.
 */
na_error *na_sql_select_text(na_db_use *use, const char *name, const char *text, int count,
                             const char *const *arguments, na_rows *rows);
na_error *na_sql_change_text(na_db_use *use, const char *name, const char *text, int count,
                             const char *const *arguments, int *affected);

/*
 * Runs a definition, or another statement without arguments. Statements that were prepared before
 * can be invalid afterwards: use only statements that this use has not run yet.
 */
na_error *na_sql_execute(na_db_use *use, const char *text);

/* Locks a name until the use ends, for changes that no unique index protects. */
na_error *na_sql_lock(na_db_use *use, const char *name);

/*
 * Sets *found to 1 if a table or view of this name exists. It is not selected from, because a
 * missing table would be an error and end the transaction.
 */
na_error *na_sql_has_table(na_db_use *use, const char *name, int *found);

/* Writes the ID that MySQL generated for the last insert of this use. */
na_error *na_sql_last_id(na_db_use *use, const char **id);

#endif
