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
    NA_TRY(na_sql_select_text(
        use, "migrations",
        "SELECT version, name, applied_at FROM nextauth_migrations ORDER BY version", 0, NULL,
        &rows));
    for (int i = 0; i < rows.count; i++) {
        const char *at = na_rows_value(&rows, i, 2);
        APR_ARRAY_PUSH(steps, na_db_step) =
            (na_db_step){atoi(na_rows_value(&rows, i, 0)), na_rows_value(&rows, i, 1),
                         at ? strtoll(at, NULL, 10) : 0};
    }
    return NULL;
}

static na_error *read_applied_if_any(na_db_use *use, apr_array_header_t *steps)
{
    int found;
    NA_TRY(na_sql_has_table(use, "nextauth_migrations", &found));
    return found ? read_applied(use, steps) : NULL;
}

na_error *na_sql_applied(void *self, apr_pool_t *pool, apr_array_header_t *steps)
{
    na_db_use *use;
    NA_TRY(na_sql_read(self, pool, &use));
    return na_sql_end(use, read_applied_if_any(use, steps));
}

static const na_db_step *last_of(const apr_array_header_t *steps)
{
    return steps->nelts ? &APR_ARRAY_IDX(steps, steps->nelts - 1, na_db_step) : NULL;
}

/* ── one step ──────────────────────────────────────────────────────────────────────────────── */

static apr_array_header_t *statements_of(apr_pool_t *pool, const na_sql_settings *settings,
                                         const na_migration *step, int up)
{
    apr_array_header_t *statements = apr_array_make(pool, 16, sizeof(const char *));
    const char *const *texts = up ? step->up : step->down;
    const char *const *mysql = up ? step->up_mysql : step->down_mysql;
    if (step->schema && strcmp(step->schema, na_schema_name(settings->schema)) != 0)
        return statements;
    if (settings->engine == NA_MYSQL && mysql)
        texts = mysql;
    for (; *texts; texts++)
        APR_ARRAY_PUSH(statements, const char *) =
            na_schema_text(pool, settings->schema, settings->engine, *texts);
    return statements;
}

apr_array_header_t *na_sql_plan(apr_pool_t *pool, const na_db_options *options, int version, int up)
{
    return statements_of(pool, na_sql_settings_of(options), &na_migrations[version - 1], up);
}

const char *na_sql_step_name(int version)
{
    return na_migrations[version - 1].name;
}

static na_error *execute_step(na_db_use *use, const na_migration *step, int up)
{
    const na_sql_settings settings = {na_sql_engine_of(use), na_sql_schema_of(use)};
    const apr_array_header_t *statements = statements_of(na_sql_pool(use), &settings, step, up);
    for (int i = 0; i < statements->nelts; i++)
        NA_TRY(na_sql_execute(use, APR_ARRAY_IDX(statements, i, const char *)));
    return NULL;
}

static na_error *record(na_db_use *use, const na_migration *step)
{
    apr_pool_t *pool = na_sql_pool(use);
    const char *arguments[] = {apr_itoa(pool, step->version), step->name,
                               apr_psprintf(pool, "%" APR_INT64_T_FMT,
                                            apr_time_as_msec(apr_time_now()))};
    const char *text = na_schema_text(pool, na_sql_schema_of(use), na_sql_engine_of(use),
                                      "INSERT INTO nextauth_migrations (version, name, applied_at) "
                                      "VALUES ({?int}, %s, {?int})");
    return na_sql_change_text(use, "migrations_add", text, 3, arguments, NULL);
}

/*
 * Removes a step from the list. Taking back the first one drops the list itself, so that the module
 * leaves as little behind as possible.
 */
static na_error *forget(na_db_use *use, const na_migration *step)
{
    apr_pool_t *pool = na_sql_pool(use);
    const char *arguments[] = {apr_itoa(pool, step->version)};
    const char *text = na_schema_text(pool, na_sql_schema_of(use), na_sql_engine_of(use),
                                      "DELETE FROM nextauth_migrations WHERE version = {?int}");
    if (step->version == 1)
        return na_sql_execute(use, "DROP TABLE nextauth_migrations");
    return na_sql_change_text(use, "migrations_remove", text, 1, arguments, NULL);
}

static na_error *run_step(na_db_use *use, const na_migration *step, int up)
{
    na_error *error = execute_step(use, step, up);
    if (!error)
        error = up ? record(use, step) : forget(use, step);
    return error ? na_error_wrap(na_sql_pool(use), error, NULL, "step %d, %s", step->version,
                                 step->name)
                 : NULL;
}

/* ── all steps ─────────────────────────────────────────────────────────────────────────────── */

static na_error *make_table(na_db_use *use)
{
    return na_sql_execute(
        use, na_schema_text(na_sql_pool(use), na_sql_schema_of(use), na_sql_engine_of(use),
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
    NA_TRY(na_sql_lock(use, "nextauth_migrations"));
    if (na_sql_engine_of(use) == NA_POSTGRESQL)
        NA_TRY(na_sql_execute(use, "SET LOCAL lock_timeout = 5000"));
    NA_TRY(na_sql_has_table(use, "nextauth_migrations", &found));
    if (found)
        return read_applied(use, applied);
    return target ? make_table(use) : NULL;
}

/* Returns the next step on the way to the target; NULL if it is reached. */
static const na_migration *next_step(int version, int target)
{
    if (version == target)
        return NULL;
    return &na_migrations[version < target ? version : version - 1];
}

/* Reads the version again under the lock, because a concurrent run might have applied the step. */
static na_error *do_next(na_db_use *use, int target, int *version, int *up)
{
    apr_array_header_t *applied = apr_array_make(na_sql_pool(use), 8, sizeof(na_db_step));
    NA_TRY(begin_step(use, target, applied));
    int now = applied->nelts ? last_of(applied)->version : 0;
    if (now > NA_MIGRATION_COUNT)
        return na_error_new(na_sql_pool(use), NA_ERR_CONFIGURATION,
                            "a newer version has migrated the database meanwhile");
    const na_migration *step = next_step(now, target);
    *up = now < target;
    *version = step ? step->version : 0;
    return step ? run_step(use, step, *up) : NULL;
}

na_error *na_sql_migrate(void *self, apr_pool_t *pool, int target, int *version, int *up)
{
    na_db_use *use;
    NA_TRY(na_sql_write(self, pool, &use));
    return na_sql_end(use, do_next(use, target, version, up));
}
