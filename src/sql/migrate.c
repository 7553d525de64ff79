/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations: listing applied steps, and running steps. */
#include "sql/migrate.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/text.h"

/* ── applied steps ─────────────────────────────────────────────────────────────────────────── */

static na_error *read_applied(na_db_use *use, apr_array_header_t *steps)
{
    na_rows rows;
    NA_TRY(na_db_select_text(
        use, "migrations",
        "SELECT version, name, applied_at FROM nextauth_migrations ORDER BY version", 0, NULL,
        &rows));
    for (int i = 0; i < rows.count; i++) {
        const char *at = na_rows_value(&rows, i, 2);
        APR_ARRAY_PUSH(steps, na_applied) =
            (na_applied){atoi(na_rows_value(&rows, i, 0)), na_rows_value(&rows, i, 1),
                         at ? strtoll(at, NULL, 10) : 0};
    }
    return NULL;
}

static na_error *read_applied_if_any(na_db_use *use, apr_array_header_t *steps)
{
    int found;
    NA_TRY(na_db_has_table(use, "nextauth_migrations", &found));
    return found ? read_applied(use, steps) : NULL;
}

na_error *na_db_applied(na_db *db, apr_pool_t *pool, apr_array_header_t **steps)
{
    na_db_use *use;
    *steps = apr_array_make(pool, 8, sizeof(na_applied));
    NA_TRY(na_db_read(db, pool, &use));
    return na_db_end(use, read_applied_if_any(use, *steps));
}

static const na_applied *last_of(const apr_array_header_t *steps)
{
    return steps->nelts ? &APR_ARRAY_IDX(steps, steps->nelts - 1, na_applied) : NULL;
}

na_error *na_db_version(na_db *db, apr_pool_t *pool, int *version)
{
    apr_array_header_t *steps;
    NA_TRY(na_db_applied(db, pool, &steps));
    *version = steps->nelts ? last_of(steps)->version : 0;
    return NULL;
}

/* ── one step ──────────────────────────────────────────────────────────────────────────────── */

apr_array_header_t *na_migration_statements(apr_pool_t *pool, const na_schema *schema,
                                            na_db_engine engine, const na_migration *step, int up)
{
    apr_array_header_t *statements = apr_array_make(pool, 16, sizeof(const char *));
    const char *const *texts = up ? step->up : step->down;
    const char *const *mysql = up ? step->up_mysql : step->down_mysql;
    if (step->schema && strcmp(step->schema, na_schema_name(schema)) != 0)
        return statements;
    if (engine == NA_DB_MYSQL && mysql)
        texts = mysql;
    for (; *texts; texts++)
        APR_ARRAY_PUSH(statements, const char *) = na_schema_text(pool, schema, engine, *texts);
    return statements;
}

static na_error *execute_step(na_db_use *use, const na_migration *step, int up)
{
    const apr_array_header_t *statements =
        na_migration_statements(na_db_pool(use), na_db_schema_of(use), na_db_engine_of(use), step,
                                up);
    for (int i = 0; i < statements->nelts; i++)
        NA_TRY(na_db_execute(use, APR_ARRAY_IDX(statements, i, const char *)));
    return NULL;
}

static na_error *record(na_db_use *use, const na_migration *step)
{
    apr_pool_t *pool = na_db_pool(use);
    const char *arguments[] = {apr_itoa(pool, step->version), step->name,
                               apr_psprintf(pool, "%" APR_INT64_T_FMT,
                                            apr_time_as_msec(apr_time_now()))};
    const char *text = na_schema_text(pool, na_db_schema_of(use), na_db_engine_of(use),
                                      "INSERT INTO nextauth_migrations (version, name, applied_at) "
                                      "VALUES ({?int}, %s, {?int})");
    return na_db_change_text(use, "migrations_add", text, 3, arguments, NULL);
}

/*
 * Removes a step from the list. Taking back the first one drops the list itself, so that the module
 * leaves as little behind as possible.
 */
static na_error *forget(na_db_use *use, const na_migration *step)
{
    apr_pool_t *pool = na_db_pool(use);
    const char *arguments[] = {apr_itoa(pool, step->version)};
    const char *text = na_schema_text(pool, na_db_schema_of(use), na_db_engine_of(use),
                                      "DELETE FROM nextauth_migrations WHERE version = {?int}");
    if (step->version == 1)
        return na_db_execute(use, "DROP TABLE nextauth_migrations");
    return na_db_change_text(use, "migrations_remove", text, 1, arguments, NULL);
}

