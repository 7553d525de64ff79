/* SPDX-License-Identifier: Apache-2.0 */
/* Restoring a backup. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"
#include "sql/backup.h"
#include "sql/backup_tables.h"
#include "sql/generation.h"

/* Number of lines between two reports of the progress. */
#define PROGRESS_LINES 500

/* The largest ID that a database generates, and na_db_get_user accepts. */
#define ID_MAX 2147483647

/* Bytes of a text ID: the most that fit into a key of every engine. */
#define TEXT_ID_MAX 255

/* IDs that are skipped, because users created after the backup might have them. */
#define LOST_IDS 100000

typedef struct restore {
    apr_pool_t *pool, *line_pool;
    FILE *in;
    char *line; /* allocated with malloc */
    size_t capacity, len;
    long number; /* of the line */
    apr_int64_t done, total;
    const na_restore_options *options;

    /* from the header and the first reading */
    const na_schema *from;
    int has_store;
    int ids_are_numbers, ids_are_uuids;
    json_int_t generation, last_user_id;
    const char *sha256;
    apr_int64_t rows[NA_BACKUP_TABLES];

    /* for the second reading */
    na_db_use *use;
    const char *inserts[NA_BACKUP_TABLES]; /* statements; NULL before their first row */
    apr_hash_t *ids;                       /* new IDs by IDs of the backup; NULL if none change */
    int new_ids;                           /* 1 if they differ from the backup's */
    long last_id;
    na_backup_result *result;
} restore;

static na_error *wrong(const restore *r, const char *what)
{
    return na_error_new(r->pool, NA_ERR_CONFIGURATION, "line %ld: %s", r->number, what);
}

/* ── lines ─────────────────────────────────────────────────────────────────────────────────── */

static na_error *make_room(restore *r)
{
    size_t capacity = r->capacity ? 2 * r->capacity : 64 * 1024;
    char *line = realloc(r->line, capacity);
    if (!line)
        return wrong(r, "out of memory");
    r->line = line;
    r->capacity = capacity;
    return NULL;
}

/* A line of an untrusted file takes no more memory than a line of a valid backup. */
static na_error *next_line(restore *r, int *found)
{
    int c = EOF;
    apr_pool_clear(r->line_pool);
    r->number++;
    r->len = 0;
    while (r->len < NA_BACKUP_LINE_MAX && c != '\n' && (c = getc_unlocked(r->in)) != EOF) {
        if (r->len == r->capacity)
            NA_TRY(make_room(r));
        r->line[r->len++] = (char)c;
    }
    if (ferror(r->in))
        return wrong(r, "could not read it");
    *found = r->len > 0;
    r->done += (apr_int64_t)r->len;
    if (!*found)
        r->number--;
    if (c == '\n' || !*found)
        return NULL;
    return wrong(r, c == EOF
                        ? "the backup is cut off here"
                        : apr_psprintf(r->pool, "it is longer than %d bytes", NA_BACKUP_LINE_MAX));
}

static na_error *parse_line(restore *r, json_t **json)
{
    na_error *error = na_json_parse(r->line_pool, NA_ERR_CONFIGURATION, r->line, r->len, json);
    if (error)
        return na_error_wrap(r->pool, error, NULL, "line %ld", r->number);
    return json_is_object(*json) ? NULL : wrong(r, "not a JSON object");
}

static na_error *read_header(restore *r, EVP_MD_CTX *digest)
{
    int found;
    json_t *header;
    json_int_t version = 0;
    NA_TRY(next_line(r, &found));
    if (!found)
        return wrong(r, "the backup is empty");
    NA_TRY(parse_line(r, &header));
    EVP_DigestUpdate(digest, r->line, r->len);
    const char *format = na_json_string(header, "format");
    const char *schema = na_json_string(header, "schema");
    if (!format || strcmp(format, NA_BACKUP_FORMAT) != 0)
        return wrong(r, "not a backup of nextauthctl");
    if (!na_json_number(header, "version", &version) || version != NA_BACKUP_VERSION)
        return wrong(r, "a backup of another version of nextauthctl, which this one cannot read");
    r->from = schema ? na_schema_find(schema) : NULL;
    r->has_store = json_is_true(json_object_get(header, "store"));
    na_json_number(header, NA_BACKUP_GENERATION, &r->generation);
    na_json_number(header, NA_BACKUP_LAST_ID, &r->last_user_id);
    if (r->generation < 0 || r->last_user_id < 0 || r->last_user_id > ID_MAX)
        return wrong(r, "invalid " NA_BACKUP_GENERATION " or " NA_BACKUP_LAST_ID);
    return r->from ? NULL : wrong(r, "a backup of an unknown schema");
}

