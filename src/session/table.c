/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuth's table of sessions. */
#include "session/table.h"

#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "base/text.h"

/* ── hashes in place of IDs ────────────────────────────────────────────────────────────────── */

/*
 * An ID has no colon (na_session_is_id), so a hash that is sent as a cookie matches no row. IDs are
 * random, so the hash needs neither salt nor secret.
 */
#define HASH_MARK "sha256:"

static const char *hash_of_key(apr_pool_t *pool, const na_store_key *key)
{
    return apr_pstrcat(pool, HASH_MARK, na_hex(pool, key->hash, sizeof key->hash), NULL);
}

static const char *hash_of_id(apr_pool_t *pool, const char *id)
{
    na_store_key key;
    na_store_key_make(&key, NA_KIND_SESSION, id);
    return hash_of_key(pool, &key);
}

static int is_hash(const char *token)
{
    return strncmp(token, HASH_MARK, strlen(HASH_MARK)) == 0;
}

/* The form that is written, then the other one, of rows from before the option was changed. */
typedef struct forms {
    const char *form[2];
} forms;

static forms forms_of(na_db_use *use, const char *id)
{
    const char *hash = hash_of_id(na_db_pool(use), id);
    return na_db_protects(use) ? (forms){{hash, id}} : (forms){{id, hash}};
}

/* ── rows ──────────────────────────────────────────────────────────────────────────────────── */

static na_error *read_row(na_db_use *use, const char *id, int role_column, na_table_row *row,
                          int *found, int *disabled)
{
    na_db_session session;
    na_db_credential credential;
    apr_array_header_t *roles = apr_array_make(na_db_pool(use), 4, sizeof(const char *));
    const forms token = forms_of(use, id);
    for (int i = 0; i < 2 && !*found; i++)
        NA_TRY(na_db_get_session_and_user(use, token.form[i], &session, &row->user, found));
    if (!*found)
        return na_db_is_behind(use) ? na_error_new(na_db_pool(use), NA_ERR_BUSY,
                                                   "a replica might not have the session yet")
                                    : NULL;
    NA_TRY(na_db_get_credential(use, row->user.id, &credential));
    NA_TRY(na_db_roles(use, row->user.id, role_column, roles));
    *disabled = credential.disabled;
    row->expires = session.expires / 1000;
    row->roles = roles;
    return NULL;
}

na_error *na_table_find(na_db *db, apr_pool_t *pool, const char *id, int role_column,
                        apr_time_t now, na_table_row *row)
{
    na_db_use *use;
    int found = 0, disabled = 0;
    NA_TRY(na_db_read(db, pool, &use));
    NA_TRY(na_db_end(use, read_row(use, id, role_column, row, &found, &disabled)));
    if (!found)
        return na_error_new(pool, NA_ERR_SESSION, "unknown session ID");
    if (row->expires <= apr_time_sec(now))
        return na_error_new(pool, NA_ERR_SESSION, "the session has expired");
    return disabled ? na_error_new(pool, NA_ERR_SESSION, "the session's user is disabled") : NULL;
}

typedef struct addition {
    const char *id, *user_id;
    apr_int64_t revision, expires;
} addition;

/*
 * Checks the revision and adds the row in one transaction, so that the user cannot be changed
 * between.
 */
static na_error *add_row(void *data, na_db_use *use)
{
    const addition *a = data;
    const na_db_session session = {forms_of(use, a->id).form[0], a->user_id, a->expires * 1000};
    apr_int64_t revision;
    NA_TRY(na_db_hold_revision(use, a->user_id, &revision));
    return revision == a->revision
               ? na_db_create_session(use, &session)
               : na_error_new(na_db_pool(use), NA_ERR_ACCESS_DENIED,
                              "the user's sessions were ended while this one began");
}

na_error *na_table_add(na_db *db, apr_pool_t *pool, const char *id, const char *user_id,
                       apr_int64_t revision, apr_int64_t expires)
{
    addition a = {id, user_id, revision, expires};
    return na_db_transact(db, pool, add_row, &a);
}

typedef struct extension {
    const char *id;
    apr_int64_t expires;
} extension;

/* A row of the other form is rewritten in the current one. */
static na_error *extend_row(void *data, na_db_use *use)
{
    const extension *e = data;
    const forms token = forms_of(use, e->id);
    na_db_session session;
    na_db_user user;
    int found = 0;
    for (int i = 0; i < 2 && !found; i++)
        NA_TRY(na_db_get_session_and_user(use, token.form[i], &session, &user, &found));
    return found ? na_db_update_session(use, session.token, token.form[0], e->expires * 1000)
                 : na_error_new(na_db_pool(use), NA_ERR_SESSION, "unknown session ID");
}

na_error *na_table_extend(na_db *db, apr_pool_t *pool, const char *id, apr_int64_t expires)
{
    extension e = {id, expires};
    return na_db_transact(db, pool, extend_row, &e);
}

static int is_of_key(apr_pool_t *pool, const char *token, const na_store_key *key)
{
    const char *hash = is_hash(token) ? token : hash_of_id(pool, token);
    return strcmp(hash, hash_of_key(pool, key)) == 0;
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
        if ((!r->key || is_of_key(na_db_pool(use), token, r->key)) &&
            !(r->but && is_of_key(na_db_pool(use), token, r->but)))
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