static na_error *run_step(na_db_use *use, const na_migration *step, int up)
{
    na_error *error = execute_step(use, step, up);
    if (!error)
        error = up ? record(use, step) : forget(use, step);
    return error ? na_error_wrap(na_db_pool(use), error, NULL, "step %d, %s", step->version,
                                 step->name)
                 : NULL;
}

/* ── all steps ─────────────────────────────────────────────────────────────────────────────── */

static na_error *make_table(na_db_use *use)
{
    return na_db_execute(use,
                         na_schema_text(na_db_pool(use), na_db_schema_of(use), na_db_engine_of(use),
                                        "CREATE TABLE nextauth_migrations (version {#int} NOT NULL "
                                        "PRIMARY KEY, name {#key} NOT NULL, applied_at {#int} NOT "
                                        "NULL)"));
}

/*
 * A statement that waits for a table makes all later ones wait as well. A failure that can be
 * retried is better than that.
 */
static na_error *begin_step(na_db_use *use, int target, apr_array_header_t *applied)
{
    int found;
    NA_TRY(na_db_lock(use, "nextauth_migrations"));
    if (na_db_engine_of(use) == NA_DB_POSTGRESQL)
        NA_TRY(na_db_execute(use, "SET LOCAL lock_timeout = 5000"));
    NA_TRY(na_db_has_table(use, "nextauth_migrations", &found));
    if (found)
        return read_applied(use, applied);
    return target ? make_table(use) : NULL;
}

static na_error *check_known(apr_pool_t *pool, const apr_array_header_t *applied)
{
    const na_applied *last = last_of(applied);
    if (!last || last->version <= na_migration_count)
        return NULL;
    return na_error_new(pool, NA_ERR_CONFIGURATION,
                        "the database has step %d (%s), which this version, " NA_VERSION
                        ", does not support: use nextauthctl of the newest mod_nextauth that this "
                        "database was migrated with",
                        last->version, na_one_line(pool, last->name, 80));
}

/* Returns the next step on the way to the target; NULL if it is reached. */
static const na_migration *next_step(int version, int target)
{
    if (version == target)
        return NULL;
    return &na_migrations[version < target ? version : version - 1];
}

/* Reads the version again under the lock, because a concurrent run might have applied the step. */
static na_error *do_next(na_db_use *use, int target, const na_migration **step, int *up)
{
    apr_array_header_t *applied = apr_array_make(na_db_pool(use), 8, sizeof(na_applied));
    NA_TRY(begin_step(use, target, applied));
    NA_TRY(check_known(na_db_pool(use), applied));
    int version = applied->nelts ? last_of(applied)->version : 0;
    *step = next_step(version, target);
    *up = version < target;
    return *step ? run_step(use, *step, *up) : NULL;
}

static na_error *migrate(na_db *db, apr_pool_t *pool, int target, na_migrate_report *report,
                         void *data)
{
    const na_migration *step;
    int up;
    do {
        na_db_use *use;
        step = NULL;
        NA_TRY(na_db_write(db, pool, &use));
        NA_TRY(na_db_end(use, do_next(use, target, &step, &up)));
        if (step && report)
            report(data, step, up);
    } while (step);
    return NULL;
}

na_error *na_db_migrate(na_db *db, apr_pool_t *pool, int target, int dry_run,
                        na_migrate_report *report, void *data)
{
    apr_array_header_t *applied;
    if (target < 0)
        target = na_migration_count;
    if (target > na_migration_count)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "unknown step %d: the newest is %d", target,
                            na_migration_count);
    NA_TRY(na_db_applied(db, pool, &applied));
    NA_TRY(check_known(pool, applied));
    int version = applied->nelts ? last_of(applied)->version : 0;
    if (version == target)
        return NULL;
    if (!dry_run)
        return migrate(db, pool, target, report, data);
    for (const na_migration *step; (step = next_step(version, target));
         version += version < target ? 1 : -1)
        if (report)
            report(data, step, version < target);
    return NULL;
}
