/* SPDX-License-Identifier: Apache-2.0 */
/* One interface to databases: connections, statements, transactions. */
#ifndef NA_DB_DATABASE_H
#define NA_DB_DATABASE_H

#include <apr_tables.h>
#include <apr_time.h>

#include "base/breaker.h"
#include "db/schema.h"

/* How to reach a database, and its schema. Immutable configuration. */
typedef struct na_db_options {
    na_db_engine engine;
    const na_schema *schema;
    const char *parameters;             /* of apr_dbd's driver; can contain a password */
    const char *name;                   /* for messages; no secrets */
    const apr_array_header_t *replicas; /* const na_db_options *; NULL if none */
    int max_connections;                /* of one process */
    long timeout_ms; /* for a free connection; for a statement if the engine supports it */
    int protects;    /* tokens are written encrypted, and session IDs as hashes */
} na_db_options;

/* An error where the engine has no such schema. */
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
 * ten minutes so that they follow failovers and new passwords. Safe for threads, created after the
 * fork, destroyed with its pool. The options and the breaker must live as long.
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
 * Whether the database answers and has its tables. *behind is 1 if it was a replica that did, as
 * the database itself is down.
 */
na_error *na_db_ping(na_db *db, apr_pool_t *pool, int *behind);

/*
 * A connection in use. A use that reads replaces a connection that turns out to be dead; one that
 * writes is a transaction, which detects that as it begins. Every use must be ended once.
 */
typedef struct na_db_use na_db_use;

na_error *na_db_read(na_db *db, apr_pool_t *pool, na_db_use **use);
na_error *na_db_write(na_db *db, apr_pool_t *pool, na_db_use **use);

/* Returns 1 if a replica is read: rows that it lacks might exist in the database. */
int na_db_is_behind(const na_db_use *use);

/*
 * Ends a use with what came of it: commits where `error` is NULL and no statement of a transaction
 * has failed, rolls back otherwise. Returns `error`, or the first failure, or what the commit
 * failed with: NULL is committed.
 */
na_error *na_db_end(na_db_use *use, na_error *error);

/*
 * A whole transaction of `work`, a few times over where it was rolled back though the server is
 * there, as when two wait for each other: what `work` leaves in `data` has to bear that.
 */
typedef na_error *na_db_work(void *data, na_db_use *use);

na_error *na_db_transact(na_db *db, apr_pool_t *pool, na_db_work *work, void *data);

/*
 * A part of the transaction `use` that may fail, no definitions: returns the error of `work`, whose
 * changes are undone then, and the transaction can go on. Where they cannot be, it has failed.
 */
na_error *na_db_try(na_db_use *use, na_db_work *work, void *data);

apr_pool_t *na_db_pool(const na_db_use *use);

/*
 * From now on what the use gives lives in `pool`; returns the pool from before, which must be put
 * back before the end. So a long use can be worked off in parts, each with a pool that is cleared.
 */
apr_pool_t *na_db_set_pool(na_db_use *use, apr_pool_t *pool);

na_db_engine na_db_engine_of(const na_db_use *use);
const na_schema *na_db_schema_of(const na_db_use *use);
int na_db_protects(const na_db_use *use); /* the option of that name */

/* Rows as text, in the pool of the use: NULL is NULL. */
typedef struct na_rows {
    int count, columns;
    const char **values; /* row by row */
} na_rows;

static inline const char *na_rows_value(const na_rows *rows, int row, int column)
{
    return rows->values[row * rows->columns + column];
}

/*
 * Runs a statement of the schema with `arguments` as text (NULL is NULL). One that returns rows
 * goes through na_db_select; `affected` (may be NULL) takes how many rows another changed. The code
 * of an error is NA_ERR_UNAVAILABLE; in a transaction na_db_end makes it NA_ERR_CONFLICT where the
 * server is there after all, and it is that at once where reading alone was refused; but
 * NA_ERR_NO_TABLES where tables are missing.
 */
na_error *na_db_select(na_db_use *use, na_statement statement, int count,
                       const char *const *arguments, na_rows *rows);
na_error *na_db_change(na_db_use *use, na_statement statement, int count,
                       const char *const *arguments, int *affected);

/*
 * The same with text of the caller's own, one of a few that stay the same: `name` tells them apart.
 * It is lower case, since PostgreSQL's driver does not quote it.
 */
na_error *na_db_select_text(na_db_use *use, const char *name, const char *text, int count,
                            const char *const *arguments, na_rows *rows);
na_error *na_db_change_text(na_db_use *use, const char *name, const char *text, int count,
                            const char *const *arguments, int *affected);

/*
 * Definitions and the like, without arguments. Statements that were prepared before may be useless
 * afterwards: select and change only what this use has not asked for yet.
 */
na_error *na_db_execute(na_db_use *use, const char *text);

/*
 * Until the use ends, nobody else gets past the same name: for what has no unique index to rest on.
 */
na_error *na_db_lock(na_db_use *use, const char *name);

/*
 * Whether a table or view of this name is there, without selecting from it: that would be an error,
 * and the end of a transaction.
 */
na_error *na_db_has_table(na_db_use *use, const char *name, int *found);

/* The id that MySQL made for the last insert of this use. */
na_error *na_db_last_id(na_db_use *use, const char **id);

#endif
