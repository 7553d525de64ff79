/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations: listing applied steps, and running steps. */
#ifndef NA_SQL_MIGRATE_H
#define NA_SQL_MIGRATE_H

#include "sql/database.h"
#include "sql/migrations.h"

/*
 * Implement the adapter's functions of the same names. Each step is one transaction. (MySQL commits
 * each definition separately; there a failed step is run again from its start.) Steps of other
 * schemas are recorded without statements, so that numbers have no gaps.
 */
const char *na_sql_step_name(int version);
apr_array_header_t *na_sql_plan(apr_pool_t *pool, const na_db_options *options, int version,
                                int up);
na_error *na_sql_applied(void *self, apr_pool_t *pool, apr_array_header_t *steps);
na_error *na_sql_migrate(void *self, apr_pool_t *pool, int target, int *version, int *up);

#endif
