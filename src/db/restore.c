/* SPDX-License-Identifier: Apache-2.0 */
/* Restoring a backup. */
#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "db/backup.h"
#include "db/backup_file.h"
#include "db/backup_tables.h"

/* Number of lines between two reports of the progress. */
#define PROGRESS_LINES 500

/* IDs that are skipped, because users created after the backup might have them. */
#define LOST_IDS 100000

/* Rows that are inserted together at most, and bytes of lines after which they are. */
#define BATCH_ROWS 256
#define BATCH_BYTES (2 * 1024 * 1024)

/* Generations that a new one is taken from; with revisions, a sum has 15 digits. */
#define GENERATIONS ((apr_uint32_t)1 << 29)

typedef struct batch {
    apr_pool_t *pool;
    na_db_table table;
    apr_array_header_t *rows; /* na_db_row, in the pool; NULL before the first one */
    long lines[BATCH_ROWS];
    apr_size_t bytes;
} batch;

typedef struct restore {
    apr_pool_t *pool;
    const na_db *db;
    const na_adapter *adapter;
    na_backup_file *file;
    const na_restore_options *options;
    na_db_use *use;
    batch batch;
    apr_hash_t *ids; /* new IDs by IDs of the backup; NULL if none change */
    int new_ids;     /* 1 if they differ from the backup's */
    apr_int64_t last_id;
    na_backup_result *result;
} restore;

/* ── the database's tables ─────────────────────────────────────────────────────────────────── */

static na_error *prepare_table(restore *r, na_db_table table)
{
    const char *name = na_backup_table_name(table);
    apr_int64_t count;
    int found;
    NA_TRY(r->adapter->has_table(r->use, r->pool, table, &found));
    if (!found && r->file->counts[table])
        return na_error_new(r->pool, NA_ERR_CONFIGURATION,
                            "the backup has rows of %s, and that table does not exist: run "
                            "nextauthctl migrate first",
                            name);
    if (!found || (table == NA_TABLE_STORE && !r->file->has_store))
        return NULL;
    if (r->options->replace)
        return r->adapter->empty_table(r->use, r->pool, table);
    NA_TRY(r->adapter->count_rows(r->use, r->pool, table, &count));
    return count ? na_error_new(
                       r->pool, NA_ERR_CONFIGURATION,
                       "the database is not empty, %s has rows: use --replace to delete them", name)
                 : NULL;
}

/* Empties tables in reverse order: rows that refer to users before the users. */
static na_error *prepare_tables(restore *r)
{
    for (int i = NA_TABLES - 1; i >= 0; i--)
        NA_TRY(prepare_table(r, i));
    return NULL;
}

/* ── IDs ───────────────────────────────────────────────────────────────────────────────────── */

/* Finds out whether the database accepts all users' IDs. Users are the first rows. */
static na_error *examine_ids(restore *r)
{
    int table = 0;
    json_t *row;
    while (!r->new_ids) {
        NA_TRY(na_backup_file_next(r->file, &table, &row));
        if (!row || table != NA_TABLE_USERS)
            break;
        r->new_ids = !r->adapter->accepts_id(r->db->options, na_json_string(row, "id"));
    }
    return na_backup_file_rewind(r->file);
}

/*
 * If the schemas differ, rows of users that no longer exist must be omitted: the tables might
 * reject them, and a new user could get the old user's number and, with it, the roles.
 */
static na_error *choose_ids(restore *r)
{
    const na_db_options *to = r->db->options;
    if (strcmp(r->file->schema, to->schema) == 0 && r->file->has_numbers == to->has_numbers)
        return NULL;
    NA_TRY(examine_ids(r));
    r->ids = apr_hash_make(r->pool);
    return NULL;
}

static const char *new_id(restore *r)
{
    return r->adapter->new_id(r->db->options, r->pool, &r->last_id);
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
    if (!b->rows)
        return NULL;
    na_error *error = r->adapter->insert_rows(r->use, b->pool, b->table, b->rows, &refused);
    if (error)
        return na_error_wrap(r->pool, error, NULL, "line %ld", b->lines[refused]);
    apr_pool_clear(b->pool);
    b->rows = NULL;
    b->bytes = 0;
    return NULL;
}

/* Begins a row, and inserts previous rows if they are enough, or of another table. */
static na_error *begin_row(restore *r, na_db_table table)
{
    batch *b = &r->batch;
    if (b->rows && (b->table != table || b->rows->nelts == BATCH_ROWS || b->bytes > BATCH_BYTES))
        NA_TRY(insert_batch(r));
    b->table = table;
    return NULL;
}

static void add_row(restore *r, na_db_row values)
{
    batch *b = &r->batch;
    if (!b->rows)
        b->rows = apr_array_make(b->pool, BATCH_ROWS, sizeof(na_db_row));
    b->lines[b->rows->nelts] = r->file->number;
    b->bytes += r->file->length;
    APR_ARRAY_PUSH(b->rows, na_db_row) = values;
}

/* ── rows ──────────────────────────────────────────────────────────────────────────────────── */

static apr_int64_t time_of(const json_t *value)
{
    apr_time_t when = 0;
    na_iso8601_read(json_string_value(value), &when);
    return apr_time_as_msec(when);
}

