/* SPDX-License-Identifier: Apache-2.0 */
/* The statements of each migration. */
#include "sql/migrations.h"

#include <stddef.h>

/*
 * {#key}: text that can be a key. {#text}: any text. {#int}: 64 bits. {#time}, {#bool}. {#serial}:
 * a primary key that the database generates. {#id}: a reference to a user. {#random}: a generation.
 */

static const char *const own_tables[] = {
    "CREATE TABLE nextauth_store (store_key {#key} NOT NULL PRIMARY KEY, value {#text} NOT NULL, "
    "expires {#int} NOT NULL)",
    "CREATE INDEX nextauth_store_expires ON nextauth_store (expires)",
    "CREATE TABLE nextauth_roles (user_id {#key} NOT NULL, role {#key} NOT NULL, PRIMARY KEY "
    "(user_id, role))",
    "CREATE TABLE nextauth_credentials (user_id {#key} NOT NULL PRIMARY KEY, password_hash "
    "{#text}, "
    "changed_at {#int} NOT NULL DEFAULT 0, disabled {#int} NOT NULL DEFAULT 0)",
    NULL};

/*
 * MySQL commits each definition separately, so a second attempt must accept what a failed one left.
 */
static const char *const own_tables_mysql[] = {
    "CREATE TABLE IF NOT EXISTS nextauth_store (store_key {#key} NOT NULL PRIMARY KEY, value "
    "{#text} NOT NULL, expires {#int} NOT NULL, INDEX (expires))",
    "CREATE TABLE IF NOT EXISTS nextauth_roles (user_id {#key} NOT NULL, role {#key} NOT NULL, "
    "PRIMARY KEY (user_id, role))",
    "CREATE TABLE IF NOT EXISTS nextauth_credentials (user_id {#key} NOT NULL PRIMARY KEY, "
    "password_hash {#text}, changed_at {#int} NOT NULL DEFAULT 0, disabled {#int} NOT NULL DEFAULT "
    "0)",
    NULL};

static const char *const drop_own_tables[] = {"DROP TABLE IF EXISTS nextauth_credentials",
                                              "DROP TABLE IF EXISTS nextauth_roles",
                                              "DROP TABLE IF EXISTS nextauth_store", NULL};

/* The same in every engine. */
#define CREATE_TOKENS                                                                              \
    "CREATE TABLE IF NOT EXISTS {tokens} ({identifier} {#key} NOT NULL, {expires} {#time} NOT "    \
    "NULL, {token} {#key} NOT NULL, PRIMARY KEY ({identifier}, {token}))"
#define CREATE_AUTHENTICATORS                                                                      \
    "CREATE TABLE IF NOT EXISTS {authenticators} ({credentialID} {#key} NOT NULL PRIMARY KEY, "    \
    "{userId} {#id} NOT NULL, {providerAccountId} {#key} NOT NULL, {credentialPublicKey} {#text} " \
    "NOT NULL, {counter} {#int} NOT NULL, {credentialDeviceType} {#key} NOT NULL, "                \
    "{credentialBackedUp} {#bool} NOT NULL, {transports} {#text})"

/* If @auth/pg-adapter's tables exist already, they are not changed. */
static const char *const authjs_tables[] = {
    "CREATE TABLE IF NOT EXISTS {users} ({id} {#serial}, {name} {#key}, {email} {#key} UNIQUE, "
    "{emailVerified} {#time}, {image} {#text})",
    "CREATE TABLE IF NOT EXISTS {accounts} ({id} {#serial}, {userId} {#id} NOT NULL, {type} {#key} "
    "NOT NULL, {provider} {#key} NOT NULL, {providerAccountId} {#key} NOT NULL, {refresh_token} "
    "{#text}, {access_token} {#text}, {expires_at} {#int}, {id_token} {#text}, {scope} {#text}, "
    "{session_state} {#text}, {token_type} {#text}, UNIQUE ({provider}, {providerAccountId}))",
    "CREATE TABLE IF NOT EXISTS {sessions} ({id} {#serial}, {userId} {#id} NOT NULL, {expires} "
    "{#time} NOT NULL, {sessionToken} {#key} NOT NULL UNIQUE)",
    CREATE_TOKENS,
    CREATE_AUTHENTICATORS,
    "CREATE INDEX IF NOT EXISTS nextauth_users_email ON {users} (lower({email}))",
    "CREATE INDEX IF NOT EXISTS nextauth_accounts_user ON {accounts} ({userId})",
    "CREATE INDEX IF NOT EXISTS nextauth_accounts_account ON {accounts} ({provider}, "
    "{providerAccountId})",
    "CREATE INDEX IF NOT EXISTS nextauth_sessions_token ON {sessions} ({sessionToken})",
    "CREATE INDEX IF NOT EXISTS nextauth_sessions_user ON {sessions} ({userId})",
    NULL};

