/* SPDX-License-Identifier: Apache-2.0 */
/* Restoring a backup. */
#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"
#include "sql/backup.h"
#include "sql/backup_file.h"
#include "sql/backup_tables.h"
#include "sql/generation.h"
#include "sql/insert.h"

/* Number of lines between two reports of the progress. */
#define PROGRESS_LINES 500

/* IDs that are skipped, because users created after the backup might have them. */
#define LOST_IDS 100000

/* Rows that are inserted together at most, and bytes of lines after which they are. */
#define BATCH_ROWS 256
#define BATCH_BYTES (2 * 1024 * 1024)

typedef struct batch {
    apr_pool_t *pool;
    const na_backup_table *table;
    const char *values[BATCH_ROWS * NA_BACKUP_COLUMNS_MAX]; /* row by row */
    long lines[BATCH_ROWS];
    int columns, count;
    apr_size_t bytes;
} batch;

typedef struct restore {
    apr_pool_t *pool;
    na_backup_file *file;
    const na_restore_options *options;
    na_db_use *use;
    batch batch;
    int ids_are_numbers, ids_are_uuids;
    apr_hash_t *ids; /* new IDs by IDs of the backup; NULL if none change */
    int new_ids;     /* 1 if they differ from the backup's */
    long last_id;
    na_backup_result *result;
} restore;

/* ── the database's tables ─────────────────────────────────────────────────────────────────── */

static na_error *empty_table(restore *r, const na_backup_table *table)
{
    const char *text =
        na_schema_text(r->pool, na_sql_schema_of(r->use), na_sql_engine_of(r->use), table->text);
    return na_sql_change_text(r->use, na_backup_statement(r->pool, "empty", table),
                              apr_pstrcat(r->pool, "DELETE FROM ", text, NULL), 0, NULL, NULL);
}

static na_error *prepare_table(restore *r, int number)
{
    const na_backup_table *table = &na_backup_tables[number];
    apr_int64_t count;
    int found;
    NA_TRY(na_backup_find(r->use, table, &found));
    if (!found && r->file->counts[number])
        return na_error_new(r->pool, NA_ERR_CONFIGURATION,
                            "the backup has rows of %s, and that table does not exist: run "
                            "nextauthctl migrate first",
                            table->name);
    if (!found || (number == NA_BACKUP_TABLES - 1 && !r->file->has_store))
        return NULL;
    if (r->options->replace)
        return empty_table(r, table);
    NA_TRY(na_backup_count(r->use, table, &count));
    return count ? na_error_new(
                       r->pool, NA_ERR_CONFIGURATION,
                       "the database is not empty, %s has rows: use --replace to delete them",
                       table->name)
                 : NULL;
}

/* Empties tables in reverse order: rows that refer to users before the users. */
static na_error *prepare_tables(restore *r)
{
    for (int i = NA_BACKUP_TABLES - 1; i >= 0; i--)
        NA_TRY(prepare_table(r, i));
    return NULL;
}

/* ── IDs ───────────────────────────────────────────────────────────────────────────────────── */

/* Finds out whether all users' IDs are numbers, or UUIDs. Users are the first rows. */
static na_error *examine_ids(restore *r)
{
    int table = 0;
    json_t *row;
    r->ids_are_numbers = r->ids_are_uuids = 1;
    while (r->ids_are_numbers || r->ids_are_uuids) {
        NA_TRY(na_backup_file_next(r->file, &table, &row));
        if (!row || table != 0)
            break;
        const char *id = na_json_string(row, "id");
        r->ids_are_numbers &= na_backup_is_number(id);
        r->ids_are_uuids &= na_schema_is_uuid(id);
    }
    return na_backup_file_rewind(r->file);
}

/*
 * If the schemas differ, rows of users that no longer exist must be omitted: the tables might
 * reject them, and a new user could get the old user's number and, with it, the roles.
 */
static na_error *choose_ids(restore *r)
{
    const na_schema *to = na_sql_schema_of(r->use);
    if (r->file->schema == to)
        return NULL;
    NA_TRY(examine_ids(r));
    r->new_ids = (na_schema_makes_ids(to) && !r->ids_are_numbers) ||
                 (na_schema_has_uuids(to) && !r->ids_are_uuids);
    r->ids = apr_hash_make(r->pool);
    return NULL;
}

