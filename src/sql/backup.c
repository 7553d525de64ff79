/* SPDX-License-Identifier: Apache-2.0 */
/* Backups: writing a database as lines of JSON. */
#include "sql/backup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "sql/backup_tables.h"
#include "sql/generation.h"

/* Number of rows that are read at once; a row can have tokens of many kilobytes. */
#define PAGE 200
#define PAGE_TEXT "200"

typedef struct backup {
    apr_pool_t *pool;
    na_db_use *use;
    FILE *out;
    EVP_MD_CTX *digest;
    int found[NA_BACKUP_TABLES];
    apr_int64_t done, total;
    na_backup_progress *progress;
    void *data;
    na_backup_result *result;
} backup;

const char *na_backup_table_name(int table)
{
    return na_backup_tables[table].name;
}

/* ── the snapshot ──────────────────────────────────────────────────────────────────────────── */

/*
 * Replaces the writing transaction of the use by a reading one, which does not block writers.
 * PostgreSQL's idle timeout is disabled because the consumer of the output can be slow.
 */
static na_error *take_snapshot(na_db_use *use)
{
    static const char *const texts[][2] = {
        {"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
         "SET LOCAL idle_in_transaction_session_timeout = 0"},
        {"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
         "START TRANSACTION WITH CONSISTENT SNAPSHOT"},
        {"COMMIT", "BEGIN"}};
    for (int i = 0; i < 2; i++)
        NA_TRY(na_sql_execute(use, texts[na_sql_engine_of(use)][i]));
    return NULL;
}

static na_error *find_tables(backup *b, int with_store)
{
    for (int i = 0; i < NA_BACKUP_TABLES; i++)
        NA_TRY(na_backup_find(b->use, &na_backup_tables[i], &b->found[i]));
    b->found[NA_BACKUP_TABLES - 1] &= with_store;
    return NULL;
}

static na_error *count_rows(backup *b)
{
    apr_int64_t count;
    for (int i = 0; b->progress && i < NA_BACKUP_TABLES; i++)
        if (b->found[i]) {
            NA_TRY(na_backup_count(b->use, &na_backup_tables[i], &count));
            b->total += count;
        }
    return NULL;
}

/* ── lines ─────────────────────────────────────────────────────────────────────────────────── */

static na_error *cannot_write(const backup *b)
{
    char text[120];
    return na_error_new(b->pool, NA_ERR_CONFIGURATION, "could not write the backup: %s",
                        apr_strerror(errno, text, sizeof text));
}

static na_error *write_line(backup *b, apr_pool_t *pool, json_t *json)
{
    const char *line = apr_pstrcat(pool, na_json_dump(pool, json), "\n", NULL);
    size_t len = strlen(line);
    if (len > NA_BACKUP_LINE_MAX)
        return na_error_new(b->pool, NA_ERR_CONFIGURATION,
                            "row %" APR_INT64_T_FMT " has %" APR_SIZE_T_FMT
                            " bytes, more than the %d that can be restored",
                            b->done + 1, len, NA_BACKUP_LINE_MAX);
    EVP_DigestUpdate(b->digest, line, len);
    return fwrite(line, 1, len, b->out) == len ? NULL : cannot_write(b);
}

/* Writes what a restore needs in order to assign no ID twice. */
static na_error *write_ids(const backup *b, json_t *header)
{
    apr_int64_t generation, last;
    NA_TRY(na_generation_read(b->use, &generation));
    NA_TRY(na_generation_last_id(b->use, &last));
    json_object_set_new(header, NA_BACKUP_GENERATION, json_integer(generation));
    json_object_set_new(header, NA_BACKUP_LAST_ID, json_integer(last));
    return NULL;
}

static na_error *write_header(backup *b, int with_store)
{
    static const char *const engines[] = {"postgresql", "mysql", "sqlite"};
    json_t *header =
        json_pack("{s:s, s:i, s:s, s:s, s:s, s:b}", "format", NA_BACKUP_FORMAT, "version",
                  NA_BACKUP_VERSION, "schema", na_schema_name(na_sql_schema_of(b->use)), "engine",
                  engines[na_sql_engine_of(b->use)], "createdAt",
                  na_iso8601(b->pool, apr_time_now()), "store", with_store);
    na_json_own(b->pool, header);
    NA_TRY(write_ids(b, header));
    return write_line(b, b->pool, header);
}

