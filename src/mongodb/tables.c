/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of backups, from documents. */
#include "mongodb/tables.h"

#include <apr_strings.h>

#include "base/text.h"
#include "mongodb/collection.h"
#include "mongodb/errors.h"
#include "mongodb/access.h"
#include "mongodb/value.h"

/* Documents that are read at once. */
#define PAGE 200

na_collection na_mongo_collection_of(na_db_table table)
{
    static const na_collection collections[NA_TABLES] = {
        [NA_TABLE_USERS] = NA_USERS,         [NA_TABLE_ACCOUNTS] = NA_ACCOUNTS,
        [NA_TABLE_SESSIONS] = NA_SESSIONS,   [NA_TABLE_TOKENS] = NA_TOKENS,
        [NA_TABLE_ROLES] = NA_OWN_USERS,     [NA_TABLE_AUTHENTICATORS] = NA_AUTHENTICATORS,
        [NA_TABLE_REVISIONS] = NA_OWN_USERS, [NA_TABLE_CREDENTIALS] = NA_OWN_USERS,
        [NA_TABLE_SECRETS] = NA_SECRETS,     [NA_TABLE_STORE] = NA_STORE};
    return collections[table];
}

/* ── a snapshot ────────────────────────────────────────────────────────────────────────────── */

/*
 * Servers with transactions show this use one moment of the database. Elsewhere, a document that is
 * changed meanwhile is there as it was before or after.
 */
na_error *na_mongo_begin_backup(void *self, apr_pool_t *pool, na_db_use **use)
{
    bson_error_t error;
    NA_TRY(na_mongo_read_current(self, pool, use));
    if (!(*use)->has_transactions)
        return NULL;
    mongoc_session_opt_t *options = mongoc_session_opts_new();
    mongoc_session_opts_set_causal_consistency(options, false);
    mongoc_session_opts_set_snapshot(options, true);
    (*use)->session = mongoc_client_start_session((*use)->client, options, &error);
    mongoc_session_opts_destroy(options);
    return (*use)->session
               ? NULL
               : na_mongo_end(*use, na_mongo_failed(*use, &error, NULL, "could not begin"));
}

/* Collections need not exist: an empty one is the same as none. */
na_error *na_mongo_has_table(na_db_use *use, apr_pool_t *pool, na_db_table table, int *found)
{
    *found = 1;
    return NULL;
}

na_error *na_mongo_count_rows(na_db_use *use, apr_pool_t *pool, na_db_table table,
                              apr_int64_t *count)
{
    use->pool = pool;
    return na_mongo_count(use, na_mongo_collection_of(table), count);
}

na_error *na_mongo_read_ids(na_db_use *use, apr_pool_t *pool, na_db_ids *ids)
{
    use->pool = pool;
    *ids = (na_db_ids){0};
    return na_mongo_get_generation(use, &ids->generation);
}

/* ── rows: the values of each table, in the order of its columns ───────────────────────────── */

static na_db_value text(apr_pool_t *pool, const bson_t *document, const char *field)
{
    const char *value = na_value_text(pool, document, field);
    return (na_db_value){.is_null = !value, .text = value};
}

static na_db_value id(apr_pool_t *pool, const bson_t *document, const char *field)
{
    const char *value = na_value_oid(pool, document, field);
    return (na_db_value){.is_null = !value, .text = value};
}

static na_db_value date(const bson_t *document, const char *field)
{
    apr_int64_t value = na_value_time(document, field);
    return (na_db_value){.is_null = !value, .number = value};
}

static na_db_value number(apr_int64_t value)
{
    return (na_db_value){.number = value};
}

static na_db_value optional_number(const bson_t *document, const char *field)
{
    apr_int64_t value = na_value_number(document, field);
    return (na_db_value){.is_null = !value, .number = value};
}

typedef struct reading {
    apr_pool_t *pool;
    na_db_table table;
    apr_array_header_t *rows; /* na_db_row */
} reading;

static void add_values(const reading *r, const na_db_value *values, size_t size)
{
    APR_ARRAY_PUSH(r->rows, na_db_row) = apr_pmemdup(r->pool, values, size);
}

static void add_user(const reading *r, const bson_t *d)
{
    const na_db_value row[] = {id(r->pool, d, "_id"), text(r->pool, d, "name"),
                               text(r->pool, d, "email"), date(d, "emailVerified"),
                               text(r->pool, d, "image")};
    if (!row[0].is_null)
        add_values(r, row, sizeof row);
}

static void add_account(const reading *r, const bson_t *d)
{
    const na_db_value row[] = {
        id(r->pool, d, "userId"),          text(r->pool, d, "type"),
        text(r->pool, d, "provider"),      text(r->pool, d, "providerAccountId"),
        text(r->pool, d, "refresh_token"), text(r->pool, d, "access_token"),
        optional_number(d, "expires_at"),  text(r->pool, d, "token_type"),
        text(r->pool, d, "scope"),         text(r->pool, d, "id_token"),
        text(r->pool, d, "session_state")};
    if (!row[0].is_null && !row[1].is_null && !row[2].is_null && !row[3].is_null)
        add_values(r, row, sizeof row);
}

