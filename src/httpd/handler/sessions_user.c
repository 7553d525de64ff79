/* SPDX-License-Identifier: Apache-2.0 */
/* The user that a name stands for in requests of nextauthctl session. */
#include <string.h>

#include <apr_strings.h>

#include "sql/records.h"
#include "httpd/handler/answer.h"
#include "mail/address.h"

/*
 * Session records name users "PROVIDER/ID" or, if they are in the database, "/ID". All names that
 * nextauthctl prints of users and accounts, and email addresses, are translated to that.
 */

typedef struct search {
    apr_pool_t *pool;
    const char *name;
    const char *provider, *account; /* parts of "PROVIDER/ID"; NULL if the name has no slash */
    na_db_user user;
    int found;
} search;

static na_error *find_by_email(search *s, na_db_use *use)
{
    const char *email;
    NA_TRY(na_db_get_user_by_email(use, s->name, &s->user, &s->found));
    if (s->found || na_email_normalize(s->pool, s->name, &email))
        return NULL;
    return na_db_get_user_by_email(use, email, &s->user, &s->found);
}

static na_error *find_user(search *s, na_db_use *use)
{
    if (s->provider)
        NA_TRY(na_db_get_user_by_account(use, s->provider, s->account, &s->user, &s->found));
    if (!s->found)
        NA_TRY(na_db_get_user(use, s->name, &s->user, &s->found));
    return s->found ? NULL : find_by_email(s, use);
}

na_error *na_sessions_find_user(request_rec *r, const char *name, const char **user)
{
    na_db *db = na_server_conf_of(r->server)->db;
    const char *slash = strchr(name, '/');
    search s = {.pool = r->pool, .name = name};
    na_db_use *use;
    *user = slash ? name : NULL;
    if (!db || slash == name)
        return NULL;
    if (slash) {
        s.provider = apr_pstrmemdup(r->pool, name, (apr_size_t)(slash - name));
        s.account = slash + 1;
    }
    NA_TRY(na_db_read(db, r->pool, &use));
    NA_TRY(na_db_end(use, find_user(&s, use)));
    if (s.found)
        *user = apr_pstrcat(r->pool, "/", s.user.id, NULL);
    return NULL;
}