static na_error *write_end(backup *b)
{
    json_t *counts = json_object();
    for (int i = 0; i < NA_BACKUP_TABLES; i++)
        json_object_set_new(counts, na_backup_table_name(i), json_integer(b->result->rows[i]));
    json_t *end = json_pack("{s:o, s:s}", "counts", counts, "sha256",
                            na_backup_digest_text(b->pool, b->digest));
    NA_TRY(write_line(b, b->pool, na_json_own(b->pool, end)));
    return fflush(b->out) == 0 ? NULL : cannot_write(b);
}

/* ── rows ──────────────────────────────────────────────────────────────────────────────────── */

/* Returns NULL if the text is not a valid time. */
static json_t *json_of_time(apr_pool_t *pool, const char *text)
{
    apr_int64_t milliseconds = na_schema_read_time(text);
    if (!milliseconds && strcmp(text, "0") != 0 && strncmp(text, "1970-", 5) != 0)
        return NULL;
    return json_string(na_iso8601(pool, apr_time_from_msec(milliseconds)));
}

static json_t *json_of_value(apr_pool_t *pool, na_column_kind kind, const char *text)
{
    if (!text)
        return json_null();
    if (kind == NA_COLUMN_TIME)
        return json_of_time(pool, text);
    if (kind == NA_COLUMN_INT)
        return json_integer(strtoll(text, NULL, 10));
    if (kind == NA_COLUMN_BOOL)
        return json_boolean(*text == 't' || *text == '1');
    return json_string(text);
}

static na_error *write_row(backup *b, const na_backup_table *table, const char *const *values)
{
    apr_pool_t *pool = na_sql_pool(b->use);
    json_t *row = na_json_own(pool, json_object());
    json_object_set_new(row, "table", json_string(table->name));
    for (const na_backup_column *column = table->columns; column->name; column++)
        if (json_object_set_new(row, column->name, json_of_value(pool, column->kind, *values++)))
            return na_error_new(pool, NA_ERR_CONFIGURATION,
                                "row %" APR_INT64_T_FMT " of %s: %s is %s",
                                b->result->rows[table - na_backup_tables] + 1, table->name,
                                column->name,
                                column->kind == NA_COLUMN_TIME ? "not a time" : "not UTF-8");
    b->result->rows[table - na_backup_tables]++;
    return write_line(b, pool, row);
}

/*
 * Returns the number of columns that order pages. In accounts and sessions of @auth/pg-adapter,
 * only the ID is unique.
 */
static int keys_of(const na_backup_table *table, const na_schema *schema, const char *keys[2])
{
    int is_pg_adapters = na_schema_makes_ids(schema) || na_schema_has_uuids(schema);
    int by_row_id = table->has_row_id && is_pg_adapters;
    keys[0] = by_row_id ? "id" : table->key[0];
    keys[1] = by_row_id ? NULL : table->key[1];
    return keys[1] ? 2 : 1;
}

/* If users have UUIDs, accounts and sessions can have numbers; all IDs can be compared as text. */
static const char *column_of(apr_pool_t *pool, const na_schema *schema, const char *key)
{
    return na_schema_has_uuids(schema) && strcmp(key, "id") == 0
               ? "CAST({id} AS text)"
               : apr_pstrcat(pool, "{", key, "}", NULL);
}

static const char *where(apr_pool_t *pool, const na_schema *schema, na_sql_engine engine,
                         const char *const keys[2])
{
    const char *a = keys[0], *b = keys[1];
    if (!b)
        return apr_pstrcat(pool, " WHERE ", column_of(pool, schema, a), " > ",
                           strcmp(a, "id") == 0 && !na_schema_has_uuids(schema) ? "{?id}" : "%s",
                           NULL);
    if (engine == NA_MYSQL) /* MySQL uses no index for pairs */
        return apr_pstrcat(pool, " WHERE {", a, "} > %s OR ({", a, "} = %s AND {", b, "} > %s)",
                           NULL);
    return apr_pstrcat(pool, " WHERE ({", a, "}, {", b, "}) > (%s, %s)", NULL);
}

