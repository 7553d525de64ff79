/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations: collections and indexes. */
#ifndef NA_MONGODB_MIGRATE_H
#define NA_MONGODB_MIGRATE_H

#include "mongodb/use.h"

/* Steps that this version knows. */
#define NA_MONGO_STEPS 4

/* Operations of na_adapter, with an na_mongo as `self`. */
const char *na_mongo_step_name(int version);
apr_array_header_t *na_mongo_plan(apr_pool_t *pool, const na_db_options *options, int version,
                                  int up);
na_error *na_mongo_applied(void *self, apr_pool_t *pool, apr_array_header_t *steps);
na_error *na_mongo_migrate(void *self, apr_pool_t *pool, int target, int *version, int *up);

/* Checks that the database responds, and that it has been migrated. */
na_error *na_mongo_ping(void *self, apr_pool_t *pool, int *behind);

/* Checks that the unique indexes are there, on which operations rely. */
na_error *na_mongo_check_tables(void *self, apr_pool_t *pool);

#endif
