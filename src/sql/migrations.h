/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that define this module's tables. */
#ifndef NA_SQL_MIGRATIONS_H
#define NA_SQL_MIGRATIONS_H

#include "sql/schema.h"

/*
 * One step of the database's definition. Steps are numbered from 1 without gaps, and never change
 * once they are released. During a roll-out, two versions of this module run at once: a step can
 * only add, or remove what no released version uses.
 */
typedef struct na_migration {
    int version;
    const char *name;
    const char *schema;          /* only for databases of this schema; NULL for all */
    const char *const *up;       /* statements with na_schema_text's words, NULL at the end */
    const char *const *up_mysql; /* MySQL's, if they differ; they can be run again */
    const char *const *down;     /* take the step back */
    const char *const *down_mysql;
} na_migration;

extern const na_migration na_migrations[];
#define NA_MIGRATION_COUNT 7

#endif
