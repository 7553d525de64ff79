/* SPDX-License-Identifier: Apache-2.0 */
/* Finding users, with everything that decides what they may do. */
#include "mongodb/find.h"

#include <string.h>

#include "mongodb/collection.h"
#include "mongodb/access.h"
#include "mongodb/sessions.h"
#include "mongodb/users.h"
#include "mongodb/value.h"

/* Documents that a secondary lacks might exist. */
static na_error *check_behind(const na_db_use *use, int found)
{
    return found || !use->is_behind
               ? NULL
               : na_error_new(use->pool, NA_ERR_BUSY, "%s: a secondary might not have the user yet",
                              use->options->name);
}

/* ── one user ──────────────────────────────────────────────────────────────────────────────── */

/* Roles can be in both documents; each is there once. */
static void add_once(apr_array_header_t *roles, const apr_array_header_t *more)
{
    for (int i = 0; i < more->nelts; i++) {
        const char *role = APR_ARRAY_IDX(more, i, const char *);
        int is_there = 0;
        for (int n = 0; n < roles->nelts && !is_there; n++)
            is_there = strcmp(APR_ARRAY_IDX(roles, n, const char *), role) == 0;
        if (!is_there)
            APR_ARRAY_PUSH(roles, const char *) = role;
    }
}

/*
 * The revision first: what is read after it is never older. For a user who does not exist (NULL),
 * the same is asked, so that the time does not tell.
 */
static na_error *read_person(na_db_use *use, const bson_oid_t *id, int role_column,
                             na_db_person *person, int *found)
{
    static const bson_oid_t unknown = {{0}};
    apr_int64_t stored;
    apr_array_header_t *more = apr_array_make(use->pool, 1, sizeof(const char *));
    na_db_user user;
    int is_there;
    NA_TRY(na_mongo_read_access(use, id ? id : &unknown, person, &stored));
    NA_TRY(na_mongo_get_user_and_role(use, id ? id : &unknown, &user, role_column ? more : NULL,
                                      &is_there));
    *found = id && is_there && user.id;
    if (!*found)
        return NULL;
    person->user = user;
    add_once(person->roles, more);
    return NULL;
}

static na_error *find_by_id(na_db_use *use, const na_db_who *who, na_db_person *person, int *found)
{
    bson_oid_t id;
    int is_valid = na_oid_parse(who->id, &id);
    return read_person(use, is_valid ? &id : NULL, who->role_column, person, found);
}

/* The email address can have been changed before the revision was read. */
static na_error *find_by_email(na_db_use *use, const na_db_who *who, na_db_person *person,
                               int *found)
{
    na_db_user user = {0};
    bson_oid_t id;
    NA_TRY(na_mongo_get_user_by_email(use, who->email, &user, found));
    int is_valid = *found && na_oid_parse(user.id, &id);
    NA_TRY(read_person(use, is_valid ? &id : NULL, who->role_column, person, found));
    *found = *found && person->user.email && strcmp(person->user.email, user.email) == 0;
    return NULL;
}

static na_error *owner_of(na_db_use *use, const na_db_who *who, bson_oid_t *id, int *found)
{
    na_db_account account;
    NA_TRY(na_mongo_get_account(use, who->provider, who->account_id, &account, found));
    if (!*found || na_oid_parse(account.user_id, id))
        return NULL;
    return na_error_new(use->pool, NA_ERR_ACCESS_DENIED,
                        "an account of '%s' has a userId that is no ObjectId", who->provider);
}

/* The account can have been unlinked before the revision was read. */
static na_error *find_by_account(na_db_use *use, const na_db_who *who, na_db_person *person,
                                 int *found)
{
    bson_oid_t id, still;
    int is_linked, is_still_linked;
    NA_TRY(owner_of(use, who, &id, &is_linked));
    NA_TRY(read_person(use, is_linked ? &id : NULL, who->role_column, person, found));
    NA_TRY(owner_of(use, who, &still, &is_still_linked));
    *found = *found && is_still_linked && bson_oid_equal(&id, &still);
    return NULL;
}

static na_error *find_in_use(na_db_use *use, const na_db_who *who, na_db_person *person, int *found)
{
    *found = 0;
    if (who->id)
        NA_TRY(find_by_id(use, who, person, found));
    else if (who->email)
        NA_TRY(find_by_email(use, who, person, found));
    else
        NA_TRY(find_by_account(use, who, person, found));
    return check_behind(use, *found);
}

