/* SPDX-License-Identifier: Apache-2.0 */
/* Generations: numbers that distinguish a restored database from its predecessor. */
#include "sql/generation.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

static na_error *select_number(na_db_use *use, const char *name, const char *text,
                               apr_int64_t *number)
{
    na_rows rows;
    NA_TRY(na_sql_select_text(use, name,
                              na_schema_text(na_sql_pool(use), na_sql_schema_of(use),
                                             na_sql_engine_of(use), text),
                              0, NULL, &rows));
    const char *value = rows.count ? na_rows_value(&rows, 0, 0) : NULL;
    *number = value ? strtoll(value, NULL, 10) : 0;
    return NULL;
}

static na_error *read_generation(na_db_use *use, apr_int64_t *generation)
{
    int found;
    *generation = 0;
    NA_TRY(na_sql_has_table(use, "nextauth_generation", &found));
    return found ? select_number(use, "generation",
                                 "SELECT generation FROM nextauth_generation WHERE id = 1",
                                 generation)
                 : NULL;
}

/*
 * The database's counter is missing if a table was created without one; the largest existing ID is
 * the only bound then.
 */
static na_error *largest_of(na_db_use *use, apr_int64_t *id)
{
    return select_number(use, "largest", "SELECT max({id}) FROM {users}", id);
}

static na_error *counter_of(na_db_use *use, apr_int64_t *counter)
{
    static const char *const texts[] = {
        "SELECT pg_sequence_last_value(pg_get_serial_sequence('{users}', {'id})::regclass)",
        ("SELECT AUTO_INCREMENT - 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = database() "
         "AND TABLE_NAME = {'users}"),
        "SELECT seq FROM sqlite_sequence WHERE name = {'users}"};
    na_sql_engine engine = na_sql_engine_of(use);
    int found = 1;
    *counter = 0;
    if (engine == NA_SQLITE)
        NA_TRY(na_sql_has_table(use, "sqlite_sequence", &found));
    return found ? select_number(use, "counter", texts[engine], counter) : NULL;
}

/* The largest ID ever used, as far as the engine records it. */
static na_error *read_last_id(na_db_use *use, apr_int64_t *id)
{
    apr_int64_t counter, largest;
    *id = 0;
    if (!na_schema_makes_ids(na_sql_schema_of(use)))
        return NULL;
    NA_TRY(counter_of(use, &counter));
    NA_TRY(largest_of(use, &largest));
    *id = counter > largest ? counter : largest;
    return NULL;
}

/*
 * MySQL's ALTER TABLE would end the transaction. Inserting and deleting a row also advances the
 * counter, in SQLite as well.
 */
static na_error *skip_ids(na_db_use *use, apr_int64_t id)
{
    const char *text = apr_psprintf(na_sql_pool(use), "%" APR_INT64_T_FMT, id);
    apr_int64_t ignored, largest;
    if (na_sql_engine_of(use) == NA_POSTGRESQL)
        return select_number(use, "sequence",
                             apr_pstrcat(na_sql_pool(use),
                                         "SELECT setval(pg_get_serial_sequence('{users}', {'id}), ",
                                         text, ")", NULL),
                             &ignored);
    NA_TRY(largest_of(use, &largest));
    if (largest >= id)
        return NULL;
    NA_TRY(na_sql_change(use, NA_SQL_CREATE_ID, 1, &text, NULL));
    return na_sql_change(use, NA_SQL_DELETE_USER, 1, &text, NULL);
}

na_error *na_sql_read_ids(na_db_use *use, apr_pool_t *pool, na_db_ids *ids)
{
    NA_TRY(read_generation(use, &ids->generation));
    return read_last_id(use, &ids->last_id);
}

na_error *na_sql_write_ids(na_db_use *use, apr_pool_t *pool, const na_db_ids *ids)
{
    const char *generation = apr_psprintf(pool, "%" APR_INT64_T_FMT, ids->generation);
    if (ids->last_id)
        NA_TRY(skip_ids(use, ids->last_id));
    return na_sql_change(use, NA_SQL_PUT_GENERATION, 1, &generation, NULL);
}