/* ── the first reading: is the backup complete and valid? ──────────────────────────────────── */

static int table_of(const json_t *row)
{
    const char *name = na_json_string(row, "table");
    int i = 0;
    while (name && i < NA_BACKUP_TABLES && strcmp(na_backup_tables[i].name, name) != 0)
        i++;
    return name ? i : NA_BACKUP_TABLES;
}

static int is_time(const char *text)
{
    return text && (na_schema_read_time(text) || strncmp(text, "1970-", 5) == 0);
}

static int fits(const na_backup_column *column, const json_t *value)
{
    if (json_is_null(value))
        return column->may_be_null;
    if (column->kind == NA_COLUMN_INT)
        return json_is_integer(value);
    if (column->kind == NA_COLUMN_BOOL)
        return json_is_boolean(value);
    return json_is_string(value) &&
           (column->kind != NA_COLUMN_TIME || is_time(json_string_value(value)));
}

static int is_number(const char *id)
{
    size_t len = strlen(id);
    return len && len <= 10 && *id != '0' && strspn(id, "0123456789") == len &&
           strtoll(id, NULL, 10) <= ID_MAX;
}

/* Returns 1 if the column contains a user's ID. */
static int is_users_id(const na_backup_column *column)
{
    return column->kind == NA_COLUMN_ID || column->kind == NA_COLUMN_ID_TEXT;
}

static int is_id(const restore *r, const char *id)
{
    if (na_schema_has_uuids(r->from))
        return na_schema_is_uuid(id);
    return na_schema_makes_ids(r->from)
               ? is_number(id)
               : *id && strlen(id) <= TEXT_ID_MAX && !na_has_control(id) && *id != '-';
}

static na_error *check_row(restore *r, const json_t *row, int *last_table)
{
    int number = table_of(row);
    size_t count = 1;
    if (number == NA_BACKUP_TABLES)
        return wrong(r, "a row of an unknown table");
    if (number < *last_table)
        return wrong(r, "a row in the wrong order");
    *last_table = number;
    const na_backup_table *table = &na_backup_tables[number];
    for (const na_backup_column *column = table->columns; column->name; column++, count++)
        if (!fits(column, json_object_get(row, column->name)) ||
            (is_users_id(column) && !is_id(r, na_json_string(row, column->name))))
            return wrong(r, apr_psprintf(r->pool, "invalid %s of %s", column->name, table->name));
    if (json_object_size(row) != count)
        return wrong(r, apr_psprintf(r->pool, "unknown columns of %s", table->name));
    if (number == 0) {
        r->ids_are_numbers &= is_number(na_json_string(row, "id"));
        r->ids_are_uuids &= na_schema_is_uuid(na_json_string(row, "id"));
    }
    r->rows[number]++;
    return NULL;
}

static na_error *check_end(restore *r, const json_t *end, EVP_MD_CTX *digest)
{
    int more;
    const json_t *counts = json_object_get(end, "counts");
    r->sha256 = na_backup_digest_text(r->pool, digest);
    for (int i = 0; i < NA_BACKUP_TABLES; i++) {
        json_int_t count = na_backup_tables[i].is_optional ? 0 : -1; /* newer than the backup */
        na_json_number(counts, na_backup_table_name(i), &count);
        if (count != r->rows[i])
            return wrong(r, apr_psprintf(r->pool, "%s are incomplete", na_backup_table_name(i)));
    }
    if (strcmp(na_json_string(end, "sha256"), r->sha256) != 0)
        return wrong(r, "the checksum is wrong: the backup was changed");
    NA_TRY(next_line(r, &more));
    return more ? wrong(r, "unexpected data after the end") : NULL;
}

static na_error *check_backup(restore *r)
{
    EVP_MD_CTX *digest = na_backup_digest(r->pool);
    int found, last_table = 0;
    json_t *row;
    r->ids_are_numbers = r->ids_are_uuids = 1;
    NA_TRY(read_header(r, digest));
    for (;;) {
        NA_TRY(next_line(r, &found));
        if (!found)
            return wrong(r, "the backup is incomplete: it has no end after this line");
        NA_TRY(parse_line(r, &row));
        if (na_json_string(row, "sha256"))
            return check_end(r, row, digest);
        EVP_DigestUpdate(digest, r->line, r->len);
        NA_TRY(check_row(r, row, &last_table));
    }
}

