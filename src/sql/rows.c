/* SPDX-License-Identifier: Apache-2.0 */
/* Whole tables, for backups: reading their rows by pages, and emptying them. */
#include "sql/rows.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

/* Number of rows that are read at once; a row can have tokens of many kilobytes. */
#define PAGE 200

const na_sql_table na_sql_tables[NA_TABLES] = {
    [NA_TABLE_USERS] = {.text = "{users}", .key = {"id"}, .has_times = 1},
    [NA_TABLE_ACCOUNTS] = {.text = "{accounts}",
                           .key = {"provider", "providerAccountId"},
                           .has_row_id = 1,
                           .has_times = 1},
    [NA_TABLE_SESSIONS] = {.text = "{sessions}",
                           .key = {"sessionToken"},
                           .has_row_id = 1,
                           .has_times = 1},
    [NA_TABLE_TOKENS] = {.text = "{tokens}", .key = {"identifier", "token"}},
    [NA_TABLE_AUTHENTICATORS] = {.text = "{authenticators}", .key = {"credentialID"}},
    [NA_TABLE_ROLES] = {.text = "{nextauth_roles}", .key = {"user_id", "role"}},
    [NA_TABLE_CREDENTIALS] = {.text = "{nextauth_credentials}", .key = {"user_id"}},
    [NA_TABLE_REVISIONS] = {.text = "{nextauth_revisions}", .key = {"user_id"}},
    [NA_TABLE_SECRETS] = {.text = "{nextauth_secrets}", .key = {"id"}},
    [NA_TABLE_STORE] = {.text = "{nextauth_store}", .key = {"store_key"}}};

const char *na_sql_statement_name(apr_pool_t *pool, const char *what, na_db_table table)
{
    return apr_psprintf(pool, "%s_%d", what, (int)table);
}

static const char *text_of(na_db_use *use, apr_pool_t *pool, const char *text)
{
    return na_schema_text(pool, na_sql_schema_of(use), na_sql_engine_of(use), text);
}

/* Runs `run` with another pool for its results. */
static na_error *select_in(na_db_use *use, apr_pool_t *pool, const char *name, const char *text,
                           int count, const char *const *arguments, na_rows *rows)
{
    apr_pool_t *before = na_sql_set_pool(use, pool);
    na_error *error = na_sql_select_text(use, name, text, count, arguments, rows);
    na_sql_set_pool(use, before);
    return error;
}

/* ── beginning ─────────────────────────────────────────────────────────────────────────────── */

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

static na_error *lock_migrations(na_db_use *use)
{
    return na_sql_lock(use, "nextauth_migrations");
}

static na_error *begin(void *self, apr_pool_t *pool, na_db_use **use,
                       na_error *(*first)(na_db_use *use))
{
    NA_TRY(na_sql_write(self, pool, use));
    na_error *error = first(*use);
    return error ? na_sql_end(*use, error) : NULL;
}

na_error *na_sql_begin_backup(void *self, apr_pool_t *pool, na_db_use **use)
{
    return begin(self, pool, use, take_snapshot);
}

na_error *na_sql_begin_restore(void *self, apr_pool_t *pool, na_db_use **use)
{
    return begin(self, pool, use, lock_migrations);
}

/* ── tables ────────────────────────────────────────────────────────────────────────────────── */

static const char *unquoted(apr_pool_t *pool, const char *name)
{
    return apr_pstrmemdup(pool, name + 1, strlen(name) - 2);
}

na_error *na_sql_find_table(na_db_use *use, apr_pool_t *pool, na_db_table table, int *found)
{
    const char *name = unquoted(pool, text_of(use, pool, na_sql_tables[table].text));
    NA_TRY(na_sql_has_table(use, name, found));
    return *found || na_backup_tables[table].is_optional
               ? NULL
               : na_error_new(pool, NA_ERR_CONFIGURATION,
                              "table %s does not exist: check that schema=%s is correct and that "
                              "the database was migrated",
                              name, na_schema_name(na_sql_schema_of(use)));
}