static const char *new_id(restore *r)
{
    return na_schema_has_uuids(na_sql_schema_of(r->use))
               ? na_random_uuid(r->pool)
               : apr_psprintf(r->pool, "%ld", ++r->last_id);
}

/* Returns the user's ID in the database; NULL if another user of the backup has it. */
static const char *add_id(restore *r, const char *id)
{
    if (!r->ids)
        return id;
    if (apr_hash_get(r->ids, id, APR_HASH_KEY_STRING))
        return NULL;
    const char *key = apr_pstrdup(r->pool, id), *made = r->new_ids ? new_id(r) : key;
    apr_hash_set(r->ids, key, APR_HASH_KEY_STRING, made);
    return made;
}

/* Returns the user's ID in the database; NULL if the backup has no such user. */
static const char *find_id(const restore *r, const char *id)
{
    return r->ids ? apr_hash_get(r->ids, id, APR_HASH_KEY_STRING) : id;
}

/* ── batches ───────────────────────────────────────────────────────────────────────────────── */

static na_error *insert_batch(restore *r)
{
    batch *b = &r->batch;
    int refused = 0;
    if (!b->count)
        return NULL;
    apr_pool_t *before = na_sql_set_pool(r->use, b->pool);
    na_error *error = na_sql_put_rows(r->use, b->table, b->values, b->count, &refused);
    na_sql_set_pool(r->use, before);
    if (error)
        return na_error_wrap(r->pool, error, NULL, "line %ld", b->lines[refused]);
    apr_pool_clear(b->pool);
    b->count = 0;
    b->bytes = 0;
    return NULL;
}

/* Begins a row, and inserts previous rows if they are enough, or of another table. */
static na_error *begin_row(restore *r, const na_backup_table *table)
{
    batch *b = &r->batch;
    if (b->table != table || b->count == BATCH_ROWS || b->bytes > BATCH_BYTES)
        NA_TRY(insert_batch(r));
    b->table = table;
    for (b->columns = 0; table->columns[b->columns].name;)
        b->columns++;
    return NULL;
}

static void add_row(restore *r, const char *const *values)
{
    batch *b = &r->batch;
    memcpy(b->values + b->count * b->columns, values, (size_t)b->columns * sizeof *values);
    b->lines[b->count++] = r->file->number;
    b->bytes += r->file->length;
}

/* ── rows ──────────────────────────────────────────────────────────────────────────────────── */

/* Returns the value as na_sql_put_rows requires it, in the batch's pool. */
static const char *text_of(const restore *r, const json_t *value)
{
    if (json_is_null(value))
        return NULL;
    if (json_is_boolean(value))
        return json_is_true(value) ? "1" : "0";
    return apr_pstrdup(r->batch.pool, na_json_scalar(r->batch.pool, value));
}

static int refers_to_user(const na_backup_table *table, const na_backup_column *column)
{
    return table != na_backup_tables && na_backup_is_users_id(column);
}

/*
 * Returns 1 if a password hash is refused. The row is restored without it: the user must choose
 * another password.
 */
static int is_refused(restore *r, const na_backup_column *column, const json_t *row,
                      const char *value)
{
    int refused = value && strcmp(column->name, "password_hash") == 0 && r->options->takes_hash &&
                  !r->options->takes_hash(r->options->data, na_json_string(row, "user_id"), value);
    r->result->refused_hashes += refused;
    return refused;
}

/* Returns 0 if the row's user does not exist. */
static int read_values(restore *r, const na_backup_table *table, const json_t *row,
                       const char **values)
{
    for (const na_backup_column *column = table->columns; column->name; column++, values++) {
        *values = text_of(r, json_object_get(row, column->name));
        if (refers_to_user(table, column) && !(*values = find_id(r, *values)))
            return 0;
        if (is_refused(r, column, row, *values))
            *values = NULL;
    }
    return 1;
}

