/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations: listing applied steps, and running steps. */
#include "db/migrate.h"

#include "base/text.h"

na_error *na_db_applied(const na_db *db, apr_pool_t *pool, apr_array_header_t **steps)
{
    *steps = apr_array_make(pool, 8, sizeof(na_db_step));
    return db->adapter->applied(db->self, pool, *steps);
}

static const na_db_step *last_of(const apr_array_header_t *steps)
{
    return steps->nelts ? &APR_ARRAY_IDX(steps, steps->nelts - 1, na_db_step) : NULL;
}

na_error *na_db_version(const na_db *db, apr_pool_t *pool, int *version)
{
    apr_array_header_t *steps;
    NA_TRY(na_db_applied(db, pool, &steps));
    *version = steps->nelts ? last_of(steps)->version : 0;
    return NULL;
}

static na_error *check_known(const na_db *db, apr_pool_t *pool, const na_db_step *last)
{
    if (!last || last->version <= db->adapter->steps)
        return NULL;
    return na_error_new(pool, NA_ERR_CONFIGURATION,
                        "the database has step %d (%s), which this version, " NA_VERSION
                        ", does not support: use nextauthctl of the newest mod_nextauth that this "
                        "database was migrated with",
                        last->version, na_one_line(pool, last->name, 80));
}

static void report_step(const na_db *db, na_migrate_report *report, void *data, int version, int up)
{
    const na_db_step step = {version, db->adapter->step_name(version), 0};
    if (report)
        report(data, &step, up);
}

static na_error *run(const na_db *db, apr_pool_t *pool, int target, na_migrate_report *report,
                     void *data)
{
    int version, up;
    do {
        NA_TRY(db->adapter->migrate(db->self, pool, target, &version, &up));
        if (version)
            report_step(db, report, data, version, up);
    } while (version);
    return NULL;
}

static void report_plan(const na_db *db, int version, int target, na_migrate_report *report,
                        void *data)
{
    for (; version < target; version++)
        report_step(db, report, data, version + 1, 1);
    for (; version > target; version--)
        report_step(db, report, data, version, 0);
}

na_error *na_db_migrate(const na_db *db, apr_pool_t *pool, int target, int dry_run,
                        na_migrate_report *report, void *data)
{
    apr_array_header_t *applied;
    int newest = db->adapter->steps;
    if (target < 0)
        target = newest;
    if (target > newest)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "unknown step %d: the newest is %d", target,
                            newest);
    NA_TRY(na_db_applied(db, pool, &applied));
    NA_TRY(check_known(db, pool, last_of(applied)));
    int version = applied->nelts ? last_of(applied)->version : 0;
    if (!dry_run && version != target)
        return run(db, pool, target, report, data);
    report_plan(db, version, target, report, data);
    return NULL;
}
