/* SPDX-License-Identifier: Apache-2.0 */
/* The user that a name stands for in requests of nextauthctl session. */
#include <string.h>

#include <apr_strings.h>

#include "db/database.h"
#include "httpd/handler/answer.h"
#include "mail/address.h"

/*
 * Session records name users "PROVIDER/ID" or, if they are in the database, "/ID". All names that
 * nextauthctl prints of users and accounts, and email addresses, are translated to that.
 */

static na_error *find_by_email(const na_db *db, apr_pool_t *pool, const char *name,
                               na_db_person *person, int *found)
{
    const char *email;
    const na_db_who as_written = {.email = name};
    NA_TRY(na_db_find(db, pool, &as_written, person, found));
    if (*found || na_email_normalize(pool, name, &email))
        return NULL;
    const na_db_who normal = {.email = email};
    return na_db_find(db, pool, &normal, person, found);
}

static na_error *find_by_account(const na_db *db, apr_pool_t *pool, const char *name,
                                 na_db_person *person, int *found)
{
    const char *slash = strchr(name, '/');
    *found = 0;
    if (!slash)
        return NULL;
    const na_db_who who = {.provider = apr_pstrmemdup(pool, name, (apr_size_t)(slash - name)),
                           .account_id = slash + 1};
    return na_db_find(db, pool, &who, person, found);
}

static na_error *find_user(const na_db *db, apr_pool_t *pool, const char *name,
                           na_db_person *person, int *found)
{
    const na_db_who by_id = {.id = name};
    NA_TRY(find_by_account(db, pool, name, person, found));
    if (!*found)
        NA_TRY(na_db_find(db, pool, &by_id, person, found));
    return *found ? NULL : find_by_email(db, pool, name, person, found);
}

na_error *na_sessions_find_user(request_rec *r, const char *name, const char **user)
{
    const na_db *db = na_server_conf_of(r->server)->db;
    const char *slash = strchr(name, '/');
    na_db_person person;
    int found;
    *user = slash ? name : NULL;
    if (!db || slash == name)
        return NULL;
    NA_TRY(find_user(db, r->pool, name, &person, &found));
    if (found)
        *user = apr_pstrcat(r->pool, "/", person.user.id, NULL);
    return NULL;
}