static na_error *restore_row(restore *r, int number, const json_t *row)
{
    const na_backup_table *table = &na_backup_tables[number];
    const char *values[NA_BACKUP_COLUMNS_MAX];
    if (table->ends && !r->options->keep_sessions) {
        r->result->ended++;
        return NULL;
    }
    NA_TRY(begin_row(r, table));
    if (!read_values(r, table, row, values)) {
        r->result->left_out++;
        return NULL;
    }
    if (number == 0 && !(values[0] = add_id(r, values[0])))
        return na_backup_file_wrong(r->file, "duplicate user ID");
    add_row(r, values);
    r->result->rows[number]++;
    return NULL;
}

static na_error *restore_rows(restore *r)
{
    int table;
    json_t *row;
    for (;;) {
        NA_TRY(na_backup_file_next(r->file, &table, &row));
        if (!row)
            return insert_batch(r);
        NA_TRY(restore_row(r, table, row));
        if (r->options->progress && r->file->number % PROGRESS_LINES == 0)
            r->options->progress(r->options->data, r->file->done, r->file->total);
    }
}

/* ── protecting other users ────────────────────────────────────────────────────────────────── */

/*
 * Email addresses are compared without case at sign-in (NA_SQL_USER_BY_EMAIL): one of two such
 * users would receive the other's links.
 */
static na_error *check_emails(const restore *r)
{
    na_rows rows;
    const char *text =
        "SELECT lower({email}) FROM {users} WHERE {email} IS NOT NULL GROUP BY lower({email}) "
        "HAVING count(*) > 1 ORDER BY 1 LIMIT 1";
    NA_TRY(na_sql_select_text(r->use, "same_emails",
                              na_schema_text(r->pool, na_sql_schema_of(r->use),
                                             na_sql_engine_of(r->use), text),
                              0, NULL, &rows));
    return !rows.count
               ? NULL
               : na_error_with_hint(
                     na_error_new(r->pool, NA_ERR_CONFIGURATION,
                                  "several users have the email address '%s', ignoring case",
                                  na_one_line(r->pool, na_rows_value(&rows, 0, 0), 254)),
                     "change all but one of them in the original database, and create the backup "
                     "again");
}

/* Finds the largest ID ever used, here before anything is deleted, and where the backup is from. */
static na_error *find_last_id(restore *r)
{
    apr_int64_t here;
    NA_TRY(na_generation_last_id(r->use, &here));
    r->result->last_id = here > r->file->last_user_id ? here : r->file->last_user_id;
    return NULL;
}

/* IDs and sessions of users created after the backup must not become those of other users. */
static na_error *begin_generation(restore *r)
{
    apr_int64_t last, *reserved = &r->result->last_id;
    int is_kept = r->options->keep_sessions && !r->new_ids;
    NA_TRY(na_generation_last_id(r->use, &last));
    *reserved = last > *reserved ? last : *reserved;
    if (!r->options->keep_sessions && *reserved <= NA_BACKUP_ID_MAX - LOST_IDS)
        *reserved += LOST_IDS;
    if (!na_schema_makes_ids(na_sql_schema_of(r->use)))
        *reserved = 0;
    if (*reserved)
        NA_TRY(na_generation_skip_ids(r->use, *reserved));
    return na_generation_write(r->use, is_kept ? r->file->generation : 0);
}

static na_error *write_all(restore *r)
{
    NA_TRY(na_sql_lock(r->use, "nextauth_migrations"));
    NA_TRY(find_last_id(r));
    NA_TRY(prepare_tables(r));
    NA_TRY(choose_ids(r));
    NA_TRY(restore_rows(r));
    NA_TRY(check_emails(r));
    NA_TRY(begin_generation(r));
    return r->options->finish ? r->options->finish(r->options->data, r->use) : NULL;
}

na_error *na_sql_restore(na_sql *db, apr_pool_t *pool, FILE *in, const na_restore_options *options,
                         na_backup_result *result)
{
    restore r = {.pool = pool, .options = options, .result = result};
    *result = (na_backup_result){.left_out = 0};
    apr_pool_create(&r.batch.pool, pool);
    NA_TRY(na_backup_file_open(pool, in, &r.file));
    NA_TRY(na_sql_write(db, pool, &r.use));
    return na_sql_end(r.use, write_all(&r));
}
