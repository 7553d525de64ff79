/* SPDX-License-Identifier: Apache-2.0 */
/* The tables and columns of a backup. */
#include "db/backup_tables.h"

#include <stdlib.h>

#include "base/text.h"

const na_backup_table na_backup_tables[NA_TABLES] = {
    [NA_TABLE_USERS] = {.name = "users",
                        .columns = {{"id", NA_COLUMN_ID, 0},
                                    {"name", NA_COLUMN_TEXT, 1},
                                    {"email", NA_COLUMN_TEXT, 1},
                                    {"emailVerified", NA_COLUMN_TIME, 1},
                                    {"image", NA_COLUMN_TEXT, 1}}},
    [NA_TABLE_ACCOUNTS] = {.name = "accounts",
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
    [NA_TABLE_SESSIONS] = {.name = "sessions",
                           .ends = 1,
                           .columns = {{"sessionToken", NA_COLUMN_TEXT, 0},
                                       {"userId", NA_COLUMN_ID, 0},
                                       {"expires", NA_COLUMN_TIME, 0}}},
    [NA_TABLE_TOKENS] = {.name = "verificationTokens",
                         .ends = 1,
                         .columns = {{"identifier", NA_COLUMN_TEXT, 0},
                                     {"token", NA_COLUMN_TEXT, 0},
                                     {"expires", NA_COLUMN_TIME, 0}}},
    [NA_TABLE_AUTHENTICATORS] = {.name = "authenticators",
                                 .is_optional = 1,
                                 .columns = {{"credentialID", NA_COLUMN_TEXT, 0},
                                             {"userId", NA_COLUMN_ID, 0},
                                             {"providerAccountId", NA_COLUMN_TEXT, 0},
                                             {"credentialPublicKey", NA_COLUMN_TEXT, 0},
                                             {"counter", NA_COLUMN_INT, 0},
                                             {"credentialDeviceType", NA_COLUMN_TEXT, 0},
                                             {"credentialBackedUp", NA_COLUMN_BOOL, 0},
                                             {"transports", NA_COLUMN_TEXT, 1}}},
    [NA_TABLE_ROLES] = {.name = "roles",
                        .is_optional = 1,
                        .columns = {{"user_id", NA_COLUMN_ID_TEXT, 0},
                                    {"role", NA_COLUMN_TEXT, 0}}},
    [NA_TABLE_CREDENTIALS] = {.name = "credentials",
                              .is_optional = 1,
                              .columns = {{"user_id", NA_COLUMN_ID_TEXT, 0},
                                          {"password_hash", NA_COLUMN_TEXT, 1},
                                          {"changed_at", NA_COLUMN_INT, 0},
                                          {"disabled", NA_COLUMN_INT, 0}}},
    [NA_TABLE_REVISIONS] = {.name = "revisions",
                            .is_optional = 1,
                            .columns = {{"user_id", NA_COLUMN_ID_TEXT, 0},
                                        {"revision", NA_COLUMN_INT, 0}}},
    [NA_TABLE_SECRETS] = {.name = "secrets",
                          .is_optional = 1,
                          .columns = {{"id", NA_COLUMN_TEXT, 0},
                                      {"user_id", NA_COLUMN_ID_TEXT, 0},
                                      {"kind", NA_COLUMN_TEXT, 0},
                                      {"name", NA_COLUMN_TEXT, 1},
                                      {"sealed", NA_COLUMN_TEXT, 1},
                                      {"scope", NA_COLUMN_TEXT, 1},
                                      {"counter", NA_COLUMN_INT, 0},
                                      {"created_at", NA_COLUMN_INT, 0},
                                      {"used_at", NA_COLUMN_INT, 0},
                                      {"expires_at", NA_COLUMN_INT, 0}}},
    [NA_TABLE_STORE] = {.name = "store",
                        .is_optional = 1,
                        .ends = 1,
                        .columns = {{"store_key", NA_COLUMN_TEXT, 0},
                                    {"value", NA_COLUMN_TEXT, 0},
                                    {"expires", NA_COLUMN_INT, 0}}},
};

int na_backup_columns(na_db_table table)
{
    int count = 0;
    while (na_backup_tables[table].columns[count].name)
        count++;
    return count;
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
