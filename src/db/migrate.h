/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations: listing applied steps, and running steps. */
#ifndef NA_DB_MIGRATE_H
#define NA_DB_MIGRATE_H

#include "db/database.h"

/* Lists the applied steps (na_db_step) in order, in `pool`; none if the database has no list. */
na_error *na_db_applied(const na_db *db, apr_pool_t *pool, apr_array_header_t **steps);

/* Writes the highest applied step; 0 if none. */
na_error *na_db_version(const na_db *db, apr_pool_t *pool, int *version);

/* Called for each step after it was done; with `dry_run`, for each step that would be. */
typedef void na_migrate_report(void *data, const na_db_step *step, int up);

/*
 * Applies steps, or takes them back, until `target` is the highest applied one; -1 for the newest.
 * A failure keeps the steps before it. `dry_run` changes nothing. `report` can be NULL.
 *
 * If the database has steps that this version does not support, or `target` does not exist, the
 * error is NA_ERR_CONFIGURATION.
 */
na_error *na_db_migrate(const na_db *db, apr_pool_t *pool, int target, int dry_run,
                        na_migrate_report *report, void *data);

#endif
