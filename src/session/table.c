/* SPDX-License-Identifier: Apache-2.0 */
#include "session/table.h"

#include <string.h>

#include "base/json.h"

static na_error *read_row(na_db_use *use, const char *token, int role_column, na_table_row *row,
                          int *found, int *disabled)
{
    na_db_session session;
    na_db_credential credential;
    apr_array_header_t *roles = apr_array_make(na_db_pool(use), 4, sizeof(const char *));
    NA_TRY(na_db_get_session_and_user(use, token, &session, &row->user, found));
    if (!*found)
        return na_db_is_behind(use) ? na_error_new(na_db_pool(use), NA_ERR_BUSY,
                                                   "a replica may not have the session yet")
                                    : NULL;
    NA_TRY(na_db_get_credential(use, row->user.id, &credential));
    NA_TRY(na_db_roles(use, row->user.id, role_column, roles));
    *disabled = credential.disabled;
    row->expires = session.expires / 1000;
    row->roles = roles;
    return NULL;
}

na_error *na_table_find(na_db *db, apr_pool_t *pool, const char *token, int role_column,
                        apr_time_t now, na_table_row *row)
{
    na_db_use *use;
    int found = 0, disabled = 0;
    NA_TRY(na_db_read(db, pool, &use));
    NA_TRY(na_db_end(use, read_row(use, token, role_column, row, &found, &disabled)));
    if (!found)
        return na_error_new(pool, NA_ERR_SESSION, "no session has this id");
    if (row->expires <= apr_time_sec(now))
        return na_error_new(pool, NA_ERR_SESSION, "the session is over");
    return disabled ? na_error_new(pool, NA_ERR_SESSION, "the session's user is disabled") : NULL;
}

typedef struct addition {
    const na_db_session session;
    apr_int64_t revision;
} addition;

/* What was decided about the user has to be so still: one step with what would change it. */
static na_error *add_row(void *data, na_db_use *use)
{
    const addition *a = data;
    apr_int64_t revision;
    NA_TRY(na_db_hold_revision(use, a->session.user_id, &revision));
    return revision == a->revision
               ? na_db_create_session(use, &a->session)
               : na_error_new(na_db_pool(use), NA_ERR_ACCESS_DENIED,
                              "the user's sessions were ended while this one began");
}

na_error *na_table_add(na_db *db, apr_pool_t *pool, const char *token, const char *user_id,
                       apr_int64_t revision, apr_int64_t expires)
{
    addition a = {{token, user_id, expires * 1000}, revision};
    return na_db_transact(db, pool, add_row, &a);
}

static na_error *extend_row(void *data, na_db_use *use)
{
    const na_db_session *session = data;
    return na_db_update_session(use, session->token, session->expires);
}

na_error *na_table_extend(na_db *db, apr_pool_t *pool, const char *token, apr_int64_t expires)
{
    na_db_session session = {.token = token, .expires = expires * 1000};
    return na_db_transact(db, pool, extend_row, &session);
}

static int is_key_of(const na_store_key *key, const char *token)
{
    na_store_key of_token;
    na_store_key_make(&of_token, NA_KIND_SESSION, token);
    return memcmp(of_token.hash, key->hash, sizeof key->hash) == 0;
}

typedef struct removal {
    const char *user_id;
    const na_store_key *key, *but;
} removal;

static na_error *remove_rows(void *data, na_db_use *use)
{
    const removal *r = data;
    apr_array_header_t *tokens = apr_array_make(na_db_pool(use), 8, sizeof(const char *));
    NA_TRY(na_db_list_session_tokens(use, r->user_id, tokens));
    for (int i = 0; i < tokens->nelts; i++) {
        const char *token = APR_ARRAY_IDX(tokens, i, const char *);
        if ((!r->key || is_key_of(r->key, token)) && !(r->but && is_key_of(r->but, token)))
            NA_TRY(na_db_delete_session(use, token));
    }
    return NULL;
}

na_error *na_table_remove(na_db *db, apr_pool_t *pool, const char *user_id, const na_store_key *key,
                          const na_store_key *but)
{
    removal r = {user_id, key, but};
    return na_db_transact(db, pool, remove_rows, &r);
}

/* ── claims ────────────────────────────────────────────────────────────────────────────────── */

static int has_text(const json_t *array, const char *text)
{
    size_t i;
    json_t *value;
    json_array_foreach((json_t *)array, i, value)
    {
        const char *one = json_string_value(value);
        if (one && strcmp(one, text) == 0)
            return 1;
    }
    return 0;
}

void na_table_set_roles(json_t *claims, const json_t *kept, const apr_array_header_t *now)
{
    const json_t *before = json_object_get(kept, NA_CLAIM_ROLES);
    const json_t *of_database = json_object_get(kept, NA_CLAIM_DATABASE_ROLES);
    json_t *roles = json_array(), *current = json_array(), *role;
    size_t i;
    json_array_foreach((json_t *)before, i,
                       role) if (json_string_value(role) &&
                                 !has_text(of_database, json_string_value(role)))
        json_array_append(roles, role);
    for (int n = 0; n < now->nelts; n++) {
        const char *name = APR_ARRAY_IDX(now, n, const char *);
        json_array_append_new(current, json_string(name));
        if (!has_text(roles, name))
            json_array_append_new(roles, json_string(name));
    }
    json_object_set_new(claims, NA_CLAIM_ROLES, roles);
    json_object_set_new(claims, NA_CLAIM_DATABASE_ROLES, current);
}

static void set_text(json_t *claims, const char *name, const char *value)
{
    if (value)
        json_object_set_new(claims, name, json_string(value));
    else
        json_object_del(claims, name);
}

json_t *na_table_claims(apr_pool_t *pool, const json_t *kept, const na_table_row *row,
                        apr_int64_t auth_time)
{
    json_t *claims = na_json_own(pool, kept ? json_copy((json_t *)kept) : json_object());
    set_text(claims, "sub", row->user.id);
    set_text(claims, "name", row->user.name);
    set_text(claims, "email", row->user.email);
    set_text(claims, "picture", row->user.image);
    na_table_set_roles(claims, kept, row->roles);
    json_object_set_new(claims, NA_CLAIM_DATABASE_USER, json_true());
    json_object_set_new(claims, NA_CLAIM_AUTH_TIME, json_integer(auth_time));
    return claims;
}