/* Returns the statement that selects the keys, then the columns. */
static const char *page_text(const backup *b, const na_backup_table *table, int is_first)
{
    const char *keys[2];
    apr_pool_t *pool = na_sql_pool(b->use);
    const na_schema *schema = na_sql_schema_of(b->use);
    na_sql_engine engine = na_sql_engine_of(b->use);
    int count = keys_of(table, schema, keys);
    const char *order = apr_pstrcat(pool, column_of(pool, schema, keys[0]), count > 1 ? ", " : NULL,
                                    count > 1 ? column_of(pool, schema, keys[1]) : NULL, NULL);
    const char *text = apr_pstrcat(pool, "SELECT ", order, NULL);
    for (const na_backup_column *column = table->columns; column->name; column++)
        text = apr_pstrcat(pool, text, column->kind == NA_COLUMN_TIME ? ", {@" : ", {",
                           column->name, "}", NULL);
    return na_schema_text(pool, schema, engine,
                          apr_pstrcat(pool, text, " FROM ", table->text,
                                      is_first ? "" : where(pool, schema, engine, keys),
                                      " ORDER BY ", order, " LIMIT " PAGE_TEXT, NULL));
}

static na_error *read_page(const backup *b, const na_backup_table *table, const char *const last[2],
                           int key_count, na_rows *rows)
{
    int is_first = !last[0];
    int repeats = key_count > 1 && na_sql_engine_of(b->use) == NA_MYSQL;
    const char *arguments[3] = {last[0], repeats ? last[0] : last[1], last[1]};
    const char *name = na_backup_statement(na_sql_pool(b->use), is_first ? "first" : "next", table);
    return na_sql_select_text(b->use, name, page_text(b, table, is_first),
                              is_first ? 0 : key_count + repeats, arguments, rows);
}

/* Two pools alternate, because the last row of a page is needed to read the next page. */
static na_error *write_pages(backup *b, const na_backup_table *table, apr_pool_t *const pools[2])
{
    const char *keys[2], *last[2] = {NULL, NULL};
    int key_count = keys_of(table, na_sql_schema_of(b->use), keys);
    na_rows rows = {.count = PAGE};
    for (int page = 0; rows.count == PAGE; page++) {
        apr_pool_clear(pools[page % 2]);
        na_sql_set_pool(b->use, pools[page % 2]);
        NA_TRY(read_page(b, table, last, key_count, &rows));
        for (int i = 0; i < rows.count; i++)
            NA_TRY(write_row(b, table, rows.values + i * rows.columns + key_count));
        for (int i = 0; rows.count && i < key_count; i++)
            last[i] = na_rows_value(&rows, rows.count - 1, i);
        b->done += rows.count;
        if (b->progress)
            b->progress(b->data, b->done, b->total);
    }
    return NULL;
}

static na_error *write_table(backup *b, const na_backup_table *table)
{
    apr_pool_t *pools[2];
    apr_pool_create(&pools[0], b->pool);
    apr_pool_create(&pools[1], b->pool);
    na_error *error = write_pages(b, table, pools);
    na_sql_set_pool(b->use, b->pool);
    return error;
}

static na_error *write_all(backup *b, int with_store)
{
    NA_TRY(take_snapshot(b->use));
    NA_TRY(find_tables(b, with_store));
    NA_TRY(count_rows(b));
    NA_TRY(write_header(b, with_store));
    for (int i = 0; i < NA_BACKUP_TABLES; i++)
        if (b->found[i])
            NA_TRY(write_table(b, &na_backup_tables[i]));
    return write_end(b);
}

na_error *na_sql_backup(na_sql *db, apr_pool_t *pool, FILE *out, int with_store,
                        na_backup_progress *progress, void *data, na_backup_result *result)
{
    backup b = {.pool = pool,
                .out = out,
                .digest = na_backup_digest(pool),
                .progress = progress,
                .data = data,
                .result = result};
    *result = (na_backup_result){.left_out = 0};
    NA_TRY(na_sql_write(db, pool, &b.use));
    return na_sql_end(b.use, write_all(&b, with_store));
}