/* MySQL has no IF NOT EXISTS for indexes, and creates those of UNIQUE itself. */
static const char *const authjs_tables_mysql[] = {
    "CREATE TABLE IF NOT EXISTS {users} ({id} {#serial}, {name} {#key}, {email} {#key} UNIQUE, "
    "{emailVerified} {#time}, {image} {#text})",
    "CREATE TABLE IF NOT EXISTS {accounts} ({id} {#serial}, {userId} {#id} NOT NULL, {type} {#key} "
    "NOT NULL, {provider} {#key} NOT NULL, {providerAccountId} {#key} NOT NULL, {refresh_token} "
    "{#text}, {access_token} {#text}, {expires_at} {#int}, {id_token} {#text}, {scope} {#text}, "
    "{session_state} {#text}, {token_type} {#text}, UNIQUE ({provider}, {providerAccountId}), "
    "INDEX ({userId}))",
    "CREATE TABLE IF NOT EXISTS {sessions} ({id} {#serial}, {userId} {#id} NOT NULL, {expires} "
    "{#time} NOT NULL, {sessionToken} {#key} NOT NULL UNIQUE, INDEX ({userId}))",
    CREATE_TOKENS,
    CREATE_AUTHENTICATORS,
    NULL};

/* Taking the step back keeps the tables: they contain users' data and might have existed before. */
static const char *const nothing[] = {NULL};

/* The writer generates the IDs, so that INSERT on the table is the only permission it needs. */
static const char *const audit_table[] = {
    "CREATE TABLE nextauth_audit (id {#key} NOT NULL PRIMARY KEY, occurred_at {#int} NOT NULL, "
    "event {#key} NOT NULL, outcome {#key} NOT NULL, reason {#text}, user_id {#key}, email "
    "{#text}, "
    "provider {#key}, actor {#key}, detail {#text}, address {#key}, user_agent {#text}, request_id "
    "{#key})",
    "CREATE INDEX nextauth_audit_time ON nextauth_audit (occurred_at)",
    "CREATE INDEX nextauth_audit_user ON nextauth_audit (user_id)", NULL};

static const char *const audit_table_mysql[] = {
    "CREATE TABLE IF NOT EXISTS nextauth_audit (id {#key} NOT NULL PRIMARY KEY, occurred_at {#int} "
    "NOT NULL, event {#key} NOT NULL, outcome {#key} NOT NULL, reason {#text}, user_id {#key}, "
    "email {#text}, provider {#key}, actor {#key}, detail {#text}, address {#key}, user_agent "
    "{#text}, request_id {#key}, INDEX (occurred_at), INDEX (user_id))",
    NULL};

static const char *const drop_audit_table[] = {"DROP TABLE IF EXISTS nextauth_audit", NULL};

/* Distinguishes a recreated database from its predecessor, whose sessions might still be in use. */
static const char *const generation_table[] = {
    "CREATE TABLE nextauth_generation (id {#int} NOT NULL PRIMARY KEY, generation {#int} NOT NULL)",
    "INSERT INTO nextauth_generation (id, generation) VALUES (1, {#random})", NULL};

static const char *const generation_table_mysql[] = {
    "CREATE TABLE IF NOT EXISTS nextauth_generation (id {#int} NOT NULL PRIMARY KEY, generation "
    "{#int} NOT NULL)",
    "INSERT IGNORE INTO nextauth_generation (id, generation) VALUES (1, {#random})", NULL};

static const char *const drop_generation_table[] = {"DROP TABLE IF EXISTS nextauth_generation",
                                                    NULL};

/*
 * A separate table, because MySQL cannot rerun a statement that adds a column. If the table existed
 * before, sessions that it ended must not become valid again: no session has a revision of the new
 * generation.
 */
static const char *const revisions_table[] = {
    "CREATE TABLE nextauth_revisions (user_id {#key} NOT NULL PRIMARY KEY, revision {#int} NOT "
    "NULL)",
    "UPDATE nextauth_generation SET generation = {#random}", NULL};

static const char *const revisions_table_mysql[] = {
    "CREATE TABLE IF NOT EXISTS nextauth_revisions (user_id {#key} NOT NULL PRIMARY KEY, revision "
    "{#int} NOT NULL)",
    "UPDATE nextauth_generation SET generation = {#random}", NULL};

