/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the file of a backup: its checksum, and then row by row. */
#include "db/backup_file.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

/* Bytes of a text ID: the most that fit into a key of every engine. */
#define TEXT_ID_MAX 255

/* Bytes of the end: a checksum and a number for each table. */
#define END_MAX 4096

#define BLOCK (64 * 1024)

na_error *na_backup_file_wrong(const na_backup_file *f, const char *what)
{
    return na_error_new(f->pool, NA_ERR_CONFIGURATION, "line %ld: %s", f->number, what);
}

/* ── lines ─────────────────────────────────────────────────────────────────────────────────── */

static na_error *make_room(na_backup_file *f)
{
    size_t capacity = f->capacity ? 2 * f->capacity : 64 * 1024;
    char *line = realloc(f->line, capacity);
    if (!line)
        return na_backup_file_wrong(f, "out of memory");
    f->line = line;
    f->capacity = capacity;
    return NULL;
}

/* A line of an untrusted file takes no more memory than a line of a valid backup. */
static na_error *next_line(na_backup_file *f, int *found)
{
    int c = EOF;
    apr_pool_clear(f->line_pool);
    f->number++;
    f->length = 0;
    while (f->length < NA_BACKUP_LINE_MAX && c != '\n' && (c = getc_unlocked(f->in)) != EOF) {
        if (f->length == f->capacity)
            NA_TRY(make_room(f));
        f->line[f->length++] = (char)c;
    }
    if (ferror(f->in))
        return na_backup_file_wrong(f, "could not read it");
    *found = f->length > 0;
    f->done += (apr_int64_t)f->length;
    if (!*found)
        f->number--;
    if (c == '\n' || !*found)
        return NULL;
    return na_backup_file_wrong(f, c == EOF ? "the backup is cut off here"
                                            : apr_psprintf(f->pool, "it is longer than %d bytes",
                                                           NA_BACKUP_LINE_MAX));
}

static na_error *parse_line(na_backup_file *f, json_t **json)
{
    na_error *error = na_json_parse(f->line_pool, NA_ERR_CONFIGURATION, f->line, f->length, json);
    if (error)
        return na_error_wrap(f->pool, error, NULL, "line %ld", f->number);
    return json_is_object(*json) ? NULL : na_backup_file_wrong(f, "not a JSON object");
}

/* Earlier versions did not say it, and knew no other schema with numbers. */
static int has_numbers(const json_t *header, const char *schema)
{
    const json_t *said = json_object_get(header, NA_BACKUP_NUMBERS);
    return said ? json_is_true(said) : schema && strcmp(schema, "authjs") == 0;
}

static na_error *read_header(na_backup_file *f)
{
    int found;
    json_t *header;
    json_int_t version = 0;
    NA_TRY(next_line(f, &found));
    if (!found)
        return na_backup_file_wrong(f, "the backup is empty");
    NA_TRY(parse_line(f, &header));
    EVP_DigestUpdate(f->digest, f->line, f->length);
    const char *format = na_json_string(header, "format");
    const char *schema = na_json_string(header, "schema");
    if (!format || strcmp(format, NA_BACKUP_FORMAT) != 0)
        return na_backup_file_wrong(f, "not a backup of nextauthctl");
    if (!na_json_number(header, "version", &version) || version != NA_BACKUP_VERSION)
        return na_backup_file_wrong(
            f, "a backup of another version of nextauthctl, which this one cannot read");
    f->schema = schema ? apr_pstrdup(f->pool, schema) : NULL;
    f->has_numbers = has_numbers(header, schema);
    f->has_store = json_is_true(json_object_get(header, "store"));
    na_json_number(header, NA_BACKUP_GENERATION, &f->generation);
    na_json_number(header, NA_BACKUP_LAST_ID, &f->last_user_id);
    if (f->generation < 0 || f->last_user_id < 0 || f->last_user_id > NA_BACKUP_ID_MAX)
        return na_backup_file_wrong(f, "invalid " NA_BACKUP_GENERATION " or " NA_BACKUP_LAST_ID);
    return f->schema ? NULL : na_backup_file_wrong(f, "the schema is missing");
}

na_error *na_backup_file_rewind(na_backup_file *f)
{
    rewind(f->in);
    f->done = f->number = f->table = 0;
    memset(f->rows, 0, sizeof f->rows);
    EVP_DigestInit_ex(f->digest, EVP_sha256(), NULL);
    return read_header(f);
}

/* ── rows ──────────────────────────────────────────────────────────────────────────────────── */

static int table_of(const json_t *row)
{
    const char *name = na_json_string(row, "table");
    int i = 0;
    while (name && i < NA_TABLES && strcmp(na_backup_tables[i].name, name) != 0)
        i++;
    return name ? i : NA_TABLES;
}

static int is_time(const char *text)
{
    apr_time_t when;
    return text && na_iso8601_read(text, &when);
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
           strtoll(id, NULL, 10) <= NA_BACKUP_ID_MAX;
}

int na_backup_is_users_id(const na_backup_column *column)
{
    return column->kind == NA_COLUMN_ID || column->kind == NA_COLUMN_ID_TEXT;
}

static int is_id(const na_backup_file *f, const char *id)
{
    return f->has_numbers ? is_number(id)
                          : *id && strlen(id) <= TEXT_ID_MAX && !na_has_control(id) && *id != '-';
}

