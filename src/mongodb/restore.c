/* SPDX-License-Identifier: Apache-2.0 */
/* Restoring collections from rows of a backup. */
#include "mongodb/restore.h"

#include <string.h>

#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "base/text.h"
#include "mongodb/collection.h"
#include "mongodb/errors.h"
#include "mongodb/lock.h"
#include "mongodb/access.h"
#include "mongodb/tables.h"
#include "mongodb/users.h"
#include "mongodb/value.h"

/*
 * A transaction is too short for a restore. Rows are therefore inserted into new collections beside
 * the old ones, with the same indexes. At the end, each takes the place of the old one in one
 * operation; an error before that leaves the database as it was.
 */
#define STAGED_PREFIX "nextauth_restore_"

/* Users last: until then, a missing user has no rights. */
static const na_collection order[] = {NA_OWN_USERS,      NA_ACCOUNTS, NA_SESSIONS, NA_TOKENS,
                                      NA_AUTHENTICATORS, NA_SECRETS,  NA_STORE,    NA_USERS};

#define ORDER ((int)(sizeof order / sizeof *order))

na_error *na_mongo_begin_restore(void *self, apr_pool_t *pool, na_db_use **use)
{
    NA_TRY(na_mongo_write(self, pool, use));
    na_error *error = na_mongo_lock(*use, "restore");
    return error ? na_mongo_end(*use, error) : NULL;
}

/* ── new collections ───────────────────────────────────────────────────────────────────────── */

static const char *staged_name(const na_db_use *use, na_collection where)
{
    return apr_pstrcat(use->home, STAGED_PREFIX, use->settings->collections[where], NULL);
}

static mongoc_collection_t *open_staged(na_db_use *use, na_collection where)
{
    return mongoc_database_get_collection(use->database, staged_name(use, where));
}

static na_error *run(na_db_use *use, bson_t *command, const char *what)
{
    bson_error_t error;
    return mongoc_database_command_simple(use->database, na_mongo_own(use, command), NULL, NULL,
                                          &error)
               ? NULL
               : na_mongo_failed(use, &error, NULL, what);
}

static na_error *drop(na_db_use *use, const char *name)
{
    bson_error_t error;
    mongoc_collection_t *collection = mongoc_database_get_collection(use->database, name);
    int done = mongoc_collection_drop_with_opts(collection, NULL, &error) || error.code == 26;
    mongoc_collection_destroy(collection);
    return done ? NULL : na_mongo_failed(use, &error, NULL, "could not drop a collection");
}

/* Appends an index as createIndexes takes it: without what the server adds to its description. */
static void append_index(bson_t *list, const bson_t *index)
{
    char buffer[16];
    const char *key;
    bson_t copy;
    bson_uint32_to_string(bson_count_keys(list), &key, buffer, sizeof buffer);
    BSON_APPEND_DOCUMENT_BEGIN(list, key, &copy);
    bson_copy_to_excluding_noinit(index, &copy, "v", "ns", NULL);
    bson_append_document_end(list, &copy);
}

static int is_of_ids(const bson_t *index)
{
    bson_iter_t at;
    return bson_iter_init_find(&at, index, "name") && BSON_ITER_HOLDS_UTF8(&at) &&
           strcmp(bson_iter_utf8(&at, NULL), "_id_") == 0;
}

static na_error *list_indexes(na_db_use *use, na_collection where, bson_t *list)
{
    const bson_t *index;
    bson_error_t error;
    mongoc_collection_t *collection =
        mongoc_database_get_collection(use->database, use->settings->collections[where]);
    mongoc_cursor_t *indexes = mongoc_collection_find_indexes_with_opts(collection, NULL);
    while (mongoc_cursor_next(indexes, &index))
        if (!is_of_ids(index))
            append_index(list, index);
    na_error *failed = mongoc_cursor_error(indexes, &error)
                           ? na_mongo_failed(use, &error, NULL, "could not list indexes")
                           : NULL;
    mongoc_cursor_destroy(indexes);
    mongoc_collection_destroy(collection);
    return failed;
}

/* An application's own indexes are copied, too. */
static na_error *copy_indexes(na_db_use *use, na_collection where)
{
    bson_t *list = na_mongo_own(use, bson_new());
    NA_TRY(list_indexes(use, where, list));
    return bson_empty(list) ? NULL
                            : run(use,
                                  BCON_NEW("createIndexes", BCON_UTF8(staged_name(use, where)),
                                           "indexes", BCON_ARRAY(list)),
                                  "could not copy indexes");
}