static void add_session(const reading *r, const bson_t *d)
{
    const na_db_value row[] = {text(r->pool, d, "sessionToken"), id(r->pool, d, "userId"),
                               date(d, "expires")};
    if (!row[0].is_null && !row[1].is_null && !row[2].is_null)
        add_values(r, row, sizeof row);
}

static void add_token(const reading *r, const bson_t *d)
{
    const na_db_value row[] = {text(r->pool, d, "identifier"), text(r->pool, d, "token"),
                               date(d, "expires")};
    if (!row[0].is_null && !row[1].is_null && !row[2].is_null)
        add_values(r, row, sizeof row);
}

static void add_authenticator(const reading *r, const bson_t *d)
{
    const na_db_value row[] = {text(r->pool, d, "credentialID"),
                               id(r->pool, d, "userId"),
                               text(r->pool, d, "providerAccountId"),
                               text(r->pool, d, "credentialPublicKey"),
                               number(na_value_number(d, "counter")),
                               text(r->pool, d, "credentialDeviceType"),
                               number(na_value_is_set(d, "credentialBackedUp")),
                               text(r->pool, d, "transports")};
    if (!row[0].is_null && !row[1].is_null && !row[2].is_null && !row[3].is_null && !row[5].is_null)
        add_values(r, row, sizeof row);
}

static void add_roles(const reading *r, const bson_t *d)
{
    apr_array_header_t *roles = apr_array_make(r->pool, 4, sizeof(const char *));
    na_value_texts(r->pool, d, "roles", roles);
    for (int i = 0; i < roles->nelts; i++) {
        const na_db_value row[] = {id(r->pool, d, "_id"),
                                   {.text = APR_ARRAY_IDX(roles, i, const char *)}};
        add_values(r, row, sizeof row);
    }
}

static void add_credential(const reading *r, const bson_t *d)
{
    const na_db_value row[] = {id(r->pool, d, "_id"), text(r->pool, d, "hash"),
                               number(na_value_time(d, "changedAt")),
                               number(na_value_is_set(d, "disabled"))};
    if (!row[1].is_null || row[2].number || row[3].number)
        add_values(r, row, sizeof row);
}

static void add_revision(const reading *r, const bson_t *d)
{
    const na_db_value row[] = {id(r->pool, d, "_id"), optional_number(d, "revision")};
    if (!row[1].is_null)
        add_values(r, row, sizeof row);
}

static void add_secret(const reading *r, const bson_t *d)
{
    const na_db_value row[] = {text(r->pool, d, "_id"),
                               id(r->pool, d, "userId"),
                               text(r->pool, d, "kind"),
                               text(r->pool, d, "name"),
                               text(r->pool, d, "sealed"),
                               text(r->pool, d, "scope"),
                               number(na_value_number(d, "counter")),
                               number(na_value_time(d, "createdAt")),
                               number(na_value_time(d, "usedAt")),
                               number(na_value_time(d, "expires"))};
    if (!row[0].is_null && !row[1].is_null && !row[2].is_null)
        add_values(r, row, sizeof row);
}

static void add_entry(const reading *r, const bson_t *d)
{
    size_t len;
    const unsigned char *value = na_value_binary(d, "value", &len);
    const na_db_value row[] = {text(r->pool, d, "_id"),
                               {.text = value ? na_base64url_encode(r->pool, value, len) : NULL},
                               number(na_value_time(d, "expires"))};
    if (!row[0].is_null && value)
        add_values(r, row, sizeof row);
}

typedef void row_adder(const reading *r, const bson_t *document);

/* Documents without a value that every row has are no rows. */
static void add_rows(const reading *r, const bson_t *document)
{
    static row_adder *const adders[NA_TABLES] = {[NA_TABLE_USERS] = add_user,
                                                 [NA_TABLE_ACCOUNTS] = add_account,
                                                 [NA_TABLE_SESSIONS] = add_session,
                                                 [NA_TABLE_TOKENS] = add_token,
                                                 [NA_TABLE_AUTHENTICATORS] = add_authenticator,
                                                 [NA_TABLE_ROLES] = add_roles,
                                                 [NA_TABLE_CREDENTIALS] = add_credential,
                                                 [NA_TABLE_REVISIONS] = add_revision,
                                                 [NA_TABLE_SECRETS] = add_secret,
                                                 [NA_TABLE_STORE] = add_entry};
    adders[r->table](r, document);
}

/* ── pages ─────────────────────────────────────────────────────────────────────────────────── */

void na_mongo_rows_of(apr_pool_t *pool, na_db_table table, const bson_t *document,
                      apr_array_header_t *rows)
{
    add_rows(&(reading){pool, table, rows}, document);
}

static na_error *take_document(void *data, na_db_use *use, const bson_t *document)
{
    add_rows(data, document);
    return NULL;
}

/* A cursor of the server stays open from page to page. */
na_error *na_mongo_read_rows(na_db_use *use, apr_pool_t *pool, na_db_table table,
                             const void **cursor, apr_array_header_t *rows)
{
    reading r = {pool, table, rows};
    int is_more;
    use->pool = pool;
    if (!*cursor)
        na_mongo_open_scan(use, na_mongo_collection_of(table));
    NA_TRY(na_mongo_scan(use, na_mongo_collection_of(table), PAGE, take_document, &r, &is_more));
    *cursor = is_more ? use : NULL;
    return NULL;
}
