/* SPDX-License-Identifier: Apache-2.0 */
/* Inserting rows of a backup, many of them with one statement. */
#include "sql/insert.h"

#include <apr_strings.h>

/* Arguments of one statement: SQLite before 3.32 accepts no more. */
#define ARGUMENTS_MAX 999

typedef struct insertion {
    na_db_use *use;
    na_db_table table;
    int columns;
    const char *start, *row; /* of a statement: up to VALUES, and the arguments of one row */
    const char **values;     /* row by row, as the schema writes them */
} insertion;

/* ── the statement ─────────────────────────────────────────────────────────────────────────── */

static const char *argument_of(na_column_kind kind)
{
    static const char *const arguments[] = {
        [NA_COLUMN_TEXT] = "%s",    [NA_COLUMN_ID] = "{?id}",     [NA_COLUMN_ID_TEXT] = "%s",
        [NA_COLUMN_INT] = "{?int}", [NA_COLUMN_BOOL] = "{?bool}", [NA_COLUMN_TIME] = "{?time}"};
    return arguments[kind];
}

static const char *text_of(const insertion *i, const char *text)
{
    return na_schema_text(na_sql_pool(i->use), na_sql_schema_of(i->use), na_sql_engine_of(i->use),
                          text);
}

static void begin_statement(insertion *i)
{
    apr_pool_t *pool = na_sql_pool(i->use);
    const na_sql_table *table = &na_sql_tables[i->table];
    const char *names = "", *arguments = "", *comma = "";
    for (const na_backup_column *column = na_backup_tables[i->table].columns; column->name;
         column++, comma = ", ") {
        names = apr_pstrcat(pool, names, comma, "{", column->name, "}", NULL);
        arguments = apr_pstrcat(pool, arguments, comma, argument_of(column->kind), NULL);
        i->columns++;
    }
    i->start = text_of(i, apr_pstrcat(pool, "INSERT INTO ", table->text, " (",
                                      table->has_row_id ? "{+row id}" : "", names,
                                      table->has_times ? "{+updated}" : "", ") VALUES ", NULL));
    i->row = text_of(i, apr_pstrcat(pool, "(", table->has_row_id ? "{+?row id}" : "", arguments,
                                    table->has_times ? "{+?updated}" : "", ")", NULL));
}

static const char *statement_for(const insertion *i, int count)
{
    apr_pool_t *pool = na_sql_pool(i->use);
    apr_array_header_t *rows = apr_array_make(pool, count, sizeof(char *));
    for (int n = 0; n < count; n++)
        APR_ARRAY_PUSH(rows, const char *) = i->row;
    return apr_pstrcat(pool, i->start, apr_array_pstrcat(pool, rows, ','), NULL);
}

/* ── values ────────────────────────────────────────────────────────────────────────────────── */

/* 0 is this layer's NULL for times, so the first moment of 1970 is written a millisecond later. */
static const char *text_of_value(const insertion *i, na_column_kind kind, const na_db_value *value)
{
    apr_pool_t *pool = na_sql_pool(i->use);
    if (value->is_null)
        return NULL;
    if (kind == NA_COLUMN_TIME)
        return na_schema_time(pool, na_sql_schema_of(i->use), na_sql_engine_of(i->use),
                              value->number ? value->number : 1);
    return kind == NA_COLUMN_INT || kind == NA_COLUMN_BOOL
               ? apr_psprintf(pool, "%" APR_INT64_T_FMT, value->number)
               : value->text;
}

static void convert_values(insertion *i, const apr_array_header_t *rows)
{
    const na_backup_column *columns = na_backup_tables[i->table].columns;
    i->values =
        apr_palloc(na_sql_pool(i->use), (apr_size_t)(rows->nelts * i->columns) * sizeof *i->values);
    for (int n = 0; n < rows->nelts; n++)
        for (int c = 0; c < i->columns; c++)
            i->values[n * i->columns + c] =
                text_of_value(i, columns[c].kind, &APR_ARRAY_IDX(rows, n, na_db_row)[c]);
}

/* ── rows ──────────────────────────────────────────────────────────────────────────────────── */

static na_error *insert(const insertion *i, int from, int count)
{
    apr_pool_t *pool = na_sql_pool(i->use);
    const char *name =
        na_sql_statement_name(pool, apr_psprintf(pool, "insert_%d", count), i->table);
    return na_sql_change_text(i->use, name, statement_for(i, count), count * i->columns,
                              i->values + from * i->columns, NULL);
}

typedef struct part {
    const insertion *insertion;
    int from, count;
} part;

static na_error *insert_part(void *data, na_db_use *use)
{
    const part *p = data;
    (void)use;
    return insert(p->insertion, p->from, p->count);
}

static na_error *insert_singly(const part *p, int *refused)
{
    for (*refused = p->from; *refused < p->from + p->count; ++*refused)
        NA_TRY(insert(p->insertion, *refused, 1));
    return NULL;
}

/*
 * Returns the largest power of two that is at most `left` and fits into a statement: of few sizes,
 * few statements are prepared.
 */
static int size_of_part(const insertion *i, int left)
{
    int size = 1;
    while (2 * size <= left && 2 * size * i->columns <= ARGUMENTS_MAX)
        size *= 2;
    return size;
}

/* If the statement for several rows fails, inserting them singly finds the one that is refused. */
static na_error *insert_all(insertion *i, const apr_array_header_t *rows, int *refused)
{
    begin_statement(i);
    convert_values(i, rows);
    for (part p = {.insertion = i}; p.from < rows->nelts; p.from += p.count) {
        p.count = size_of_part(i, rows->nelts - p.from);
        if (p.count == 1 || na_sql_try(i->use, insert_part, &p))
            NA_TRY(insert_singly(&p, refused));
    }
    return NULL;
}

na_error *na_sql_insert_rows(na_db_use *use, apr_pool_t *pool, na_db_table table,
                             const apr_array_header_t *rows, int *refused)
{
    insertion i = {.use = use, .table = table};
    apr_pool_t *before = na_sql_set_pool(use, pool);
    na_error *error = insert_all(&i, rows, refused);
    na_sql_set_pool(use, before);
    return error;
}
