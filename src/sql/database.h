/* SPDX-License-Identifier: Apache-2.0 */
/* One interface to databases: connections, statements, transactions. */
#ifndef NA_SQL_DATABASE_H
#define NA_SQL_DATABASE_H

#include <apr_tables.h>
#include <apr_time.h>

#include "base/breaker.h"
#include "sql/schema.h"

/* How to reach a database, and its schema. Immutable configuration. */
typedef struct na_db_options {
    na_db_engine engine;
    const na_schema *schema;
    const char *parameters;             /* of apr_dbd's driver; can contain a password */
    const char *name;                   /* for messages; no secrets */
    const apr_array_header_t *replicas; /* const na_db_options *; NULL if none */
    int max_connections;                /* of one process */
    long timeout_ms; /* for a free connection; for a statement if the engine supports it */
    int protects;    /* 1 to encrypt tokens and to write session IDs as hashes */
} na_db_options;

/* Fails if the engine does not support the schema. */
na_error *na_db_check_schema(apr_pool_t *pool, const na_db_options *options);

/*
 * Reads a postgresql://, mysql:// (mariadb://), or sqlite:PATH URL into `options`, except the
 * schema, with defaults for the rest. A relative path of SQLite is relative to `root`. PostgreSQL's
 * own parameters (sslmode=verify-full, sslrootcert=…) are passed on; Prisma's are interpreted or
 * ignored. Messages never show the URL.
 */
na_error *na_db_url_parse(apr_pool_t *pool, const char *url, const char *root,
                          na_db_options *options);

/* Checks that the engine's driver is installed; the hint names the package. */
na_error *na_db_check_driver(apr_pool_t *pool, const na_db_options *options);

/*
 * A process's connections to a database: opened when needed, at most max_connections, closed after
 * ten minutes so that they follow failovers and new passwords. Safe for threads; must be created
 * after the fork; destroyed with its pool. The options and the breaker must live as long.
 */
typedef struct na_db na_db;

na_error *na_db_make(apr_pool_t *pool, const na_db_options *options, const na_breaker *breaker,
                     na_db **made);

/*
 * While `db` does not respond, reads use the first of `replicas` that does. Replicas are never
 * written, and not read while `db` works, because they lag behind. The array must live as long as
 * `db`.
 */
void na_db_set_replicas(na_db *db, na_db *const *replicas, int count);
na_db *const *na_db_replicas(const na_db *db, int *count);

/*
 * Checks that the database responds and has its tables. *behind is 1 if the database is down and a
 * replica responded.
 */
na_error *na_db_ping(na_db *db, apr_pool_t *pool, int *behind);

/*
 * A connection in use. A reading use replaces a connection that turns out to be dead. A writing use
 * is a transaction, and replaces it when it begins. Every use must be ended exactly once.
 */
typedef struct na_db_use na_db_use;

na_error *na_db_read(na_db *db, apr_pool_t *pool, na_db_use **use);
na_error *na_db_write(na_db *db, apr_pool_t *pool, na_db_use **use);

/* Returns 1 if a replica is read: rows that it lacks might exist in the database. */
int na_db_is_behind(const na_db_use *use);

/*
 * Ends a use. Commits if `error` is NULL and no statement of the transaction failed; otherwise
 * rolls back. Returns `error`, the first failure, or the error of the commit; NULL if committed.
 */
na_error *na_db_end(na_db_use *use, na_error *error);

/*
 * Runs `work` as a transaction. Repeats it a few times if it was rolled back although the server
 * responds, for example after a deadlock. `work` must therefore tolerate what a previous attempt
 * left in `data`.
 */
typedef na_error *na_db_work(void *data, na_db_use *use);

na_error *na_db_transact(na_db *db, apr_pool_t *pool, na_db_work *work, void *data);

/*
 * Runs `work`, which can fail, as a part of the transaction `use`; definitions are not allowed. If
 * it fails, its changes are undone, the transaction can continue, and its error is returned. If
 * they cannot be undone, the transaction has failed.
 */
na_error *na_db_try(na_db_use *use, na_db_work *work, void *data);

apr_pool_t *na_db_pool(const na_db_use *use);

/*
 * Changes the pool for all further results of the use. Returns the previous pool, which must be
 * restored before the end. With this, a long use can be processed in parts and the memory of each
 * be freed.
 */
apr_pool_t *na_db_set_pool(na_db_use *use, apr_pool_t *pool);

na_db_engine na_db_engine_of(const na_db_use *use);
const na_schema *na_db_schema_of(const na_db_use *use);
int na_db_protects(const na_db_use *use); /* the option `protects` */

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
 * Runs a statement of the schema with `arguments` as text (NULL for NULL): na_db_select if it
 * returns rows, otherwise na_db_change, which writes the number of changed rows to `affected` (can
 * be NULL). Errors have the code NA_ERR_UNAVAILABLE, or NA_ERR_NO_TABLES if tables are missing. If
 * the server responds after all, the code becomes NA_ERR_CONFLICT: at once without a transaction,
 * otherwise in na_db_end.
 */
na_error *na_db_select(na_db_use *use, na_statement statement, int count,
                       const char *const *arguments, na_rows *rows);
na_error *na_db_change(na_db_use *use, na_statement statement, int count,
                       const char *const *arguments, int *affected);

/*
 * Run a statement with the caller's own text, one of a small fixed set that `name` distinguishes.
 * The name is lower case because PostgreSQL's driver does not quote it.
 */
na_error *na_db_select_text(na_db_use *use, const char *name, const char *text, int count,
                            const char *const *arguments, na_rows *rows);
na_error *na_db_change_text(na_db_use *use, const char *name, const char *text, int count,
                            const char *const *arguments, int *affected);

/*
 * Runs a definition, or another statement without arguments. Statements that were prepared before
 * can be invalid afterwards: use only statements that this use has not run yet.
 */
na_error *na_db_execute(na_db_use *use, const char *text);

/* Locks a name until the use ends, for changes that no unique index protects. */
na_error *na_db_lock(na_db_use *use, const char *name);

/*
 * Sets *found to 1 if a table or view of this name exists. It is not selected from, because a
 * missing table would be an error and end the transaction.
 */
na_error *na_db_has_table(na_db_use *use, const char *name, int *found);

/* Writes the ID that MySQL generated for the last insert of this use. */
na_error *na_db_last_id(na_db_use *use, const char **id);

#endif