static const char *const drop_revisions_table[] = {"DROP TABLE IF EXISTS nextauth_revisions", NULL};

/*
 * Expired rows are deleted every five minutes, which otherwise reads the whole table, and locks all
 * of its rows in MySQL.
 */
static const char *const expiry_indexes[] = {
    "CREATE INDEX IF NOT EXISTS nextauth_sessions_expires ON {sessions} ({expires})",
    "CREATE INDEX IF NOT EXISTS nextauth_tokens_expires ON {tokens} ({expires})", NULL};

static const char *const drop_expiry_indexes[] = {"DROP INDEX IF EXISTS nextauth_tokens_expires",
                                                  "DROP INDEX IF EXISTS nextauth_sessions_expires",
                                                  NULL};

/* MySQL has no IF for indexes: a statement that depends on whether `table` has the index. */
#define MYSQL_IF_INDEX(table, index, if_missing, if_there)                                         \
    "SELECT IF(COUNT(*) = 0, '" if_missing "', '" if_there "') INTO @nextauth FROM "               \
    "information_schema.statistics WHERE table_schema = DATABASE() AND table_name = '" table       \
    "' AND index_name = '" index "'",                                                              \
        "PREPARE nextauth FROM @nextauth", "EXECUTE nextauth", "DEALLOCATE PREPARE nextauth"
#define MYSQL_ADD_INDEX(table, index, column)                                                      \
    MYSQL_IF_INDEX(table, index, "CREATE INDEX " index " ON " table " (" column ")", "DO 0")
#define MYSQL_DROP_INDEX(table, index)                                                             \
    MYSQL_IF_INDEX(table, index, "DO 0", "DROP INDEX " index " ON " table)

static const char *const expiry_indexes_mysql[] = {
    MYSQL_ADD_INDEX("sessions", "nextauth_sessions_expires", "expires"),
    MYSQL_ADD_INDEX("verification_token", "nextauth_tokens_expires", "expires"), NULL};

static const char *const drop_expiry_indexes_mysql[] = {
    MYSQL_DROP_INDEX("verification_token", "nextauth_tokens_expires"),
    MYSQL_DROP_INDEX("sessions", "nextauth_sessions_expires"), NULL};

/* Text that is not a key, so that MySQL's limit for the bytes of a row is not approached. */
#define SECRETS                                                                                    \
    "nextauth_secrets (id {#key} NOT NULL PRIMARY KEY, user_id {#key} NOT NULL, kind {#key} NOT "  \
    "NULL, name {#text}, sealed {#text}, scope {#text}, counter {#int} NOT NULL, created_at "      \
    "{#int} NOT NULL, used_at {#int} NOT NULL, expires_at {#int} NOT NULL"

static const char *const secrets_table[] = {
    "CREATE TABLE " SECRETS ")",
    "CREATE INDEX nextauth_secrets_user ON nextauth_secrets (user_id, kind)",
    "CREATE INDEX nextauth_secrets_expires ON nextauth_secrets (expires_at)", NULL};

static const char *const secrets_table_mysql[] = {"CREATE TABLE IF NOT EXISTS " SECRETS
                                                  ", INDEX (user_id, kind), INDEX (expires_at))",
                                                  NULL};

static const char *const drop_secrets_table[] = {"DROP TABLE IF EXISTS nextauth_secrets", NULL};

const na_migration na_migrations[] = {
    {1, "tables of this module", NULL, own_tables, own_tables_mysql, drop_own_tables, NULL},
    {2, "tables of Auth.js, if they do not exist", "authjs", authjs_tables, authjs_tables_mysql,
     nothing, NULL},
    {3, "the audit log's table", NULL, audit_table, audit_table_mysql, drop_audit_table, NULL},
    {4, "the generation of user IDs", NULL, generation_table, generation_table_mysql,
     drop_generation_table, NULL},
    {5, "revisions, with which users' sessions end", NULL, revisions_table, revisions_table_mysql,
     drop_revisions_table, NULL},
    {6, "indexes on the expiry of sessions and tokens", "authjs", expiry_indexes,
     expiry_indexes_mysql, drop_expiry_indexes, drop_expiry_indexes_mysql},
    {7, "second factors, remembered browsers, and access tokens", NULL, secrets_table,
     secrets_table_mysql, drop_secrets_table, NULL}};

_Static_assert(sizeof na_migrations / sizeof *na_migrations == NA_MIGRATION_COUNT,
               "NA_MIGRATION_COUNT");
