/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations: listing applied steps, and running steps. */
#ifndef NA_SQL_MIGRATE_H
#define NA_SQL_MIGRATE_H

#include "sql/database.h"
#include "sql/migrations.h"

/* An applied step: a row of table nextauth_migrations. */
typedef struct na_applied {
    int version;
    const char *name;
    apr_int64_t at; /* milliseconds since 1970 */
} na_applied;

/* Lists the applied steps (na_applied) in order, in `pool`; none if the table does not exist. */
na_error *na_db_applied(na_db *db, apr_pool_t *pool, apr_array_header_t **steps);

/* Writes the highest applied step; 0 if none. */
na_error *na_db_version(na_db *db, apr_pool_t *pool, int *version);

/*
 * Returns the statements (const char *) of a step for a schema and an engine, in `pool`: to apply
 * it if `up`, otherwise to take it back. Empty if the step is for another schema.
 */
apr_array_header_t *na_migration_statements(apr_pool_t *pool, const na_schema *schema,
                                            na_db_engine engine, const na_migration *step, int up);

/* Called for each step after it was done; with `dry_run`, for each step that would be. */
typedef void na_migrate_report(void *data, const na_migration *step, int up);

/*
 * Applies steps, or takes them back, until `target` is the highest applied one; -1 for the newest.
 * Each step is one transaction, so that a failure keeps the steps before it. (MySQL commits each
 * definition separately; there a failed step is run again from its start.) If several runs are
 * concurrent, each step is done by one of them. Steps of other schemas are recorded without
 * statements, so that numbers have no gaps. `dry_run` changes nothing.
 *
 * If the database has steps that this version does not support, or `target` does not exist, the
 * error is NA_ERR_CONFIGURATION. `report` can be NULL.
 */
na_error *na_db_migrate(na_db *db, apr_pool_t *pool, int target, int dry_run,
                        na_migrate_report *report, void *data);

#endif