na_error *na_sql_count_rows(na_db_use *use, apr_pool_t *pool, na_db_table table, apr_int64_t *count)
{
    na_rows rows;
    const char *text = apr_pstrcat(pool, "SELECT count(*) FROM ", na_sql_tables[table].text, NULL);
    NA_TRY(select_in(use, pool, na_sql_statement_name(pool, "count", table),
                     text_of(use, pool, text), 0, NULL, &rows));
    const char *number = rows.count ? na_rows_value(&rows, 0, 0) : NULL;
    *count = number ? strtoll(number, NULL, 10) : 0;
    return NULL;
}

na_error *na_sql_empty_table(na_db_use *use, apr_pool_t *pool, na_db_table table)
{
    const char *text = apr_pstrcat(pool, "DELETE FROM ", na_sql_tables[table].text, NULL);
    return na_sql_change_text(use, na_sql_statement_name(pool, "empty", table),
                              text_of(use, pool, text), 0, NULL, NULL);
}

na_error *na_sql_find_shared_email(na_db_use *use, apr_pool_t *pool, const char **email)
{
    na_rows rows;
    NA_TRY(select_in(use, pool, "same_emails",
                     text_of(use, pool,
                             "SELECT lower({email}) FROM {users} WHERE {email} IS NOT NULL GROUP "
                             "BY lower({email}) HAVING count(*) > 1 ORDER BY 1 LIMIT 1"),
                     0, NULL, &rows));
    *email = rows.count ? na_rows_value(&rows, 0, 0) : NULL;
    return NULL;
}

/* ── pages ─────────────────────────────────────────────────────────────────────────────────── */

/* The keys of a page's last row. */
typedef struct position {
    const char *keys[2];
} position;

/*
 * Returns the number of columns that order pages. In accounts and sessions of @auth/pg-adapter,
 * only the ID is unique.
 */
static int keys_of(const na_sql_table *table, const na_schema *schema, const char *keys[2])
{
    int by_row_id = table->has_row_id && na_schema_numbers_rows(schema);
    keys[0] = by_row_id ? "id" : table->key[0];
    keys[1] = by_row_id ? NULL : table->key[1];
    return keys[1] ? 2 : 1;
}

/*
 * If users have UUIDs, accounts and sessions can have numbers. PostgreSQL compares neither with
 * text, but all IDs can be compared as text.
 */
static int is_cast(const na_schema *schema, na_sql_engine engine, const char *key)
{
    return engine == NA_POSTGRESQL && !na_schema_makes_ids(schema) && strcmp(key, "id") == 0;
}

static const char *column_of(apr_pool_t *pool, const na_schema *schema, na_sql_engine engine,
                             const char *key)
{
    return is_cast(schema, engine, key) ? "CAST({id} AS text)"
                                        : apr_pstrcat(pool, "{", key, "}", NULL);
}

static const char *where(apr_pool_t *pool, const na_schema *schema, na_sql_engine engine,
                         const char *const keys[2])
{
    const char *a = keys[0], *b = keys[1];
    if (!b)
        return apr_pstrcat(pool, " WHERE ", column_of(pool, schema, engine, a), " > ",
                           strcmp(a, "id") == 0 && !is_cast(schema, engine, a) ? "{?id}" : "%s",
                           NULL);
    if (engine == NA_MYSQL) /* MySQL uses no index for pairs */
        return apr_pstrcat(pool, " WHERE {", a, "} > %s OR ({", a, "} = %s AND {", b, "} > %s)",
                           NULL);
    return apr_pstrcat(pool, " WHERE ({", a, "}, {", b, "}) > (%s, %s)", NULL);
}

