/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas: names of tables and columns, and statements in each dialect of SQL. */
#ifndef NA_SQL_SCHEMA_H
#define NA_SQL_SCHEMA_H

#include "base/error.h"

typedef enum na_sql_engine { NA_POSTGRESQL, NA_MYSQL, NA_SQLITE, NA_ENGINES } na_sql_engine;

/*
 * The tables of @auth/pg-adapter with numbers or UUIDs as IDs, of the Prisma adapter's default
 * schema, of next-auth v4 projects that map Prisma's names to snake_case, of the Drizzle adapter's
 * default schema, or with names from a file (names_file.h).
 */
typedef struct na_schema na_schema;

/* Reads a schema's name, or "names:" and the path of a file. The schema lives in the pool. */
na_error *na_schema_open(apr_pool_t *pool, const char *setting, const na_schema **schema);

const char *na_schema_name(const na_schema *schema);

/*
 * Returns 1 if the database generates IDs, as whole numbers; 0 if they are text that this module
 * generates.
 */
int na_schema_makes_ids(const na_schema *schema);

/* Returns 1 if users' IDs are UUIDs, in PostgreSQL of the type uuid, otherwise text. */
int na_schema_has_uuids(const na_schema *schema);

/* Returns 1 if accounts and sessions are unique by their ID only, as in @auth/pg-adapter. */
int na_schema_numbers_rows(const na_schema *schema);

/* Returns 1 for the lower-case form that PostgreSQL writes (RFC 9562, section 4). */
int na_schema_is_uuid(const char *id);

/* Returns the schema's name for one of its tables, "users" … "authenticators". */
const char *na_schema_table(apr_pool_t *pool, const na_schema *schema, const char *word);

/* The statements. Arguments and columns are in the order that schema.c shows. */
typedef enum na_statement {
    NA_SQL_CREATE_USER,
    NA_SQL_USER,
    NA_SQL_USER_BY_EMAIL,
    NA_SQL_PERSON,
    NA_SQL_PERSON_BY_EMAIL,
    NA_SQL_PERSON_BY_ACCOUNT,
    NA_SQL_PERSON_BY_SESSION,
    NA_SQL_LIST_PEOPLE,
    NA_SQL_UPDATE_USER,
    NA_SQL_DELETE_USER,
    NA_SQL_DELETE_USER_ACCOUNTS,
    NA_SQL_DELETE_USER_SESSIONS,
    NA_SQL_DELETE_USER_AUTHENTICATORS,
    NA_SQL_CREATE_ACCOUNT,
    NA_SQL_ACCOUNT,
    NA_SQL_ACCOUNTS_OF_USER,
    NA_SQL_REPLACE_REFRESH_TOKEN,
    NA_SQL_REPLACE_ACCESS_TOKEN,
    NA_SQL_REPLACE_ID_TOKEN,
    NA_SQL_DELETE_ACCOUNT,
    NA_SQL_CREATE_SESSION,
    NA_SQL_SESSIONS_OF_USER,
    NA_SQL_SESSION,
    NA_SQL_UPDATE_SESSION,
    NA_SQL_DELETE_SESSION,
    NA_SQL_DELETE_EXPIRED_SESSIONS,
    NA_SQL_CREATE_TOKEN,
    NA_SQL_TOKEN,
    NA_SQL_DELETE_TOKEN,
    NA_SQL_DELETE_TOKENS_FOR,
    NA_SQL_NEWEST_TOKENS,
    NA_SQL_DELETE_TOKENS_TO,
    NA_SQL_DELETE_EXPIRED_TOKENS,
    NA_SQL_CREATE_AUTHENTICATOR,
    NA_SQL_AUTHENTICATOR,
    NA_SQL_AUTHENTICATORS_OF_USER,
    NA_SQL_UPDATE_COUNTER,
    NA_SQL_DELETE_AUTHENTICATOR,
    NA_SQL_CREATE_SECRET,
    NA_SQL_SECRET,
    NA_SQL_SECRETS_OF_USER,
    NA_SQL_SECRETS_OF_KIND,
    NA_SQL_SPEND_SECRET,
    NA_SQL_USE_SECRET,
    NA_SQL_DELETE_SECRET,
    NA_SQL_DELETE_SECRETS_OF_KIND,
    NA_SQL_DELETE_USER_SECRETS,
    NA_SQL_DELETE_EXPIRED_SECRETS,
    NA_SQL_ROLE,
    NA_SQL_GRANT_ROLE,
    NA_SQL_REVOKE_ROLE,
    NA_SQL_DELETE_USER_ROLES,
    NA_SQL_HASH,
    NA_SQL_PUT_CREDENTIAL,
    NA_SQL_REPLACE_CREDENTIAL,
    NA_SQL_DELETE_CREDENTIAL,
    NA_SQL_DISABLE_USER,
    NA_SQL_REVISION,
    NA_SQL_HOLD_REVISION,
    NA_SQL_RAISE_REVISION,
    NA_SQL_STORE_GET,
    NA_SQL_STORE_ADD,
    NA_SQL_STORE_REPLACE,
    NA_SQL_STORE_SWAP,
    NA_SQL_STORE_PAGE,
    NA_SQL_STORE_EXPIRE,
    NA_SQL_STORE_PURGE,
    NA_SQL_ADD_AUDIT,
    NA_SQL_AUDIT_OF_USER,
    NA_SQL_PUT_GENERATION,
    NA_SQL_CREATE_ID,
    NA_SQL_STATEMENTS
} na_statement;

/* Returns the statement's text for an engine, in the pool; %s for each argument, as in apr_dbd. */
const char *na_schema_statement(apr_pool_t *pool, const na_schema *schema, na_sql_engine engine,
                                na_statement statement);

/* Returns text with the {names} of tables and columns inserted, as in schema.c: for definitions. */
const char *na_schema_text(apr_pool_t *pool, const na_schema *schema, na_sql_engine engine,
                           const char *text);

/*
 * Convert a time to the text of the schema's columns (NULL for 0), and back (0 if NULL or invalid).
 */
const char *na_schema_time(apr_pool_t *pool, const na_schema *schema, na_sql_engine engine,
                           apr_int64_t milliseconds);
apr_int64_t na_schema_read_time(const char *text);

#endif
