/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations: which ones a database lacks, and running them. */
#ifndef NA_DB_MIGRATE_H
#define NA_DB_MIGRATE_H

#include "db/database.h"
#include "db/migrations.h"

/* A step that was applied, as table nextauth_migrations has it. */
typedef struct na_applied {
    int version;
    const char *name;
    apr_int64_t at; /* milliseconds since 1970 */
} na_applied;

/* All of them (na_applied) in their order, in `pool`; none where there is no such table. */
na_error *na_db_applied(na_db *db, apr_pool_t *pool, apr_array_header_t **steps);

/* Writes the highest applied step; 0 if none. */
na_error *na_db_version(na_db *db, apr_pool_t *pool, int *version);

/*
 * The statements (const char *) of a step for a schema and an engine, in `pool`: to apply it where
 * `up`, otherwise to take it back. None for a step of another schema.
 */
apr_array_header_t *na_migration_statements(apr_pool_t *pool, const na_schema *schema,
                                            na_db_engine engine, const na_migration *step, int up);

/* Told of each step once it is done, or would be. */
typedef void na_migrate_report(void *data, const na_migration *step, int up);

/*
 * Applies steps, or takes them back, until `target` is the highest that is applied; -1: the newest.
 * Each step is one transaction: what fails leaves the steps before it. (MySQL commits definitions
 * by themselves; there a step that failed is run again from its start.) Runs at the same time do
 * not collide, each step is done by one of them. Steps of other schemas are recorded and do
 * nothing, so that numbers have no gaps. With `dry_run` nothing is changed.
 *
 * A database with steps that this version does not know, and a target that is none, are errors with
 * the code NA_ERR_CONFIGURATION. `report` may be NULL.
 */
na_error *na_db_migrate(na_db *db, apr_pool_t *pool, int target, int dry_run,
                        na_migrate_report *report, void *data);

#endif
