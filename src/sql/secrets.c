/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of users: second factors, remembered browsers, and access tokens. */
#include "sql/secrets.h"

#include <stdlib.h>

#include <apr_strings.h>

/* Number of arguments in an array. */
#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

static const char *number(na_db_use *use, apr_int64_t value)
{
    return apr_psprintf(na_sql_pool(use), "%" APR_INT64_T_FMT, value);
}

static apr_int64_t read_number(const char *text)
{
    return text ? strtoll(text, NULL, 10) : 0;
}

na_error *na_sql_create_secret(na_db_use *use, const na_db_secret *secret)
{
    const char *arguments[] = {secret->id,
                               secret->user_id,
                               secret->kind,
                               secret->name,
                               secret->sealed,
                               secret->scope,
                               number(use, secret->counter),
                               number(use, secret->created_at),
                               number(use, secret->used_at),
                               number(use, secret->expires_at)};
    return na_sql_change(use, NA_SQL_CREATE_SECRET, COUNT(arguments), arguments, NULL);
}

static na_db_secret read_secret(const na_rows *rows, int row)
{
    const char *const *v = rows->values + row * rows->columns;
    return (na_db_secret){.id = v[0],
                          .user_id = v[1],
                          .kind = v[2],
                          .name = v[3],
                          .sealed = v[4],
                          .scope = v[5],
                          .counter = read_number(v[6]),
                          .created_at = read_number(v[7]),
                          .used_at = read_number(v[8]),
                          .expires_at = read_number(v[9])};
}

na_error *na_sql_get_secret(na_db_use *use, const char *kind, const char *id, na_db_secret *secret,
                            int *found)
{
    const char *arguments[] = {kind, id};
    na_rows rows;
    NA_TRY(na_sql_select(use, NA_SQL_SECRET, COUNT(arguments), arguments, &rows));
    *found = rows.count > 0;
    if (*found)
        *secret = read_secret(&rows, 0);
    return NULL;
}

na_error *na_sql_list_secrets(na_db_use *use, const char *user_id, const char *kind,
                              apr_array_header_t *secrets)
{
    const char *arguments[] = {user_id, kind};
    na_rows rows;
    NA_TRY(na_sql_select(use, kind ? NA_SQL_SECRETS_OF_KIND : NA_SQL_SECRETS_OF_USER, kind ? 2 : 1,
                         arguments, &rows));
    for (int i = 0; i < rows.count; i++)
        APR_ARRAY_PUSH(secrets, na_db_secret) = read_secret(&rows, i);
    return NULL;
}

na_error *na_sql_spend_secret(na_db_use *use, const na_db_secret *spent, int *holds)
{
    const char *counter = number(use, spent->counter), *now = number(use, spent->used_at);
    const char *arguments[] = {counter, now, spent->user_id, spent->kind, spent->id, counter, now};
    int changed = 0;
    NA_TRY(na_sql_change(use, NA_SQL_SPEND_SECRET, COUNT(arguments), arguments, &changed));
    *holds = changed > 0;
    return NULL;
}

na_error *na_sql_use_secret(na_db_use *use, const char *kind, const char *id, apr_int64_t used_at)
{
    const char *arguments[] = {number(use, used_at), kind, id};
    return na_sql_change(use, NA_SQL_USE_SECRET, COUNT(arguments), arguments, NULL);
}

/*
 * A database that has not been migrated to the table has no secrets. A failed statement would end
 * the transaction, so the table is looked for.
 */
static na_error *has_secrets(na_db_use *use, int *found)
{
    return na_sql_has_table(use, "nextauth_secrets", found);
}

na_error *na_sql_delete_secrets(na_db_use *use, const char *user_id, const char *kind,
                                const char *id)
{
    const char *arguments[] = {user_id, kind, id};
    int found;
    NA_TRY(has_secrets(use, &found));
    if (!found)
        return NULL;
    return !kind ? na_sql_change(use, NA_SQL_DELETE_USER_SECRETS, 1, arguments, NULL)
           : !id ? na_sql_change(use, NA_SQL_DELETE_SECRETS_OF_KIND, 2, arguments, NULL)
                 : na_sql_change(use, NA_SQL_DELETE_SECRET, 3, arguments, NULL);
}

na_error *na_sql_delete_expired_secrets(na_db_use *use, apr_int64_t now)
{
    const char *argument = number(use, now);
    int found;
    NA_TRY(has_secrets(use, &found));
    return found ? na_sql_change(use, NA_SQL_DELETE_EXPIRED_SECRETS, 1, &argument, NULL) : NULL;
}