/* Makes the new collection, once. */
static na_error *stage(na_db_use *use, na_collection where)
{
    if (use->staged & (1u << where))
        return NULL;
    NA_TRY(drop(use, staged_name(use, where))); /* of a restore that died */
    use->staged |= 1u << where;
    NA_TRY(run(use, BCON_NEW("create", BCON_UTF8(staged_name(use, where))),
               "could not create a collection"));
    return copy_indexes(use, where);
}

na_error *na_mongo_empty_table(na_db_use *use, apr_pool_t *pool, na_db_table table)
{
    use->pool = pool;
    return stage(use, na_mongo_collection_of(table));
}

/* ── documents from rows: each appends to a bulk operation ─────────────────────────────────── */

static void append_text(bson_t *document, const char *field, const na_db_value *value)
{
    if (value->is_null)
        BSON_APPEND_NULL(document, field);
    else
        BSON_APPEND_UTF8(document, field, value->text);
}

static void append_given(bson_t *document, const char *field, const na_db_value *value)
{
    if (!value->is_null)
        BSON_APPEND_UTF8(document, field, value->text);
}

static void append_date(bson_t *document, const char *field, const na_db_value *value)
{
    if (value->is_null)
        BSON_APPEND_NULL(document, field);
    else
        BSON_APPEND_DATE_TIME(document, field, value->number);
}

/* IDs were accepted before (accepts_id). */
static void append_id(bson_t *document, const char *field, const na_db_value *value)
{
    bson_oid_t oid;
    if (!value->is_null && na_oid_parse(value->text, &oid))
        BSON_APPEND_OID(document, field, &oid);
}

static void append_new_id(bson_t *document)
{
    bson_oid_t oid;
    na_mongo_new_id(&oid);
    BSON_APPEND_OID(document, "_id", &oid);
}

static void fill_user(bson_t *d, na_db_row row)
{
    append_id(d, "_id", &row[0]);
    append_text(d, "name", &row[1]);
    append_text(d, "email", &row[2]);
    append_date(d, "emailVerified", &row[3]);
    append_text(d, "image", &row[4]);
}

static void fill_account(bson_t *d, na_db_row row)
{
    append_new_id(d);
    append_id(d, "userId", &row[0]);
    append_given(d, "type", &row[1]);
    append_given(d, "provider", &row[2]);
    append_given(d, "providerAccountId", &row[3]);
    append_given(d, "refresh_token", &row[4]);
    append_given(d, "access_token", &row[5]);
    if (!row[6].is_null)
        BSON_APPEND_INT64(d, "expires_at", row[6].number);
    append_given(d, "token_type", &row[7]);
    append_given(d, "scope", &row[8]);
    append_given(d, "id_token", &row[9]);
    append_given(d, "session_state", &row[10]);
}

static void fill_session(bson_t *d, na_db_row row)
{
    append_new_id(d);
    append_given(d, "sessionToken", &row[0]);
    append_id(d, "userId", &row[1]);
    append_date(d, "expires", &row[2]);
}

static void fill_token(bson_t *d, na_db_row row)
{
    append_new_id(d);
    append_given(d, "identifier", &row[0]);
    append_given(d, "token", &row[1]);
    append_date(d, "expires", &row[2]);
}

static void fill_authenticator(bson_t *d, na_db_row row)
{
    append_new_id(d);
    append_given(d, "credentialID", &row[0]);
    append_id(d, "userId", &row[1]);
    append_given(d, "providerAccountId", &row[2]);
    append_given(d, "credentialPublicKey", &row[3]);
    BSON_APPEND_INT64(d, "counter", row[4].number);
    append_given(d, "credentialDeviceType", &row[5]);
    BSON_APPEND_BOOL(d, "credentialBackedUp", row[6].number != 0);
    append_given(d, "transports", &row[7]);
}

/* 0 is the time of what never was. */
static void append_given_date(bson_t *document, const char *field, const na_db_value *value)
{
    if (value->number)
        BSON_APPEND_DATE_TIME(document, field, value->number);
}

static void fill_secret(bson_t *d, na_db_row row)
{
    append_given(d, "_id", &row[0]);
    append_id(d, "userId", &row[1]);
    append_given(d, "kind", &row[2]);
    append_given(d, "name", &row[3]);
    append_given(d, "sealed", &row[4]);
    append_given(d, "scope", &row[5]);
    BSON_APPEND_INT64(d, "counter", row[6].number);
    append_given_date(d, "createdAt", &row[7]);
    append_given_date(d, "usedAt", &row[8]);
    append_given_date(d, "expires", &row[9]);
}