static na_error *check_row(na_backup_file *f, const json_t *row)
{
    int number = table_of(row);
    size_t count = 1;
    if (number == NA_TABLES)
        return na_backup_file_wrong(f, "a row of an unknown table");
    if (number < f->table)
        return na_backup_file_wrong(f, "a row in the wrong order");
    f->table = number;
    const na_backup_table *table = &na_backup_tables[number];
    for (const na_backup_column *column = table->columns; column->name; column++, count++)
        if (!fits(column, json_object_get(row, column->name)) ||
            (na_backup_is_users_id(column) && !is_id(f, na_json_string(row, column->name))))
            return na_backup_file_wrong(f, apr_psprintf(f->pool, "invalid %s of %s", column->name,
                                                        table->name));
    if (json_object_size(row) != count)
        return na_backup_file_wrong(f, apr_psprintf(f->pool, "unknown columns of %s", table->name));
    f->rows[number]++;
    return NULL;
}

static void read_counts(na_backup_file *f, const json_t *end)
{
    const json_t *counts = json_object_get(end, "counts");
    for (int i = 0; i < NA_TABLES; i++) {
        f->counts[i] = na_backup_tables[i].is_optional ? 0 : -1; /* newer than the backup */
        na_json_number(counts, na_backup_table_name(i), &f->counts[i]);
    }
}

static na_error *check_end(na_backup_file *f, const json_t *end)
{
    int more;
    read_counts(f, end);
    for (int i = 0; i < NA_TABLES; i++)
        if (f->counts[i] != f->rows[i])
            return na_backup_file_wrong(f, apr_psprintf(f->pool, "%s are incomplete",
                                                        na_backup_table_name(i)));
    if (strcmp(na_json_string(end, "sha256"), na_backup_digest_text(f->line_pool, f->digest)) != 0)
        return na_backup_file_wrong(f, "the checksum is wrong: the backup was changed");
    NA_TRY(next_line(f, &more));
    return more ? na_backup_file_wrong(f, "unexpected data after the end") : NULL;
}

na_error *na_backup_file_next(na_backup_file *f, int *table, json_t **row)
{
    int found;
    json_t *json;
    *row = NULL;
    NA_TRY(next_line(f, &found));
    if (!found)
        return na_backup_file_wrong(f, "the backup is incomplete: it has no end after this line");
    NA_TRY(parse_line(f, &json));
    if (na_json_string(json, "sha256"))
        return check_end(f, json);
    EVP_DigestUpdate(f->digest, f->line, f->length);
    NA_TRY(check_row(f, json));
    *table = f->table;
    *row = json;
    return NULL;
}

/* ── the checksum ──────────────────────────────────────────────────────────────────────────── */

/* Reads the last line. Sets *start to its position, and *end to NULL if it is not an end. */
static void read_end(na_backup_file *f, off_t *start, json_t **end)
{
    char tail[END_MAX];
    *end = NULL;
    if (fseeko(f->in, 0, SEEK_END) != 0 || (f->total = ftello(f->in)) <= 0)
        return;
    *start = f->total > END_MAX ? f->total - END_MAX : 0;
    if (fseeko(f->in, *start, SEEK_SET) != 0)
        return;
    size_t len = fread(tail, 1, sizeof tail, f->in);
    if (len < 2 || tail[len - 1] != '\n')
        return;
    const char *before = memrchr(tail, '\n', len - 1);
    size_t from = before ? (size_t)(before + 1 - tail) : 0;
    *start += (off_t)from;
    if (na_json_parse(f->pool, NA_ERR_CONFIGURATION, tail + from, len - from, end))
        *end = NULL;
}

static void digest_until(na_backup_file *f, off_t end)
{
    char block[BLOCK];
    size_t len = 1;
    rewind(f->in);
    for (; end > 0 && len; end -= (off_t)len) {
        len = fread(block, 1, end < BLOCK ? (size_t)end : BLOCK, f->in);
        EVP_DigestUpdate(f->digest, block, len);
    }
}

/* Returns 1 if the file is as nextauthctl wrote it, as far as the checksum shows. */
static int is_intact(na_backup_file *f)
{
    off_t start = 0;
    json_t *end;
    read_end(f, &start, &end);
    const char *sha256 = end ? na_json_string(end, "sha256") : NULL;
    if (!sha256)
        return 0;
    read_counts(f, end);
    digest_until(f, start);
    return strcmp(sha256, na_backup_digest_text(f->pool, f->digest)) == 0;
}

/* Reads all rows to find what is wrong with them. */
static na_error *find_fault(na_backup_file *f)
{
    int table;
    json_t *row;
    NA_TRY(na_backup_file_rewind(f));
    do
        NA_TRY(na_backup_file_next(f, &table, &row));
    while (row);
    return na_backup_file_wrong(f, "the backup was changed while it was read");
}

static apr_status_t free_line(void *data)
{
    na_backup_file *f = data;
    free(f->line);
    return APR_SUCCESS;
}

na_error *na_backup_file_open(apr_pool_t *pool, FILE *in, na_backup_file **file)
{
    na_backup_file *f = *file = apr_pcalloc(pool, sizeof *f);
    f->pool = pool;
    f->in = in;
    f->digest = na_backup_digest(pool);
    apr_pool_create(&f->line_pool, pool);
    apr_pool_cleanup_register(pool, f, free_line, apr_pool_cleanup_null);
    return is_intact(f) ? na_backup_file_rewind(f) : find_fault(f);
}
