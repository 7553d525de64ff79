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

static forms forms_of(const na_db *db, apr_pool_t *pool, const char *id)
{
    const char *hash = hash_of_id(pool, id);
    return na_db_protects(db) ? (forms){{hash, id}} : (forms){{id, hash}};
}

/* ── rows ──────────────────────────────────────────────────────────────────────────────────── */

/* A replica that lacks one form (NA_ERR_BUSY) can have the other. */
static na_error *find_row(const na_db *db, apr_pool_t *pool, const char *id, int role_column,
                          na_db_session *session, na_db_person *person, int *found)
{
    const forms token = forms_of(db, pool, id);
    na_error *first =
        na_db_find_session(db, pool, token.form[0], role_column, session, person, found);
    if (*found || (first && !na_error_is(first, NA_ERR_BUSY)))
        return first;
    na_error *second =
        na_db_find_session(db, pool, token.form[1], role_column, session, person, found);
    return *found || !first ? second : first;
}

na_error *na_table_find(const na_db *db, apr_pool_t *pool, const char *id, int role_column,
                        apr_time_t now, na_table_row *row)
{
    na_db_session session;
    na_db_person person;
    int found = 0;
    NA_TRY(find_row(db, pool, id, role_column, &session, &person, &found));
    if (!found)
        return na_error_new(pool, NA_ERR_SESSION, "unknown session ID");
    *row = (na_table_row){person.user, session.expires / 1000, person.roles};
    if (row->expires <= apr_time_sec(now))
        return na_error_new(pool, NA_ERR_SESSION, "the session has expired");
    return person.credential.disabled
               ? na_error_new(pool, NA_ERR_SESSION, "the session's user is disabled")
               : NULL;
}

/* The revision is checked with it, so that the user cannot be changed between. */
na_error *na_table_add(const na_db *db, apr_pool_t *pool, const char *id, const char *user_id,
                       apr_int64_t revision, apr_int64_t expires)
{
    const na_db_session session = {forms_of(db, pool, id).form[0], user_id, expires * 1000};
    na_decision decision = {.user_id = user_id, .revision = &revision, .session = &session};
    NA_TRY(na_db_decide(db, pool, &decision));
    return decision.held ? NULL
                         : na_error_new(pool, NA_ERR_ACCESS_DENIED,
                                        "the user's sessions were ended while this one began");
}

/* A row of the other form is rewritten in the current one. */
na_error *na_table_extend(const na_db *db, apr_pool_t *pool, const char *id, apr_int64_t expires)
{
    const forms token = forms_of(db, pool, id);
    int found = 0;
    for (int i = 0; i < 2 && !found; i++)
        NA_TRY(
            na_db_update_session(db, pool, token.form[i], token.form[0], expires * 1000, &found));
    return found ? NULL : na_error_new(pool, NA_ERR_SESSION, "unknown session ID");
}

static int is_of_key(apr_pool_t *pool, const char *token, const na_store_key *key)
{
    const char *hash = is_hash(token) ? token : hash_of_id(pool, token);
    return strcmp(hash, hash_of_key(pool, key)) == 0;
}

na_error *na_table_remove(const na_db *db, apr_pool_t *pool, const char *user_id,
                          const na_store_key *key, const na_store_key *but)
{
    apr_array_header_t *sessions = apr_array_make(pool, 8, sizeof(na_db_session));
    NA_TRY(na_db_list_sessions(db, pool, user_id, sessions));
    for (int i = 0; i < sessions->nelts; i++) {
        const char *token = APR_ARRAY_IDX(sessions, i, na_db_session).token;
        if ((!key || is_of_key(pool, token, key)) && !(but && is_of_key(pool, token, but)))
            NA_TRY(na_db_delete_session(db, pool, token));
    }
    return NULL;
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