static void fill_entry(bson_t *d, na_db_row row)
{
    unsigned char value[NA_TEXT_MAX];
    apr_size_t len = 0;
    append_given(d, "_id", &row[0]);
    if (!row[1].is_null && strlen(row[1].text) <= sizeof value)
        na_base64url_decode_to(value, &len, row[1].text, strlen(row[1].text));
    BSON_APPEND_BINARY(d, "value", BSON_SUBTYPE_BINARY, value, (uint32_t)len);
    append_date(d, "expires", &row[2]);
}

/* The rest are updates of the user's document of this module. */
static void fill_role(bson_t *update, na_db_row row)
{
    bson_t add;
    BSON_APPEND_DOCUMENT_BEGIN(update, "$addToSet", &add);
    append_given(&add, "roles", &row[1]);
    bson_append_document_end(update, &add);
}

static void fill_credential(bson_t *update, na_db_row row)
{
    bson_t set;
    BSON_APPEND_DOCUMENT_BEGIN(update, "$set", &set);
    append_text(&set, "hash", &row[1]);
    append_date(&set, "changedAt", &row[2]);
    BSON_APPEND_BOOL(&set, "disabled", row[3].number != 0);
    bson_append_document_end(update, &set);
}

static void fill_revision(bson_t *update, na_db_row row)
{
    bson_t set;
    BSON_APPEND_DOCUMENT_BEGIN(update, "$set", &set);
    BSON_APPEND_INT64(&set, "revision", row[1].number);
    bson_append_document_end(update, &set);
}

typedef void filler(bson_t *document, na_db_row row);

static filler *const fillers[NA_TABLES] = {[NA_TABLE_USERS] = fill_user,
                                           [NA_TABLE_ACCOUNTS] = fill_account,
                                           [NA_TABLE_SESSIONS] = fill_session,
                                           [NA_TABLE_TOKENS] = fill_token,
                                           [NA_TABLE_AUTHENTICATORS] = fill_authenticator,
                                           [NA_TABLE_ROLES] = fill_role,
                                           [NA_TABLE_CREDENTIALS] = fill_credential,
                                           [NA_TABLE_REVISIONS] = fill_revision,
                                           [NA_TABLE_SECRETS] = fill_secret,
                                           [NA_TABLE_STORE] = fill_entry};

static int append_row(mongoc_bulk_operation_t *bulk, na_db_table table, na_db_row row)
{
    bson_t document = BSON_INITIALIZER, who = BSON_INITIALIZER, upsert = BSON_INITIALIZER;
    bson_error_t error;
    fillers[table](&document, row);
    append_id(&who, "_id", &row[0]);
    BSON_APPEND_BOOL(&upsert, "upsert", true);
    int done =
        na_mongo_collection_of(table) == NA_OWN_USERS
            ? mongoc_bulk_operation_update_one_with_opts(bulk, &who, &document, &upsert, &error)
            : mongoc_bulk_operation_insert_with_opts(bulk, &document, NULL, &error);
    bson_destroy(&document);
    bson_destroy(&who);
    bson_destroy(&upsert);
    return done;
}

/* A bulk stops at the first row that is refused, and its reply says which. */
static int execute(mongoc_bulk_operation_t *bulk, int *refused, bson_error_t *error)
{
    bson_t reply;
    bson_iter_t iter, index;
    int done = mongoc_bulk_operation_execute(bulk, &reply, error) != 0;
    if (!done && bson_iter_init(&iter, &reply) &&
        bson_iter_find_descendant(&iter, "writeErrors.0.index", &index) &&
        BSON_ITER_HOLDS_INT32(&index))
        *refused = bson_iter_int32(&index);
    bson_destroy(&reply);
    return done;
}

static int insert_all(mongoc_collection_t *collection, na_db_table table,
                      const apr_array_header_t *rows, int *refused, bson_error_t *error)
{
    mongoc_bulk_operation_t *bulk =
        mongoc_collection_create_bulk_operation_with_opts(collection, NULL);
    int done = 1;
    for (int i = 0; done && i < rows->nelts; i++) {
        *refused = i;
        done = append_row(bulk, table, APR_ARRAY_IDX(rows, i, na_db_row));
    }
    done = done && execute(bulk, refused, error);
    mongoc_bulk_operation_destroy(bulk);
    return done;
}