/* Returns the statement that selects the keys, then the columns. */
static const char *page_text(na_db_use *use, apr_pool_t *pool, na_db_table table, int is_first)
{
    const char *keys[2];
    const na_schema *schema = na_sql_schema_of(use);
    na_sql_engine engine = na_sql_engine_of(use);
    int count = keys_of(&na_sql_tables[table], schema, keys);
    const char *order =
        apr_pstrcat(pool, column_of(pool, schema, engine, keys[0]), count > 1 ? ", " : NULL,
                    count > 1 ? column_of(pool, schema, engine, keys[1]) : NULL, NULL);
    const char *text = apr_pstrcat(pool, "SELECT ", order, NULL);
    for (const na_backup_column *c = na_backup_tables[table].columns; c->name; c++)
        text =
            apr_pstrcat(pool, text, c->kind == NA_COLUMN_TIME ? ", {@" : ", {", c->name, "}", NULL);
    return text_of(use, pool,
                   apr_pstrcat(pool, text, " FROM ", na_sql_tables[table].text,
                               is_first ? "" : where(pool, schema, engine, keys), " ORDER BY ",
                               order, " LIMIT " APR_STRINGIFY(PAGE), NULL));
}

static na_error *read_page(na_db_use *use, apr_pool_t *pool, na_db_table table,
                           const position *after, int key_count, na_rows *rows)
{
    int repeats = key_count > 1 && na_sql_engine_of(use) == NA_MYSQL;
    const char *arguments[3] = {NULL};
    if (after)
        memcpy(arguments, (const char *[]){after->keys[0], after->keys[!repeats], after->keys[1]},
               sizeof arguments);
    return select_in(use, pool, na_sql_statement_name(pool, after ? "next" : "first", table),
                     page_text(use, pool, table, !after), after ? key_count + repeats : 0,
                     arguments, rows);
}

/* Returns 0 if the text of a time is invalid. */
static int read_value(na_column_kind kind, const char *text, na_db_value *value)
{
    *value = (na_db_value){.is_null = !text, .text = text};
    if (!text)
        return 1;
    if (kind == NA_COLUMN_TIME)
        value->number = na_schema_read_time(text);
    if (kind == NA_COLUMN_INT)
        value->number = strtoll(text, NULL, 10);
    if (kind == NA_COLUMN_BOOL)
        value->number = *text == 't' || *text == '1';
    return kind != NA_COLUMN_TIME || value->number || strcmp(text, "0") == 0 ||
           strncmp(text, "1970-", 5) == 0;
}

static na_error *read_row(apr_pool_t *pool, na_db_table table, const char *const *texts,
                          apr_array_header_t *rows)
{
    const na_backup_column *columns = na_backup_tables[table].columns;
    na_db_value *values = apr_palloc(pool, (apr_size_t)na_backup_columns(table) * sizeof *values);
    for (int i = 0; columns[i].name; i++)
        if (!read_value(columns[i].kind, texts[i], &values[i]))
            return na_error_new(pool, NA_ERR_CONFIGURATION, "a row of %s: %s is not a time",
                                na_backup_tables[table].name, columns[i].name);
    APR_ARRAY_PUSH(rows, na_db_row) = values;
    return NULL;
}

na_error *na_sql_read_rows(na_db_use *use, apr_pool_t *pool, na_db_table table, const void **cursor,
                           apr_array_header_t *rows)
{
    const char *keys[2];
    na_rows page;
    int key_count = keys_of(&na_sql_tables[table], na_sql_schema_of(use), keys);
    position *last = apr_pcalloc(pool, sizeof *last);
    NA_TRY(read_page(use, pool, table, *cursor, key_count, &page));
    for (int i = 0; i < page.count; i++)
        NA_TRY(read_row(pool, table, page.values + i * page.columns + key_count, rows));
    for (int i = 0; page.count && i < key_count; i++)
        last->keys[i] = na_rows_value(&page, page.count - 1, i);
    *cursor = page.count == PAGE ? last : NULL;
    return NULL;
}
