/* SPDX-License-Identifier: Apache-2.0 */
/* Users with everything that decides what they may do. */
#include "sql/people.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "sql/records.h"

/* ── rows ──────────────────────────────────────────────────────────────────────────────────── */

/* Columns of PERSON in schema.c; the session's end follows them. */
enum { USER = 0, HASH = 5, DISABLED, CHANGED_AT, REVISION, ROLE, EXPIRES };

static apr_int64_t read_number(const char *text)
{
    return text ? strtoll(text, NULL, 10) : 0;
}

static void add_role(apr_array_header_t *roles, const char *role)
{
    for (int i = 0; i < roles->nelts; i++)
        if (role && strcmp(APR_ARRAY_IDX(roles, i, const char *), role) == 0)
            return;
    if (role && *role)
        APR_ARRAY_PUSH(roles, const char *) = role;
}

/* Reads the user who begins at *row, and moves *row behind the last role. */
static na_db_person read_person(na_db_use *use, const na_rows *rows, int *row)
{
    int first = *row;
    na_db_person person = {.user = na_sql_read_user(rows, first, USER),
                           .credential = {na_rows_value(rows, first, HASH),
                                          read_number(na_rows_value(rows, first, DISABLED)) != 0,
                                          read_number(na_rows_value(rows, first, CHANGED_AT))},
                           .revision = read_number(na_rows_value(rows, first, REVISION)),
                           .roles = apr_array_make(na_sql_pool(use), 4, sizeof(const char *))};
    for (; *row < rows->count && strcmp(na_rows_value(rows, *row, USER), person.user.id) == 0;
         ++*row)
        add_role(person.roles, na_rows_value(rows, *row, ROLE));
    return person;
}

/* An application's own role is in a column that few schemas have, so it is a statement of its own.
 */
static na_error *add_role_column(na_db_use *use, int role_column, const na_db_person *person)
{
    na_rows rows;
    if (!role_column)
        return NULL;
    NA_TRY(na_sql_select(use, NA_SQL_ROLE, 1, &person->user.id, &rows));
    if (rows.count)
        add_role(person->roles, na_rows_value(&rows, 0, 0));
    return NULL;
}

/* A row that a replica lacks might exist. */
static na_error *check_not_behind(na_db_use *use, int found)
{
    return found || !na_sql_is_behind(use)
               ? NULL
               : na_error_new(na_sql_pool(use), NA_ERR_BUSY, "a replica might not have it yet");
}

/* ── one user ──────────────────────────────────────────────────────────────────────────────── */

/*
 * MySQL's columns can ignore case, accents, and trailing blanks, so more users can match than the
 * one who is looked for: "ádá@example.org" belongs to another.
 */
static int is_sought(const na_db_who *who, const na_db_user *user)
{
    if (who->email)
        return user->email && strcasecmp(user->email, who->email) == 0;
    return !who->id || strcmp(user->id, who->id) == 0;
}

static na_error *select_person(na_db_use *use, const na_db_who *who, na_rows *rows)
{
    const char *account[] = {who->provider, who->account_id};
    if (who->id)
        return na_sql_select(use, NA_SQL_PERSON, 1, &who->id, rows);
    return who->email ? na_sql_select(use, NA_SQL_PERSON_BY_EMAIL, 1, &who->email, rows)
                      : na_sql_select_by(use, NA_SQL_PERSON_BY_ACCOUNT, 2, account, rows);
}

static na_error *find(na_db_use *use, const na_db_who *who, na_db_person *person, int *found)
{
    na_rows rows;
    *found = 0;
    if (who->id && !na_sql_is_id(na_sql_schema_of(use), who->id))
        return NULL;
    NA_TRY(select_person(use, who, &rows));
    for (int row = 0; row < rows.count && !*found;) {
        *person = read_person(use, &rows, &row);
        *found = is_sought(who, &person->user);
    }
    NA_TRY(check_not_behind(use, *found));
    return *found ? add_role_column(use, who->role_column, person) : NULL;
}

/* Writing uses are never of a replica. */
na_error *na_sql_find(void *self, apr_pool_t *pool, const na_db_who *who, na_db_person *person,
                      int *found)
{
    na_db_use *use;
    NA_TRY((who->current ? na_sql_read_current : na_sql_read)(self, pool, &use));
    return na_sql_end(use, find(use, who, person, found));
}

/* ── several users ─────────────────────────────────────────────────────────────────────────── */

static na_error *list(na_db_use *use, const char *last, int count, apr_array_header_t *people)
{
    const na_schema *schema = na_sql_schema_of(use);
    const char *none = na_schema_makes_ids(schema)   ? "0"
                       : na_schema_has_uuids(schema) ? "00000000-0000-0000-0000-000000000000"
                                                     : "";
    const char *arguments[] = {last ? last : none, apr_itoa(na_sql_pool(use), count)};
    na_rows rows;
    NA_TRY(na_sql_select(use, NA_SQL_LIST_PEOPLE, 2, arguments, &rows));
    for (int row = 0; row < rows.count;)
        APR_ARRAY_PUSH(people, na_db_person) = read_person(use, &rows, &row);
    return NULL;
}

na_error *na_sql_list(void *self, apr_pool_t *pool, const char *last, int count,
                      apr_array_header_t *people)
{
    na_db_use *use;
    NA_TRY(na_sql_read(self, pool, &use));
    return na_sql_end(use, list(use, last, count, people));
}

/* ── the user of a session ─────────────────────────────────────────────────────────────────── */

static na_error *find_session(na_db_use *use, const char *token, int role_column,
                              na_db_session *session, na_db_person *person, int *found)
{
    na_rows rows;
    int row = 0;
    NA_TRY(na_sql_select_by(use, NA_SQL_PERSON_BY_SESSION, 1, &token, &rows));
    *found = rows.count > 0;
    NA_TRY(check_not_behind(use, *found));
    if (!*found)
        return NULL;
    *person = read_person(use, &rows, &row);
    *session = (na_db_session){token, person->user.id,
                               na_schema_read_time(na_rows_value(&rows, 0, EXPIRES))};
    return add_role_column(use, role_column, person);
}

na_error *na_sql_find_session(void *self, apr_pool_t *pool, const char *token, int role_column,
                              na_db_session *session, na_db_person *person, int *found)
{
    na_db_use *use;
    NA_TRY(na_sql_read(self, pool, &use));
    return na_sql_end(use, find_session(use, token, role_column, session, person, found));
}