/* Returns the value as the adapter requires it, in the batch's pool. */
static na_db_value value_of(const restore *r, na_column_kind kind, const json_t *value)
{
    if (json_is_null(value))
        return (na_db_value){.is_null = 1};
    if (kind == NA_COLUMN_TIME)
        return (na_db_value){.number = time_of(value)};
    if (kind == NA_COLUMN_BOOL || kind == NA_COLUMN_INT)
        return (na_db_value){.number = json_is_integer(value) ? json_integer_value(value)
                                                              : json_is_true(value)};
    return (na_db_value){.text = apr_pstrdup(r->batch.pool, json_string_value(value))};
}

/*
 * Returns 1 if a password hash is refused. The row is restored without it: the user must choose
 * another password.
 */
static int is_refused(restore *r, const na_backup_column *column, const json_t *row,
                      const char *hash)
{
    int refused = hash && strcmp(column->name, "password_hash") == 0 && r->options->takes_hash &&
                  !r->options->takes_hash(r->options->data, na_json_string(row, "user_id"), hash);
    r->result->refused_hashes += refused;
    return refused;
}

/* Returns NULL if the row's user does not exist. */
static na_db_value *read_values(restore *r, na_db_table table, const json_t *row)
{
    const na_backup_column *column = na_backup_tables[table].columns;
    na_db_value *values =
        apr_palloc(r->batch.pool, (apr_size_t)na_backup_columns(table) * sizeof *values);
    for (na_db_value *value = values; column->name; column++, value++) {
        *value = value_of(r, column->kind, json_object_get(row, column->name));
        if (table != NA_TABLE_USERS && na_backup_is_users_id(column) &&
            !(value->text = find_id(r, value->text)))
            return NULL;
        if (is_refused(r, column, row, value->text))
            *value = (na_db_value){.is_null = 1};
    }
    return values;
}

static na_error *restore_row(restore *r, na_db_table table, const json_t *row)
{
    if (na_backup_tables[table].ends && !r->options->keep_sessions) {
        r->result->ended++;
        return NULL;
    }
    NA_TRY(begin_row(r, table));
    na_db_value *values = read_values(r, table, row);
    if (!values) {
        r->result->left_out++;
        return NULL;
    }
    if (table == NA_TABLE_USERS && !(values[0].text = add_id(r, values[0].text)))
        return na_backup_file_wrong(r->file, "duplicate user ID");
    add_row(r, values);
    r->result->rows[table]++;
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

/* Email addresses are compared without case: one of two such users would receive the other's links.
 */
static na_error *check_emails(const restore *r)
{
    const char *email;
    NA_TRY(r->adapter->find_shared_email(r->use, r->pool, &email));
    return !email ? NULL
                  : na_error_with_hint(
                        na_error_new(r->pool, NA_ERR_CONFIGURATION,
                                     "several users have the email address '%s', ignoring case",
                                     na_one_line(r->pool, email, 254)),
                        "change all but one of them in the original database, and create the "
                        "backup again");
}

/* Finds the largest ID ever used, here before anything is deleted, and where the backup is from. */
static na_error *find_last_id(restore *r)
{
    na_db_ids here;
    NA_TRY(r->adapter->read_ids(r->use, r->pool, &here));
    r->result->last_id =
        here.last_id > r->file->last_user_id ? here.last_id : r->file->last_user_id;
    return NULL;
}

static apr_int64_t new_generation(void)
{
    apr_uint32_t random;
    na_random(&random, sizeof random);
    return (1 + (apr_int64_t)(random % GENERATIONS)) * NA_GENERATION_STEP;
}

/* IDs and sessions of users created after the backup must not become those of other users. */
static na_error *begin_generation(restore *r)
{
    apr_int64_t *reserved = &r->result->last_id;
    int is_kept = r->options->keep_sessions && !r->new_ids && r->file->generation;
    na_db_ids ids;
    NA_TRY(r->adapter->read_ids(r->use, r->pool, &ids));
    *reserved = ids.last_id > *reserved ? ids.last_id : *reserved;
    if (!r->options->keep_sessions && *reserved <= NA_BACKUP_ID_MAX - LOST_IDS)
        *reserved += LOST_IDS;
    if (!r->db->options->has_numbers)
        *reserved = 0;
    ids = (na_db_ids){is_kept ? r->file->generation : new_generation(), *reserved};
    return r->adapter->write_ids(r->use, r->pool, &ids);
}

static na_error *write_all(restore *r)
{
    NA_TRY(find_last_id(r));
    NA_TRY(prepare_tables(r));
    NA_TRY(choose_ids(r));
    NA_TRY(restore_rows(r));
    NA_TRY(check_emails(r));
    NA_TRY(begin_generation(r));
    return r->options->finish ? r->options->finish(r->options->data, r->use) : NULL;
}

na_error *na_db_restore(const na_db *db, apr_pool_t *pool, FILE *in,
                        const na_restore_options *options, na_backup_result *result)
{
    restore r = {
        .pool = pool, .db = db, .adapter = db->adapter, .options = options, .result = result};
    *result = (na_backup_result){.left_out = 0};
    apr_pool_create(&r.batch.pool, pool);
    NA_TRY(na_backup_file_open(pool, in, &r.file));
    NA_TRY(db->adapter->begin_restore(db->self, pool, &r.use));
    return db->adapter->end(r.use, write_all(&r));
}
