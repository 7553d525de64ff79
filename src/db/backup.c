/* SPDX-License-Identifier: Apache-2.0 */
/* Backups: writing a database as lines of JSON. */
#include "db/backup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "db/backup_tables.h"

typedef struct backup {
    apr_pool_t *pool;
    const na_db *db;
    na_db_use *use;
    FILE *out;
    EVP_MD_CTX *digest;
    int found[NA_TABLES];
    apr_int64_t done, total;
    na_backup_progress *progress;
    void *data;
    na_backup_result *result;
} backup;

const char *na_backup_table_name(na_db_table table)
{
    return na_backup_tables[table].name;
}

static na_error *find_tables(backup *b, int with_store)
{
    for (int i = 0; i < NA_TABLES; i++)
        NA_TRY(b->db->adapter->has_table(b->use, b->pool, i, &b->found[i]));
    b->found[NA_TABLE_STORE] &= with_store;
    return NULL;
}

static na_error *count_rows(backup *b)
{
    apr_int64_t count;
    for (int i = 0; b->progress && i < NA_TABLES; i++)
        if (b->found[i]) {
            NA_TRY(b->db->adapter->count_rows(b->use, b->pool, i, &count));
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

/* Generation and last ID are what a restore needs in order to assign no ID twice. */
static na_error *write_header(backup *b, int with_store)
{
    const na_db_options *options = b->db->options;
    na_db_ids ids;
    NA_TRY(b->db->adapter->read_ids(b->use, b->pool, &ids));
    json_t *header =
        json_pack("{s:s, s:i, s:s, s:s, s:s, s:b, s:b, s:I, s:I}", "format", NA_BACKUP_FORMAT,
                  "version", NA_BACKUP_VERSION, "schema", options->schema, "engine",
                  options->engine, "createdAt", na_iso8601(b->pool, apr_time_now()), "store",
                  with_store, NA_BACKUP_NUMBERS, options->has_numbers, NA_BACKUP_GENERATION,
                  (json_int_t)ids.generation, NA_BACKUP_LAST_ID, (json_int_t)ids.last_id);
    return write_line(b, b->pool, na_json_own(b->pool, header));
}

static na_error *write_end(backup *b)
{
    json_t *counts = json_object();
    for (int i = 0; i < NA_TABLES; i++)
        json_object_set_new(counts, na_backup_table_name(i), json_integer(b->result->rows[i]));
    json_t *end = json_pack("{s:o, s:s}", "counts", counts, "sha256",
                            na_backup_digest_text(b->pool, b->digest));
    NA_TRY(write_line(b, b->pool, na_json_own(b->pool, end)));
    return fflush(b->out) == 0 ? NULL : cannot_write(b);
}

/* ── rows ──────────────────────────────────────────────────────────────────────────────────── */

/* NULL if the text is not UTF-8. */
static json_t *json_of_value(apr_pool_t *pool, na_column_kind kind, const na_db_value *value)
{
    if (value->is_null)
        return json_null();
    if (kind == NA_COLUMN_TIME)
        return json_string(na_iso8601(pool, apr_time_from_msec(value->number)));
    if (kind == NA_COLUMN_INT)
        return json_integer(value->number);
    return kind == NA_COLUMN_BOOL ? json_boolean(value->number) : json_string(value->text);
}

static na_error *write_row(backup *b, apr_pool_t *pool, na_db_table number, na_db_row values)
{
    const na_backup_table *table = &na_backup_tables[number];
    json_t *row = na_json_own(pool, json_object());
    json_object_set_new(row, "table", json_string(table->name));
    for (const na_backup_column *column = table->columns; column->name; column++)
        if (json_object_set_new(row, column->name, json_of_value(pool, column->kind, values++)))
            return na_error_new(b->pool, NA_ERR_CONFIGURATION,
                                "row %" APR_INT64_T_FMT " of %s: %s is not UTF-8",
                                b->result->rows[number] + 1, table->name, column->name);
    b->result->rows[number]++;
    return write_line(b, pool, row);
}

/* Two pools alternate, because the next page is read with the cursor of the last one. */
static na_error *write_pages(backup *b, na_db_table table, apr_pool_t *const pools[2])
{
    const void *cursor = NULL;
    int page = 0;
    do {
        apr_pool_t *pool = pools[page++ % 2];
        apr_pool_clear(pool);
        apr_array_header_t *rows = apr_array_make(pool, 200, sizeof(na_db_row));
        NA_TRY(b->db->adapter->read_rows(b->use, pool, table, &cursor, rows));
        for (int i = 0; i < rows->nelts; i++)
            NA_TRY(write_row(b, pool, table, APR_ARRAY_IDX(rows, i, na_db_row)));
        b->done += rows->nelts;
        if (b->progress)
            b->progress(b->data, b->done, b->total);
    } while (cursor);
    return NULL;
}

static na_error *write_table(backup *b, na_db_table table)
{
    apr_pool_t *pools[2];
    apr_pool_create(&pools[0], b->pool);
    apr_pool_create(&pools[1], b->pool);
    return write_pages(b, table, pools);
}

static na_error *write_all(backup *b, int with_store)
{
    NA_TRY(find_tables(b, with_store));
    NA_TRY(count_rows(b));
    NA_TRY(write_header(b, with_store));
    for (int i = 0; i < NA_TABLES; i++)
        if (b->found[i])
            NA_TRY(write_table(b, i));
    return write_end(b);
}

na_error *na_db_backup(const na_db *db, apr_pool_t *pool, FILE *out, int with_store,
                       na_backup_progress *progress, void *data, na_backup_result *result)
{
    backup b = {.pool = pool,
                .db = db,
                .out = out,
                .digest = na_backup_digest(pool),
                .progress = progress,
                .data = data,
                .result = result};
    *result = (na_backup_result){.left_out = 0};
    NA_TRY(db->adapter->begin_backup(db->self, pool, &b.use));
    return db->adapter->end(b.use, write_all(&b, with_store));
}