na_error *na_mongo_insert_rows(na_db_use *use, apr_pool_t *pool, na_db_table table,
                               const apr_array_header_t *rows, int *refused)
{
    bson_error_t error = {0};
    na_collection where = na_mongo_collection_of(table);
    use->pool = pool;
    NA_TRY(stage(use, where));
    if (!rows->nelts)
        return NULL;
    mongoc_collection_t *collection = open_staged(use, where);
    int done = insert_all(collection, table, rows, refused, &error);
    mongoc_collection_destroy(collection);
    return done ? NULL : na_mongo_failed(use, &error, NULL, "a row was refused");
}

/* ── what the rows must not have ───────────────────────────────────────────────────────────── */

typedef struct emails {
    apr_hash_t *seen; /* by address in lower case */
    const char *shared;
} emails;

static void see_email(apr_pool_t *pool, emails *e, const bson_t *document)
{
    const char *email = na_value_text(pool, document, "email");
    if (!email || e->shared)
        return;
    char *folded = apr_pstrdup(pool, email);
    for (char *at = folded; *at; at++)
        *at = (char)apr_tolower(*at);
    if (apr_hash_get(e->seen, folded, APR_HASH_KEY_STRING))
        e->shared = email;
    apr_hash_set(e->seen, folded, APR_HASH_KEY_STRING, "");
}

na_error *na_mongo_find_shared_email(na_db_use *use, apr_pool_t *pool, const char **email)
{
    const bson_t *document;
    bson_error_t error;
    emails e = {apr_hash_make(pool), NULL};
    use->pool = pool;
    NA_TRY(stage(use, NA_USERS));
    const bson_t *all = na_mongo_own(use, bson_new());
    const bson_t *only =
        na_mongo_own(use, BCON_NEW("projection", "{", "email", BCON_INT32(1), "}"));
    mongoc_collection_t *collection = open_staged(use, NA_USERS);
    mongoc_cursor_t *users = mongoc_collection_find_with_opts(collection, all, only, NULL);
    while (mongoc_cursor_next(users, &document))
        see_email(pool, &e, document);
    na_error *failed = mongoc_cursor_error(users, &error)
                           ? na_mongo_failed(use, &error, NULL, "could not read the users")
                           : NULL;
    mongoc_cursor_destroy(users);
    mongoc_collection_destroy(collection);
    *email = e.shared;
    return failed;
}

/* ObjectIds are never used twice, whatever was restored. */
na_error *na_mongo_write_ids(na_db_use *use, apr_pool_t *pool, const na_db_ids *ids)
{
    use->generation = ids->generation;
    return NULL;
}

/* ── the end ───────────────────────────────────────────────────────────────────────────────── */

static int rename_staged(na_db_use *use, na_collection where, int replaces, bson_error_t *error)
{
    mongoc_collection_t *collection = open_staged(use, where);
    int done = mongoc_collection_rename(collection, use->settings->database,
                                        use->settings->collections[where], replaces, error);
    mongoc_collection_destroy(collection);
    return done;
}

/* A server that cannot replace a collection in one operation needs two. */
static na_error *take_place(na_db_use *use, na_collection where)
{
    bson_error_t error;
    if (rename_staged(use, where, 1, &error))
        return NULL;
    na_error *failed = na_mongo_failed(use, &error, NULL, "could not replace a collection");
    if (!na_error_is(failed, NA_ERR_CONFIGURATION))
        return failed;
    NA_TRY(drop(use, use->settings->collections[where]));
    return rename_staged(use, where, 0, &error)
               ? NULL
               : na_mongo_failed(use, &error, NULL, "could not replace a collection");
}

/* The generation first, so that no earlier session matches a restored user. */
static na_error *take_places(na_db_use *use)
{
    if (use->generation)
        NA_TRY(na_mongo_put_generation(use, use->generation));
    for (int i = 0; i < ORDER; i++)
        if (use->staged & (1u << order[i]))
            NA_TRY(take_place(use, order[i]));
    return NULL;
}

static void drop_staged(na_db_use *use)
{
    for (int i = 0; i < ORDER; i++)
        if (use->staged & (1u << order[i]))
            drop(use, staged_name(use, order[i]));
}

na_error *na_mongo_end_restore(na_db_use *use, na_error *error)
{
    use->pool = use->home;
    if (use->staged && !error)
        error = take_places(use);
    if (error)
        drop_staged(use);
    return na_mongo_end(use, error);
}