/* ── the database's tables ─────────────────────────────────────────────────────────────────── */

static na_error *empty_table(restore *r, const na_backup_table *table)
{
    const char *text =
        na_schema_text(r->pool, na_db_schema_of(r->use), na_db_engine_of(r->use), table->text);
    return na_db_change_text(r->use, na_backup_statement(r->pool, "empty", table),
                             apr_pstrcat(r->pool, "DELETE FROM ", text, NULL), 0, NULL, NULL);
}

static na_error *prepare_table(restore *r, int number)
{
    const na_backup_table *table = &na_backup_tables[number];
    apr_int64_t count;
    int found;
    NA_TRY(na_backup_find(r->use, table, &found));
    if (!found && r->rows[number])
        return na_error_new(r->pool, NA_ERR_CONFIGURATION,
                            "the backup has rows of %s, and that table does not exist: run "
                            "nextauthctl migrate first",
                            table->name);
    if (!found || (number == NA_BACKUP_TABLES - 1 && !r->has_store))
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

/*
 * If the schemas differ, rows of users that no longer exist must be omitted: the tables might
 * reject them, and a new user could get the old user's number and, with it, the roles.
 */
static void choose_ids(restore *r)
{
    const na_schema *to = na_db_schema_of(r->use);
    r->new_ids = (na_schema_makes_ids(to) && !r->ids_are_numbers) ||
                 (na_schema_has_uuids(to) && !r->ids_are_uuids);
    r->ids = r->new_ids || r->from != to ? apr_hash_make(r->pool) : NULL;
}

static const char *new_id(restore *r)
{
    return na_schema_has_uuids(na_db_schema_of(r->use))
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

/* ── the second reading ────────────────────────────────────────────────────────────────────── */

static const char *argument_of(na_column_kind kind)
{
    static const char *const arguments[] = {
        [NA_COLUMN_TEXT] = "%s",    [NA_COLUMN_ID] = "{?id}",     [NA_COLUMN_ID_TEXT] = "%s",
        [NA_COLUMN_INT] = "{?int}", [NA_COLUMN_BOOL] = "{?bool}", [NA_COLUMN_TIME] = "{?time}"};
    return arguments[kind];
}

static const char *insert_text(const restore *r, const na_backup_table *table)
{
    apr_pool_t *pool = r->pool;
    const char *names = "", *arguments = "", *comma = "";
    for (const na_backup_column *column = table->columns; column->name; column++, comma = ", ") {
        names = apr_pstrcat(pool, names, comma, "{", column->name, "}", NULL);
        arguments = apr_pstrcat(pool, arguments, comma, argument_of(column->kind), NULL);
    }
    return na_schema_text(pool, na_db_schema_of(r->use), na_db_engine_of(r->use),
                          apr_pstrcat(pool, "INSERT INTO ", table->text, " (",
                                      table->has_row_id ? "{+row id}" : "", names,
                                      table->has_times ? "{+updated}" : "", ") VALUES (",
                                      table->has_row_id ? "{+?row id}" : "", arguments,
                                      table->has_times ? "{+?updated}" : "", ")", NULL));
}

/*
 * 0 is this layer's NULL for times, so the first moment of 1970 is written one millisecond later.
 */
static const char *time_argument(const restore *r, const char *text)
{
    apr_int64_t milliseconds = na_schema_read_time(text);
    return na_schema_time(r->line_pool, na_db_schema_of(r->use), na_db_engine_of(r->use),
                          milliseconds ? milliseconds : 1);
}

static const char *value_argument(const restore *r, na_column_kind kind, const json_t *value)
{
    if (json_is_null(value))
        return NULL;
    if (kind == NA_COLUMN_TIME)
        return time_argument(r, json_string_value(value));
    if (kind == NA_COLUMN_BOOL)
        return json_is_true(value) ? "1" : "0";
    return na_json_scalar(r->line_pool, value);
}

static int refers_to_user(const na_backup_table *table, const na_backup_column *column)
{
    return table != na_backup_tables && is_users_id(column);
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
static int make_arguments(restore *r, const na_backup_table *table, const json_t *row,
                          const char **arguments)
{
    for (const na_backup_column *column = table->columns; column->name; column++, arguments++) {
        const json_t *value = json_object_get(row, column->name);
        *arguments = value_argument(r, column->kind, value);
        if (refers_to_user(table, column) && !(*arguments = find_id(r, *arguments)))
            return 0;
        if (is_refused(r, column, row, *arguments))
            *arguments = NULL;
    }
    return 1;
}

static na_error *insert_row(restore *r, const json_t *row)
{
    int number = table_of(row), count = 0;
    const na_backup_table *table = &na_backup_tables[number];
    const char *arguments[NA_BACKUP_COLUMNS_MAX];
    if (table->ends && !r->options->keep_sessions) {
        r->result->ended++;
        return NULL;
    }
    if (!make_arguments(r, table, row, arguments)) {
        r->result->left_out++;
        return NULL;
    }
    if (number == 0 && !(arguments[0] = add_id(r, arguments[0])))
        return wrong(r, "duplicate user ID");
    while (table->columns[count].name)
        count++;
    if (!r->inserts[number])
        r->inserts[number] = insert_text(r, table);
    na_error *error = na_db_change_text(r->use, na_backup_statement(r->line_pool, "insert", table),
                                        r->inserts[number], count, arguments, NULL);
    if (error)
        return na_error_wrap(r->pool, error, NULL, "line %ld", r->number);
    r->result->rows[number]++;
    return NULL;
}

static na_error *insert_rows(restore *r)
{
    EVP_MD_CTX *digest = na_backup_digest(r->pool);
    json_t *row;
    int found;
    NA_TRY(read_header(r, digest));
    for (;;) {
        NA_TRY(next_line(r, &found));
        if (!found)
            break;
        NA_TRY(parse_line(r, &row));
        if (na_json_string(row, "sha256"))
            break;
        EVP_DigestUpdate(digest, r->line, r->len);
        NA_TRY(insert_row(r, row));
        if (r->options->progress && r->number % PROGRESS_LINES == 0)
            r->options->progress(r->options->data, r->done, r->total);
    }
    return strcmp(na_backup_digest_text(r->pool, digest), r->sha256) == 0
               ? NULL
               : wrong(r, "the backup was changed while it was read");
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
    NA_TRY(na_db_select_text(r->use, "same_emails",
                             na_schema_text(r->pool, na_db_schema_of(r->use),
                                            na_db_engine_of(r->use), text),
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
    r->result->last_id = here > r->last_user_id ? here : r->last_user_id;
    return NULL;
}

/* IDs and sessions of users created after the backup must not become those of other users. */
static na_error *begin_generation(restore *r)
{
    apr_int64_t last, *reserved = &r->result->last_id;
    int is_kept = r->options->keep_sessions && !r->new_ids;
    NA_TRY(na_generation_last_id(r->use, &last));
    *reserved = last > *reserved ? last : *reserved;
    if (!r->options->keep_sessions && *reserved <= ID_MAX - LOST_IDS)
        *reserved += LOST_IDS;
    if (!na_schema_makes_ids(na_db_schema_of(r->use)))
        *reserved = 0;
    if (*reserved)
        NA_TRY(na_generation_skip_ids(r->use, *reserved));
    return na_generation_write(r->use, is_kept ? r->generation : 0);
}

static na_error *write_all(restore *r)
{
    NA_TRY(na_db_lock(r->use, "nextauth_migrations"));
    NA_TRY(find_last_id(r));
    NA_TRY(prepare_tables(r));
    choose_ids(r);
    na_db_set_pool(r->use, r->line_pool);
    na_error *error = insert_rows(r);
    na_db_set_pool(r->use, r->pool);
    NA_TRY(error);
    NA_TRY(check_emails(r));
    NA_TRY(begin_generation(r));
    return r->options->finish ? r->options->finish(r->options->data, r->use) : NULL;
}

static na_error *run(restore *r, na_db *db)
{
    NA_TRY(check_backup(r));
    r->total = r->done;
    r->done = r->number = 0;
    rewind(r->in);
    NA_TRY(na_db_write(db, r->pool, &r->use));
    return na_db_end(r->use, write_all(r));
}

na_error *na_db_restore(na_db *db, apr_pool_t *pool, FILE *in, const na_restore_options *options,
                        na_backup_result *result)
{
    restore r = {.pool = pool, .in = in, .options = options, .result = result};
    *result = (na_backup_result){.left_out = 0};
    apr_pool_create(&r.line_pool, pool);
    na_error *error = run(&r, db);
    free(r.line);
    return error;
}
