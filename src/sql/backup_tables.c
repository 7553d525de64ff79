/* SPDX-License-Identifier: Apache-2.0 */
/* The tables and columns of a backup. */
#include "sql/backup_tables.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/text.h"

const na_backup_table na_backup_tables[] = {
    {.name = "users",
     .text = "{users}",
     .key = {"id"},
     .has_times = 1,
     .columns = {{"id", NA_COLUMN_ID, 0},
                 {"name", NA_COLUMN_TEXT, 1},
                 {"email", NA_COLUMN_TEXT, 1},
                 {"emailVerified", NA_COLUMN_TIME, 1},
                 {"image", NA_COLUMN_TEXT, 1}}},
    {.name = "accounts",
     .text = "{accounts}",
     .key = {"provider", "providerAccountId"},
     .has_row_id = 1,
     .has_times = 1,
     .columns = {{"userId", NA_COLUMN_ID, 0},
                 {"type", NA_COLUMN_TEXT, 0},
                 {"provider", NA_COLUMN_TEXT, 0},
                 {"providerAccountId", NA_COLUMN_TEXT, 0},
                 {"refresh_token", NA_COLUMN_TEXT, 1},
                 {"access_token", NA_COLUMN_TEXT, 1},
                 {"expires_at", NA_COLUMN_INT, 1},
                 {"token_type", NA_COLUMN_TEXT, 1},
                 {"scope", NA_COLUMN_TEXT, 1},
                 {"id_token", NA_COLUMN_TEXT, 1},
                 {"session_state", NA_COLUMN_TEXT, 1}}},
    {.name = "sessions",
     .text = "{sessions}",
     .ends = 1,
     .key = {"sessionToken"},
     .has_row_id = 1,
     .has_times = 1,
     .columns = {{"sessionToken", NA_COLUMN_TEXT, 0},
                 {"userId", NA_COLUMN_ID, 0},
                 {"expires", NA_COLUMN_TIME, 0}}},
    {.name = "verificationTokens",
     .ends = 1,
     .text = "{tokens}",
     .key = {"identifier", "token"},
     .columns = {{"identifier", NA_COLUMN_TEXT, 0},
                 {"token", NA_COLUMN_TEXT, 0},
                 {"expires", NA_COLUMN_TIME, 0}}},
    {.name = "authenticators",
     .text = "{authenticators}",
     .key = {"credentialID"},
     .is_optional = 1,
     .columns = {{"credentialID", NA_COLUMN_TEXT, 0},
                 {"userId", NA_COLUMN_ID, 0},
                 {"providerAccountId", NA_COLUMN_TEXT, 0},
                 {"credentialPublicKey", NA_COLUMN_TEXT, 0},
                 {"counter", NA_COLUMN_INT, 0},
                 {"credentialDeviceType", NA_COLUMN_TEXT, 0},
                 {"credentialBackedUp", NA_COLUMN_BOOL, 0},
                 {"transports", NA_COLUMN_TEXT, 1}}},
    {.name = "roles",
     .text = "{nextauth_roles}",
     .key = {"user_id", "role"},
     .is_optional = 1,
     .columns = {{"user_id", NA_COLUMN_ID_TEXT, 0}, {"role", NA_COLUMN_TEXT, 0}}},
    {.name = "credentials",
     .text = "{nextauth_credentials}",
     .key = {"user_id"},
     .is_optional = 1,
     .columns = {{"user_id", NA_COLUMN_ID_TEXT, 0},
                 {"password_hash", NA_COLUMN_TEXT, 1},
                 {"changed_at", NA_COLUMN_INT, 0},
                 {"disabled", NA_COLUMN_INT, 0}}},
    {.name = "revisions",
     .text = "{nextauth_revisions}",
     .key = {"user_id"},
     .is_optional = 1,
     .columns = {{"user_id", NA_COLUMN_ID_TEXT, 0}, {"revision", NA_COLUMN_INT, 0}}},
    {.name = "store",
     .text = "{nextauth_store}",
     .key = {"store_key"},
     .is_optional = 1,
     .ends = 1,
     .columns = {{"store_key", NA_COLUMN_TEXT, 0},
                 {"value", NA_COLUMN_TEXT, 0},
                 {"expires", NA_COLUMN_INT, 0}}},
};

/* ── tables of a database ──────────────────────────────────────────────────────────────────── */

const char *na_backup_statement(apr_pool_t *pool, const char *what, const na_backup_table *table)
{
    return apr_psprintf(pool, "%s_%d", what, (int)(table - na_backup_tables));
}

static const char *table_text(na_db_use *use, const na_backup_table *table)
{
    return na_schema_text(na_sql_pool(use), na_sql_schema_of(use), na_sql_engine_of(use),
                          table->text);
}

static const char *unquoted(apr_pool_t *pool, const char *name)
{
    return apr_pstrmemdup(pool, name + 1, strlen(name) - 2);
}

na_error *na_backup_find(na_db_use *use, const na_backup_table *table, int *found)
{
    apr_pool_t *pool = na_sql_pool(use);
    const char *name = unquoted(pool, table_text(use, table));
    NA_TRY(na_sql_has_table(use, name, found));
    return *found || table->is_optional
               ? NULL
               : na_error_new(pool, NA_ERR_CONFIGURATION,
                              "table %s does not exist: check that schema=%s is correct and that "
                              "the database was migrated",
                              name, na_schema_name(na_sql_schema_of(use)));
}

na_error *na_backup_count(na_db_use *use, const na_backup_table *table, apr_int64_t *count)
{
    apr_pool_t *pool = na_sql_pool(use);
    na_rows rows;
    NA_TRY(
        na_sql_select_text(use, na_backup_statement(pool, "count", table),
                           apr_pstrcat(pool, "SELECT count(*) FROM ", table_text(use, table), NULL),
                           0, NULL, &rows));
    const char *number = rows.count ? na_rows_value(&rows, 0, 0) : NULL;
    *count = number ? strtoll(number, NULL, 10) : 0;
    return NULL;
}

/* ── the checksum ──────────────────────────────────────────────────────────────────────────── */

static apr_status_t free_digest(void *digest)
{
    EVP_MD_CTX_free(digest);
    return APR_SUCCESS;
}

EVP_MD_CTX *na_backup_digest(apr_pool_t *pool)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    if (!digest || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1)
        abort();
    apr_pool_cleanup_register(pool, digest, free_digest, apr_pool_cleanup_null);
    return digest;
}

const char *na_backup_digest_text(apr_pool_t *pool, EVP_MD_CTX *digest)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    EVP_DigestFinal_ex(digest, bytes, &len);
    return na_hex(pool, bytes, len);
}