na_error *na_mongo_find_person(void *self, apr_pool_t *pool, const na_db_who *who,
                               na_db_person *person, int *found)
{
    na_db_use *use;
    NA_TRY(who->current ? na_mongo_read_current(self, pool, &use)
                        : na_mongo_read(self, pool, &use));
    return na_mongo_end(use, find_in_use(use, who, person, found));
}

/* ── several ───────────────────────────────────────────────────────────────────────────────── */

typedef struct pairing {
    apr_array_header_t *people; /* in the order of their IDs */
    int first;                  /* of this page */
    apr_int64_t generation;
} pairing;

static na_error *take_access(void *data, na_db_use *use, const bson_t *document)
{
    const pairing *p = data;
    const char *id = na_value_oid(use->pool, document, "_id");
    for (int i = p->first; id && i < p->people->nelts; i++) {
        na_db_person *person = &APR_ARRAY_IDX(p->people, i, na_db_person);
        if (strcmp(person->user.id, id) == 0)
            na_mongo_take_access(use->pool, document, p->generation, person);
    }
    return NULL;
}

static const bson_t *between(na_db_use *use, const char *first, const char *last)
{
    bson_oid_t from, to;
    na_oid_parse(first, &from);
    na_oid_parse(last, &to);
    return na_mongo_own(use,
                        BCON_NEW("_id", "{", "$gte", BCON_OID(&from), "$lte", BCON_OID(&to), "}"));
}

static na_error *list_in_use(na_db_use *use, const bson_oid_t *last, int count,
                             apr_array_header_t *people)
{
    pairing p = {people, people->nelts, 0};
    apr_array_header_t *users = apr_array_make(use->pool, count, sizeof(na_db_user));
    NA_TRY(na_mongo_get_generation(use, &p.generation));
    NA_TRY(na_mongo_list_users(use, last, count, users));
    for (int i = 0; i < users->nelts; i++) {
        na_db_person *person = &APR_ARRAY_PUSH(people, na_db_person);
        person->user = APR_ARRAY_IDX(users, i, na_db_user);
        na_mongo_take_access(use->pool, NULL, p.generation, person);
    }
    return users->nelts
               ? na_mongo_find(use, NA_OWN_USERS,
                               between(use, APR_ARRAY_IDX(users, 0, na_db_user).id,
                                       APR_ARRAY_IDX(users, users->nelts - 1, na_db_user).id),
                               NULL, take_access, &p)
               : NULL;
}

na_error *na_mongo_list_people(void *self, apr_pool_t *pool, const char *last, int count,
                               apr_array_header_t *people)
{
    na_db_use *use;
    bson_oid_t after;
    if (last && !na_oid_parse(last, &after))
        return na_mongo_wrong_id(pool);
    NA_TRY(na_mongo_read(self, pool, &use));
    return na_mongo_end(use, list_in_use(use, last ? &after : NULL, count, people));
}

/* ── accounts and sessions ─────────────────────────────────────────────────────────────────── */

na_error *na_mongo_accounts_of(void *self, apr_pool_t *pool, const char *user_id,
                               apr_array_header_t *accounts)
{
    na_db_use *use;
    bson_oid_t user;
    if (!na_oid_parse(user_id, &user))
        return NULL;
    NA_TRY(na_mongo_read(self, pool, &use));
    return na_mongo_end(use, na_mongo_list_accounts(use, &user, accounts));
}

na_error *na_mongo_find_account(void *self, apr_pool_t *pool, const char *provider,
                                const char *account_id, na_db_account *account, int *found)
{
    na_db_use *use;
    NA_TRY(na_mongo_read_current(self, pool, &use));
    return na_mongo_end(use, na_mongo_get_account(use, provider, account_id, account, found));
}

static na_error *find_session_in_use(na_db_use *use, const char *token, int role_column,
                                     na_db_session *session, na_db_person *person, int *found)
{
    bson_oid_t user;
    NA_TRY(na_mongo_get_session(use, token, session, found));
    if (*found && na_oid_parse(session->user_id, &user))
        NA_TRY(read_person(use, &user, role_column, person, found));
    return check_behind(use, *found);
}

na_error *na_mongo_find_session(void *self, apr_pool_t *pool, const char *token, int role_column,
                                na_db_session *session, na_db_person *person, int *found)
{
    na_db_use *use;
    NA_TRY(na_mongo_read(self, pool, &use));
    return na_mongo_end(use, find_session_in_use(use, token, role_column, session, person, found));
}
