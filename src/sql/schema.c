/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas: names of tables and columns, and statements in each dialect of SQL. */
#include "sql/schema.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "sql/names_file.h"

/* Which accounts and sessions have a text ID of their own, without a default. */
typedef enum row_ids { NO_ROW_IDS, ROW_IDS, ROW_IDS_BUT_IN_POSTGRESQL } row_ids;

struct na_schema {
    const char *name;
    int column;    /* column of `names` */
    int makes_ids; /* users' IDs are numbers that the database generates */
    int has_uuids; /* users' IDs are UUIDs, in PostgreSQL of the type uuid */
    int has_times; /* createdAt and updatedAt, the latter without a default */
    int is_plain;  /* times are without time zone, and numbers in SQLite */
    row_ids row_ids;
    const apr_table_t *own; /* names by "users" or "users.email", which take precedence, or NULL */
};

enum { AUTHJS, PRISMA, SNAKE, DRIZZLE, COLUMNS };

static const na_schema schemas[] = {{"authjs", AUTHJS, 1, 0, 0, 0, NO_ROW_IDS, NULL},
                                    {"authjs-uuid", AUTHJS, 0, 1, 0, 0, NO_ROW_IDS, NULL},
                                    {"prisma", PRISMA, 0, 0, 1, 1, ROW_IDS_BUT_IN_POSTGRESQL, NULL},
                                    {"prisma-without-times", PRISMA, 0, 0, 0, 1,
                                     ROW_IDS_BUT_IN_POSTGRESQL, NULL},
                                    {"snake", SNAKE, 0, 0, 0, 1, ROW_IDS, NULL},
                                    {"drizzle", DRIZZLE, 0, 0, 0, 1, NO_ROW_IDS, NULL}};

static const struct {
    const char *word;
    const char *names[COLUMNS];
} names[] = {
    {"users", {"users", "User", "users", "user"}},
    {"accounts", {"accounts", "Account", "accounts", "account"}},
    {"sessions", {"sessions", "Session", "sessions", "session"}},
    {"tokens",
     {"verification_token", "VerificationToken", "verificationtokens", "verificationToken"}},
    {"authenticators", {"authenticators", "Authenticator", "authenticators", "authenticator"}},
    {"userId", {[SNAKE] = "user_id"}},
    {"emailVerified", {[SNAKE] = "email_verified"}},
    {"providerAccountId", {[SNAKE] = "provider_account_id"}},
    {"sessionToken", {[SNAKE] = "session_token"}},
    {"credentialID", {[SNAKE] = "credential_id"}},
    {"credentialPublicKey", {[SNAKE] = "credential_public_key"}},
    {"credentialDeviceType", {[SNAKE] = "credential_device_type"}},
    {"credentialBackedUp", {[SNAKE] = "credential_backed_up"}},
};

/* Tables as statements name them, and as files of names do. */
static const struct {
    const char *word, *in_files;
} tables[] = {{"users", "users"},
              {"accounts", "accounts"},
              {"sessions", "sessions"},
              {"tokens", "verificationTokens"},
              {"authenticators", "authenticators"}};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const na_schema *find_schema(const char *name)
{
    for (size_t i = 0; i < COUNT(schemas); i++)
        if (strcmp(schemas[i].name, name) == 0)
            return &schemas[i];
    return NULL;
}

/* Returns the names of all schemas, separated by commas. */
static const char *schema_names(apr_pool_t *pool)
{
    const char *list = schemas[0].name;
    for (size_t i = 1; i < COUNT(schemas); i++)
        list = apr_pstrcat(pool, list, ", ", schemas[i].name, NULL);
    return list;
}

const char *na_schema_name(const na_schema *schema)
{
    return schema->name;
}

int na_schema_makes_ids(const na_schema *schema)
{
    return schema->makes_ids;
}

int na_schema_has_uuids(const na_schema *schema)
{
    return schema->has_uuids;
}

int na_schema_numbers_rows(const na_schema *schema)
{
    return schema->column == AUTHJS;
}

int na_schema_is_uuid(const char *id)
{
    size_t len = strlen(id);
    for (size_t i = 0; i < len; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? id[i] != '-'
                                                    : !strchr("0123456789abcdef", id[i]))
            return 0;
    return len == 36;
}

/* ── names ─────────────────────────────────────────────────────────────────────────────────── */

/* Returns the number of a table; -1 if the word is not a table. */
static int table_of(const char *word)
{
    for (size_t i = 0; i < COUNT(tables); i++)
        if (strcmp(tables[i].word, word) == 0)
            return (int)i;
    return -1;
}

/* Returns what a file of names says of a table, or of its column if it is not NULL. */
static const char *own_name(apr_pool_t *pool, const na_schema *schema, int table,
                            const char *column)
{
    if (!schema->own || table < 0)
        return NULL;
    const char *name = tables[table].in_files;
    return apr_table_get(schema->own, column ? apr_pstrcat(pool, name, ".", column, NULL) : name);
}

static const char *common_name(const na_schema *schema, const char *word)
{
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(names[i].word, word) == 0 && names[i].names[schema->column])
            return names[i].names[schema->column];
    return word;
}

/* `table` is that of a column; -1 if none. */
static const char *name_of(apr_pool_t *pool, const na_schema *schema, int table, const char *word)
{
    int is_table = table_of(word) >= 0;
    const char *own =
        own_name(pool, schema, is_table ? table_of(word) : table, is_table ? NULL : word);
    return own ? own : common_name(schema, word);
}

const char *na_schema_table(apr_pool_t *pool, const na_schema *schema, const char *word)
{
    return name_of(pool, schema, -1, word);
}

/* ── files of names ────────────────────────────────────────────────────────────────────────── */

static void take_types(na_schema *schema, const na_names_file *file)
{
    if (file->ids) {
        schema->makes_ids = strcmp(file->ids, "numbers") == 0;
        schema->has_uuids = strcmp(file->ids, "uuid") == 0;
        if (schema->makes_ids) /* which the database generates as well */
            schema->row_ids = NO_ROW_IDS;
    }
    if (file->times)
        schema->is_plain = strcmp(file->times, "plain") == 0;
}

/* Refuses two tables, or two columns of a table, with one name: MySQL and SQLite ignore case. */
static na_error *check_names(apr_pool_t *pool, const na_schema *schema, int table,
                             const char *const *words, const char *path)
{
    for (int i = 0; words[i]; i++)
        for (int other = 0; other < i; other++) {
            const char *name = name_of(pool, schema, table, words[i]);
            if (strcasecmp(name, name_of(pool, schema, table, words[other])) == 0)
                return na_error_new(pool, NA_ERR_CONFIGURATION,
                                    "'%s': %s and %s have the same name, %s", path, words[other],
                                    words[i], name);
        }
    return NULL;
}

static na_error *check_all_names(apr_pool_t *pool, const na_schema *schema, const char *path)
{
    const char *words[COUNT(tables) + 1] = {NULL};
    for (size_t i = 0; i < COUNT(tables); i++)
        words[i] = tables[i].word;
    NA_TRY(check_names(pool, schema, -1, words, path));
    for (size_t i = 0; i < COUNT(tables); i++)
        NA_TRY(check_names(pool, schema, (int)i, na_names_columns((int)i), path));
    return NULL;
}

na_error *na_schema_open(apr_pool_t *pool, const char *setting, const na_schema **schema)
{
    na_names_file file;
    const char *path = setting + strlen(NA_NAMES_FILE);
    *schema = find_schema(setting);
    if (*schema)
        return NULL;
    if (strncmp(setting, NA_NAMES_FILE, strlen(NA_NAMES_FILE)) != 0)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "unknown schema '%s': expected one of %s, " NA_NAMES_FILE "PATH",
                            setting, schema_names(pool));
    NA_TRY(na_names_file_read(pool, path, &file));
    const na_schema *base = find_schema(file.base ? file.base : "prisma");
    if (!base)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "line %d of '%s': unknown base '%s': expected one of %s",
                            file.base_line, path, file.base, schema_names(pool));
    na_schema *made = apr_pmemdup(pool, base, sizeof *made);
    made->name = apr_pstrdup(pool, setting);
    made->own = file.names;
    take_types(made, &file);
    *schema = made;
    return check_all_names(pool, made, path);
}

/* ── statements ────────────────────────────────────────────────────────────────────────────── */

/*
 * {name} is a table or column, quoted. {?id}, {?time}, {?int}, {?bool} are arguments of these
 * types, {?count} one of LIMIT, %s one of text. {@name} reads a time. {=name} compares a key with a
 * text argument, which MySQL requires twice. {'name} is a name as a string. {>c table}
 * joins this module's rows of user u. {+…} is included only if the schema needs it. Tables that
 * start with nextauth_ belong to this module and are the same in all schemas.
 */
#define USER "{id}, {name}, {email}, {@emailVerified}, {image}"
#define USER_OF(t) t ".{id}, " t ".{name}, " t ".{email}, {@" t ".emailVerified}, " t ".{image}"
/*
 * A user, with one role in each row. This module's tables have IDs of users as text. One statement,
 * so that all values are of one moment.
 */
#define PERSON                                                                                     \
    USER_OF("u")                                                                                   \
    ", c.password_hash, c.disabled, c.changed_at, coalesce(v.revision, 0) + " GENERATION ", "      \
    "r.role"
#define BELONGINGS "{>c nextauth_credentials}{>v nextauth_revisions}{>r nextauth_roles}"
#define ACCOUNT                                                                                    \
    "{userId}, {type}, {provider}, {providerAccountId}, {refresh_token}, {access_token}, "         \
    "{expires_at}, {token_type}, {scope}, {id_token}, {session_state}"
#define AUTHENTICATOR                                                                              \
    "{credentialID}, {userId}, {providerAccountId}, {credentialPublicKey}, {counter}, "            \
    "{credentialDeviceType}, {credentialBackedUp}, {transports}"

#define SECRET "id, user_id, kind, name, sealed, scope, counter, created_at, used_at, expires_at"

#define REPLACE_TOKEN(column)                                                                      \
    "UPDATE {accounts} SET {" column "} = %s{+set updated} WHERE {=provider} AND "                 \
    "{=providerAccountId} AND {=" column "}"

/* Added to a user's revision, so that it differs from every revision of another generation. */
#define GENERATION "coalesce((SELECT generation FROM nextauth_generation WHERE id = 1), 0)"

static const struct {
    const char *text;
    const char *mysql; /* NULL if the same */
} statements[] = {
    /* [id,] name, email, emailVerified, image */
    [NA_SQL_CREATE_USER] =
        {"INSERT INTO {users} ({+id}{name}, {email}, {emailVerified}, {image}{+updated}) VALUES "
         "({+?id}%s, %s, {?time}, %s{+?updated}){+returning}",
         NULL},
    [NA_SQL_USER] = {"SELECT " USER " FROM {users} WHERE {id} = {?id}", NULL},
    /* other programs can have written capitals; MySQL's comparison ignores case */
    [NA_SQL_USER_BY_EMAIL] = {"SELECT " USER
                              " FROM {users} WHERE lower({email}) = lower(%s) ORDER BY {id}",
                              "SELECT " USER " FROM {users} WHERE {email} = %s ORDER BY {id}"},
    /* provider, providerAccountId */
    [NA_SQL_PERSON] = {"SELECT " PERSON " FROM {users} u" BELONGINGS
                       " WHERE u.{id} = {?id} ORDER BY r.role",
                       NULL},
    /* the same as for one user's email address above */
    [NA_SQL_PERSON_BY_EMAIL] = {"SELECT " PERSON " FROM {users} u" BELONGINGS
                                " WHERE lower(u.{email}) = lower(%s) ORDER BY u.{id}, r.role",
                                "SELECT " PERSON " FROM {users} u" BELONGINGS
                                " WHERE u.{email} = %s ORDER BY u.{id}, r.role"},
    /* provider, providerAccountId */
    [NA_SQL_PERSON_BY_ACCOUNT] =
        {"SELECT " PERSON " FROM {users} u JOIN {accounts} a ON a.{userId} = u.{id}" BELONGINGS
         " WHERE {=a.provider} AND {=a.providerAccountId} ORDER BY u.{id}, r.role",
         NULL},
    [NA_SQL_PERSON_BY_SESSION] = {"SELECT " PERSON
                                  ", {@s.expires} FROM {users} u JOIN {sessions} s ON "
                                  "s.{userId} = u.{id}" BELONGINGS
                                  " WHERE {=s.sessionToken} ORDER BY r.role",
                                  NULL},
    /* last ID of the previous page, limit */
    [NA_SQL_LIST_PEOPLE] = {"SELECT " PERSON
                            " FROM (SELECT {id}, {name}, {email}, {emailVerified}, {image} FROM "
                            "{users} WHERE {id} > {?id} ORDER BY {id} LIMIT {?count}) u" BELONGINGS
                            " ORDER BY u.{id}, r.role",
                            NULL},
    /* name, email, emailVerified, image, id */
    [NA_SQL_UPDATE_USER] =
        {"UPDATE {users} SET {name} = %s, {email} = %s, {emailVerified} = {?time}, {image} = "
         "%s{+set updated} WHERE {id} = {?id}",
         NULL},
    [NA_SQL_DELETE_USER] = {"DELETE FROM {users} WHERE {id} = {?id}", NULL},
    [NA_SQL_DELETE_USER_ACCOUNTS] = {"DELETE FROM {accounts} WHERE {userId} = {?id}", NULL},
    [NA_SQL_DELETE_USER_SESSIONS] = {"DELETE FROM {sessions} WHERE {userId} = {?id}", NULL},
    [NA_SQL_DELETE_USER_AUTHENTICATORS] = {"DELETE FROM {authenticators} WHERE {userId} = {?id}",
                                           NULL},
    /* userId, type, provider, providerAccountId, refresh_token, access_token, expires_at,
       token_type, scope, id_token, session_state */
    [NA_SQL_CREATE_ACCOUNT] = {"INSERT INTO {accounts} ({+row id}" ACCOUNT
                               "{+updated}) VALUES ({+?row id}{?id}, %s, %s, "
                               "%s, %s, %s, {?int}, %s, %s, %s, %s{+?updated})",
                               NULL},
    [NA_SQL_ACCOUNT] = {"SELECT " ACCOUNT
                        " FROM {accounts} WHERE {=provider} AND {=providerAccountId}",
                        NULL},
    [NA_SQL_ACCOUNTS_OF_USER] = {"SELECT " ACCOUNT " FROM {accounts} WHERE {userId} = {?id} ORDER "
                                 "BY {provider}, {providerAccountId}",
                                 NULL},
    /* new token, provider, providerAccountId, the token that was read */
    [NA_SQL_REPLACE_REFRESH_TOKEN] = {REPLACE_TOKEN("refresh_token"), NULL},
    [NA_SQL_REPLACE_ACCESS_TOKEN] = {REPLACE_TOKEN("access_token"), NULL},
    [NA_SQL_REPLACE_ID_TOKEN] = {REPLACE_TOKEN("id_token"), NULL},
    [NA_SQL_DELETE_ACCOUNT] = {"DELETE FROM {accounts} WHERE {=provider} AND {=providerAccountId}",
                               NULL},
    /* sessionToken, userId, expires */
    [NA_SQL_CREATE_SESSION] =
        {"INSERT INTO {sessions} ({+row id}{sessionToken}, {userId}, {expires}{+updated}) VALUES "
         "({+?row id}%s, {?id}, {?time}{+?updated})",
         NULL},
    [NA_SQL_SESSIONS_OF_USER] = {"SELECT {sessionToken}, {@expires} FROM {sessions} WHERE {userId} "
                                 "= {?id}",
                                 NULL},
    [NA_SQL_SESSION] = {"SELECT {userId} FROM {sessions} WHERE {=sessionToken}", NULL},
    /* new sessionToken, expires, sessionToken */
    [NA_SQL_UPDATE_SESSION] = {"UPDATE {sessions} SET {sessionToken} = %s, {expires} = "
                               "{?time}{+set updated} WHERE {=sessionToken}",
                               NULL},
    [NA_SQL_DELETE_SESSION] = {"DELETE FROM {sessions} WHERE {=sessionToken}", NULL},
    [NA_SQL_DELETE_EXPIRED_SESSIONS] = {"DELETE FROM {sessions} WHERE {expires} < {?time}", NULL},
    /* identifier, token, expires */
    [NA_SQL_CREATE_TOKEN] =
        {"INSERT INTO {tokens} ({identifier}, {token}, {expires}) VALUES (%s, %s, {?time})", NULL},
    [NA_SQL_TOKEN] = {"SELECT {identifier}, {token}, {@expires} FROM {tokens} WHERE "
                      "{=identifier} AND {=token}",
                      NULL},
    [NA_SQL_DELETE_TOKENS_FOR] = {"DELETE FROM {tokens} WHERE {=identifier}", NULL},
    /* identifier, limit */
    [NA_SQL_NEWEST_TOKENS] = {"SELECT {@expires} FROM {tokens} WHERE {=identifier} ORDER BY "
                              "{expires} DESC LIMIT {?count}",
                              NULL},
    /* expires, identifier */
    [NA_SQL_DELETE_TOKENS_TO] =
        {"DELETE FROM {tokens} WHERE {expires} <= {?time} AND {=identifier}", NULL},
    [NA_SQL_DELETE_TOKEN] = {"DELETE FROM {tokens} WHERE {=identifier} AND {=token}", NULL},
    [NA_SQL_DELETE_EXPIRED_TOKENS] = {"DELETE FROM {tokens} WHERE {expires} < {?time}", NULL},
    [NA_SQL_CREATE_AUTHENTICATOR] = {"INSERT INTO {authenticators} (" AUTHENTICATOR
                                     ") VALUES (%s, {?id}, %s, %s, {?int}, %s, {?bool}, %s)",
                                     NULL},
    [NA_SQL_AUTHENTICATOR] = {"SELECT " AUTHENTICATOR
                              " FROM {authenticators} WHERE {=credentialID}",
                              NULL},
    [NA_SQL_AUTHENTICATORS_OF_USER] = {"SELECT " AUTHENTICATOR
                                       " FROM {authenticators} WHERE {userId} = {?id} ORDER BY "
                                       "{credentialID}",
                                       NULL},
    /* counter, credentialID */
    [NA_SQL_UPDATE_COUNTER] =
        {"UPDATE {authenticators} SET {counter} = {?int} WHERE {=credentialID}", NULL},
    /* userId, credentialID */
    [NA_SQL_DELETE_AUTHENTICATOR] =
        {"DELETE FROM {authenticators} WHERE {userId} = {?id} AND {=credentialID}", NULL},
    /* in the order of SECRET */
    [NA_SQL_CREATE_SECRET] = {"INSERT INTO nextauth_secrets (" SECRET
                              ") VALUES (%s, %s, %s, %s, %s, %s, {?int}, {?int}, {?int}, {?int})",
                              NULL},
    /* kind, id */
    [NA_SQL_SECRET] = {"SELECT " SECRET " FROM nextauth_secrets WHERE kind = %s AND id = %s", NULL},
    [NA_SQL_SECRETS_OF_USER] = {"SELECT " SECRET " FROM nextauth_secrets WHERE user_id = %s ORDER "
                                "BY created_at DESC, id",
                                NULL},
    /* user_id, kind */
    [NA_SQL_SECRETS_OF_KIND] = {"SELECT " SECRET " FROM nextauth_secrets WHERE user_id = %s AND "
                                "kind = %s ORDER BY created_at DESC, id",
                                NULL},
    /* counter, now, user_id, kind, id, counter, now */
    [NA_SQL_SPEND_SECRET] =
        {"UPDATE nextauth_secrets SET counter = {?int}, used_at = {?int} WHERE user_id = %s AND "
         "kind = %s AND id = %s AND counter < {?int} AND (expires_at = 0 OR expires_at > {?int})",
         NULL},
    /* now, kind, id */
    [NA_SQL_USE_SECRET] =
        {"UPDATE nextauth_secrets SET used_at = {?int} WHERE kind = %s AND id = %s", NULL},
    /* user_id, kind, id */
    [NA_SQL_DELETE_SECRET] =
        {"DELETE FROM nextauth_secrets WHERE user_id = %s AND kind = %s AND id = %s", NULL},
    [NA_SQL_DELETE_SECRETS_OF_KIND] =
        {"DELETE FROM nextauth_secrets WHERE user_id = %s AND kind = %s", NULL},
    [NA_SQL_DELETE_USER_SECRETS] = {"DELETE FROM nextauth_secrets WHERE user_id = %s", NULL},
    [NA_SQL_DELETE_EXPIRED_SECRETS] =
        {"DELETE FROM nextauth_secrets WHERE expires_at > 0 AND expires_at < {?int}", NULL},
    [NA_SQL_ROLE] = {"SELECT {role} FROM {users} WHERE {id} = {?id}", NULL},
    [NA_SQL_GRANT_ROLE] =
        {"INSERT INTO nextauth_roles (user_id, role) VALUES (%s, %s) ON CONFLICT DO NOTHING",
         "INSERT IGNORE INTO nextauth_roles (user_id, role) VALUES (%s, %s)"},
    [NA_SQL_REVOKE_ROLE] = {"DELETE FROM nextauth_roles WHERE user_id = %s AND role = %s", NULL},
    [NA_SQL_DELETE_USER_ROLES] = {"DELETE FROM nextauth_roles WHERE user_id = %s", NULL},
    [NA_SQL_HASH] = {"SELECT password_hash FROM nextauth_credentials WHERE user_id = %s", NULL},
    /* user_id, password_hash, changed_at */
    [NA_SQL_PUT_CREDENTIAL] =
        {"INSERT INTO nextauth_credentials (user_id, password_hash, changed_at) VALUES (%s, %s, "
         "{?int}) ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash, "
         "changed_at = excluded.changed_at",
         "INSERT INTO nextauth_credentials (user_id, password_hash, changed_at) VALUES (%s, %s, "
         "{?int}) ON DUPLICATE KEY UPDATE password_hash = VALUES(password_hash), changed_at = "
         "VALUES(changed_at)"},
    /* new hash, user_id, the hash that was checked */
    [NA_SQL_REPLACE_CREDENTIAL] =
        {"UPDATE nextauth_credentials SET password_hash = %s WHERE user_id = %s AND password_hash "
         "= %s",
         NULL},
    [NA_SQL_DELETE_CREDENTIAL] = {"DELETE FROM nextauth_credentials WHERE user_id = %s", NULL},
    /* user_id, disabled */
    [NA_SQL_DISABLE_USER] =
        {"INSERT INTO nextauth_credentials (user_id, disabled) VALUES (%s, {?int}) ON CONFLICT "
         "(user_id) DO UPDATE SET disabled = excluded.disabled",
         "INSERT INTO nextauth_credentials (user_id, disabled) VALUES (%s, {?int}) ON DUPLICATE "
         "KEY UPDATE disabled = VALUES(disabled)"},
    [NA_SQL_REVISION] =
        {"SELECT coalesce((SELECT revision FROM nextauth_revisions WHERE user_id = %s), 0) "
         "+ " GENERATION,
         NULL},
    /* user_id; creates the row if it is missing, and locks it until the transaction ends */
    [NA_SQL_HOLD_REVISION] =
        {"INSERT INTO nextauth_revisions (user_id, revision) VALUES (%s, 0) ON CONFLICT (user_id) "
         "DO UPDATE SET revision = nextauth_revisions.revision",
         "INSERT INTO nextauth_revisions (user_id, revision) VALUES (%s, 0) ON DUPLICATE KEY "
         "UPDATE revision = revision"},
    [NA_SQL_RAISE_REVISION] =
        {"INSERT INTO nextauth_revisions (user_id, revision) VALUES (%s, 1) ON CONFLICT (user_id) "
         "DO UPDATE SET revision = nextauth_revisions.revision + 1",
         "INSERT INTO nextauth_revisions (user_id, revision) VALUES (%s, 1) ON DUPLICATE KEY "
         "UPDATE revision = revision + 1"},
    /* three keys, now */
    [NA_SQL_STORE_GET] = {"SELECT store_key, value FROM nextauth_store WHERE store_key IN "
                          "(%s, %s, %s) AND expires > {?int}",
                          NULL},
    /* key, value, expires */
    [NA_SQL_STORE_ADD] = {"INSERT INTO nextauth_store (store_key, value, expires) VALUES (%s, %s, "
                          "{?int}) ON CONFLICT DO NOTHING",
                          "INSERT IGNORE INTO nextauth_store (store_key, value, expires) VALUES "
                          "(%s, %s, {?int})"},
    [NA_SQL_STORE_REPLACE] =
        {"INSERT INTO nextauth_store (store_key, value, expires) VALUES (%s, %s, {?int}) ON "
         "CONFLICT (store_key) DO UPDATE SET value = excluded.value, expires = excluded.expires",
         "REPLACE INTO nextauth_store (store_key, value, expires) VALUES (%s, %s, {?int})"},
    /* value, expires, key, expected, now */
    [NA_SQL_STORE_SWAP] =
        {"UPDATE nextauth_store SET value = %s, expires = {?int} WHERE store_key = %s AND value = "
         "%s AND expires > {?int}",
         NULL},
    /* last key of the previous page, first key after the kind, now, limit */
    [NA_SQL_STORE_PAGE] =
        {"SELECT store_key, value FROM nextauth_store WHERE store_key > %s AND store_key < %s AND "
         "expires > {?int} ORDER BY store_key LIMIT {?count}",
         NULL},
    /* key, now */
    [NA_SQL_STORE_EXPIRE] =
        {"DELETE FROM nextauth_store WHERE store_key = %s AND expires <= {?int}", NULL},
    [NA_SQL_STORE_PURGE] = {"DELETE FROM nextauth_store WHERE expires <= {?int}", NULL},
    [NA_SQL_PUT_GENERATION] =
        {"INSERT INTO nextauth_generation (id, generation) VALUES (1, {?int}) ON CONFLICT (id) DO "
         "UPDATE SET generation = excluded.generation",
         "REPLACE INTO nextauth_generation (id, generation) VALUES (1, {?int})"},
    [NA_SQL_CREATE_ID] = {"INSERT INTO {users} ({id}) VALUES ({?id})", NULL},
    /* id, occurred_at, event, outcome, reason, user_id, email, provider, actor, detail, address,
       user_agent, request_id */
    [NA_SQL_ADD_AUDIT] =
        {"INSERT INTO nextauth_audit (id, occurred_at, event, outcome, reason, user_id, email, "
         "provider, actor, detail, address, user_agent, request_id) VALUES (%s, {?int}, %s, %s, "
         "%s, "
         "%s, %s, %s, %s, %s, %s, %s, %s)",
         NULL},
    /* user_id, limit */
    [NA_SQL_AUDIT_OF_USER] =
        {"SELECT id, occurred_at, event, outcome, reason, user_id, email, provider, actor, detail, "
         "address, user_agent, request_id FROM nextauth_audit WHERE user_id = %s ORDER BY "
         "occurred_at DESC, id LIMIT {?count}",
         NULL},
};

/* ── inserting names and types ─────────────────────────────────────────────────────────────── */

/* Where words are inserted. */
typedef struct dialect {
    apr_pool_t *pool;
    const na_schema *schema;
    na_sql_engine engine;
    int table; /* to which columns without an alias belong; -1 if none */
} dialect;

/* Returns the table that statements call so: u.{id} is a user's. */
static int table_of_alias(char alias)
{
    static const char aliases[] = "uas"; /* in the order of `tables` */
    const char *at = strchr(aliases, alias);
    return at ? (int)(at - aliases) : -1;
}

static const char *plain_name(const dialect *d, const char *word)
{
    return name_of(d->pool, d->schema, d->table, word);
}

/* Quotes a name; "u.id" is a column of users. Names contain no quotes. */
static const char *quoted(const dialect *d, const char *word)
{
    const char *quote = d->engine == NA_MYSQL ? "`" : "\"";
    const char *dot = strchr(word, '.');
    const char *before = dot ? apr_pstrmemdup(d->pool, word, (apr_size_t)(dot + 1 - word)) : "";
    int table = dot ? table_of_alias(*word) : d->table;
    return apr_pstrcat(d->pool, before, quote,
                       name_of(d->pool, d->schema, table, dot ? dot + 1 : word), quote, NULL);
}

/* SQLite has no type for times: Prisma writes numbers, @auth's other adapters write text. */
static int has_numbers_for_times(const na_schema *schema, na_sql_engine engine)
{
    return engine == NA_SQLITE && schema->is_plain;
}

/* Only PostgreSQL has a type for UUIDs that text must be converted to. */
static int has_uuid_type(const dialect *d)
{
    return d->schema->has_uuids && d->engine == NA_POSTGRESQL;
}

static const char *argument(const dialect *d, const char *type)
{
    static const char *const whole[] = {"CAST(%s AS bigint)", "CAST(%s AS SIGNED)",
                                        "CAST(%s AS INTEGER)"};
    if (strcmp(type, "count") == 0 && d->engine == NA_MYSQL)
        return "%s"; /* MySQL's LIMIT accepts no expression */
    if (strcmp(type, "int") == 0 || strcmp(type, "count") == 0)
        return whole[d->engine];
    if (strcmp(type, "bool") == 0)
        return d->engine == NA_POSTGRESQL ? "CAST(CAST(%s AS integer) AS boolean)"
                                          : whole[d->engine];
    if (strcmp(type, "id") == 0 && has_uuid_type(d))
        return "CAST(%s AS uuid)";
    if (strcmp(type, "id") == 0 && !d->schema->makes_ids)
        return "%s";
    if (strcmp(type, "id") == 0)
        return d->engine == NA_POSTGRESQL ? "CAST(%s AS integer)" : whole[d->engine];
    if (d->engine == NA_POSTGRESQL)
        return d->schema->is_plain ? "CAST(%s AS timestamp)" : "CAST(%s AS timestamptz)";
    if (d->engine == NA_MYSQL)
        return "CAST(%s AS DATETIME(3))";
    return d->schema->is_plain ? whole[d->engine] : "%s";
}

/* Returns an expression for milliseconds since 1970, or for SQLite's value unchanged. */
static const char *read_time(const dialect *d, const char *word)
{
    const char *column = quoted(d, word);
    if (d->engine == NA_POSTGRESQL)
        return apr_pstrcat(d->pool, "CAST(EXTRACT(EPOCH FROM ", column, ") * 1000 AS bigint)",
                           NULL);
    if (d->engine == NA_MYSQL)
        return apr_pstrcat(d->pool, "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ", column,
                           ") DIV 1000", NULL);
    return column;
}

/*
 * MySQL's columns can ignore case, accents, and trailing blanks: the first comparison uses the
 * index, the second compares bytes.
 */
static const char *equals(const dialect *d, const char *word)
{
    const char *column = quoted(d, word);
    return d->engine == NA_MYSQL ? apr_pstrcat(d->pool, "(", column, " = %s AND CAST(", column,
                                               " AS BINARY) = %s)", NULL)
                                 : apr_pstrcat(d->pool, column, " = %s", NULL);
}

/*
 * Joins user u with the rows of a table that has user_id, if any: "c table" calls them c. Without
 * LATERAL and OFFSET, PostgreSQL reads the whole table for each page of users.
 */
static const char *join_own(const dialect *d, const char *word)
{
    const char *table = strchr(word, ' ') + 1;
    const char *alias = apr_pstrmemdup(d->pool, word, (apr_size_t)(table - word - 1));
    const char *id = quoted(d, "u.id");
    if (d->schema->makes_ids || d->schema->has_uuids)
        id = apr_pstrcat(d->pool, "CAST(", id, d->engine == NA_MYSQL ? " AS CHAR)" : " AS text)",
                         NULL);
    if (d->engine == NA_POSTGRESQL)
        return apr_pstrcat(d->pool, " LEFT JOIN LATERAL (SELECT * FROM ", table,
                           " WHERE user_id = ", id, " OFFSET 0) ", alias, " ON TRUE", NULL);
    return apr_pstrcat(d->pool, " LEFT JOIN ", table, " ", alias, " ON ", alias, ".user_id = ", id,
                       NULL);
}

static const char *now(const dialect *d)
{
    if (has_numbers_for_times(d->schema, d->engine))
        return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";
    return d->engine == NA_SQLITE ? "CURRENT_TIMESTAMP" : "CURRENT_TIMESTAMP(3)";
}

static const char *new_id(const dialect *d)
{
    static const char *const made[] = {"CAST(gen_random_uuid() AS text)", "UUID()",
                                       "lower(hex(randomblob(16)))"};
    return has_uuid_type(d) ? "gen_random_uuid()" : made[d->engine];
}

/* Returns 1 if the table has an optional column: as a file of names says, or else the schema. */
static int has_column(const dialect *d, const char *column, int otherwise)
{
    const char *own = own_name(d->pool, d->schema, d->table, column);
    return own ? strcmp(own, NA_NAMES_NONE) != 0 : otherwise;
}

static int has_row_ids(const dialect *d)
{
    row_ids which = d->schema->row_ids;
    return has_column(d, "id",
                      which == ROW_IDS ||
                          (which == ROW_IDS_BUT_IN_POSTGRESQL && d->engine != NA_POSTGRESQL));
}

static const char *optional(const dialect *d, const char *what)
{
    const na_schema *schema = d->schema;
    const char *updated = quoted(d, "updatedAt");
    const char *id = quoted(d, "id");
    if (strcmp(what, "returning") == 0)
        return schema->makes_ids && d->engine != NA_MYSQL
                   ? apr_pstrcat(d->pool, " RETURNING ", id, NULL)
                   : "";
    if (strcmp(what, "id") == 0)
        return schema->makes_ids ? "" : apr_pstrcat(d->pool, id, ", ", NULL);
    if (strcmp(what, "?id") == 0)
        return schema->makes_ids ? "" : has_uuid_type(d) ? "CAST(%s AS uuid), " : "%s, ";
    if (strcmp(what, "row id") == 0)
        return has_row_ids(d) ? apr_pstrcat(d->pool, id, ", ", NULL) : "";
    if (strcmp(what, "?row id") == 0)
        return has_row_ids(d) ? apr_pstrcat(d->pool, new_id(d), ", ", NULL) : "";
    if (!has_column(d, "updatedAt", schema->has_times))
        return "";
    if (strcmp(what, "updated") == 0)
        return apr_pstrcat(d->pool, ", ", updated, NULL);
    if (strcmp(what, "?updated") == 0)
        return apr_pstrcat(d->pool, ", ", now(d), NULL);
    return apr_pstrcat(d->pool, ", ", updated, " = ", now(d), NULL);
}

/*
 * Keys are bounded because MySQL and @auth/pg-adapter require it. MySQL's text is compared byte by
 * byte, as in the other engines, whatever the database's collation is.
 */
static const char *type_of(const dialect *d, const char *type)
{
    static const struct {
        const char *type;
        const char *of[NA_ENGINES];
    } types[] = {
        {"key", {"VARCHAR(255)", "VARCHAR(255) COLLATE utf8mb4_bin", "TEXT"}},
        {"text", {"TEXT", "MEDIUMTEXT COLLATE utf8mb4_bin", "TEXT"}},
        {"int", {"BIGINT", "BIGINT", "INTEGER"}},
        {"bool", {"BOOLEAN", "BOOLEAN", "INTEGER"}},
        {"id", {"INTEGER", "INTEGER", "INTEGER"}},
        {"time", {"TIMESTAMPTZ", "DATETIME(3)", "TEXT"}},
        {"random", /* a multiple of NA_GENERATION_STEP */
         {"CAST(1 + floor(random() * 536870911) AS bigint) * 1048576",
          "CAST(1 + FLOOR(RAND() * 536870911) AS SIGNED) * 1048576",
          "(1 + (random() & 536870911)) * 1048576"}},
        {"serial",
         {"SERIAL PRIMARY KEY", "INTEGER AUTO_INCREMENT PRIMARY KEY",
          "INTEGER PRIMARY KEY AUTOINCREMENT"}},
    };
    for (size_t i = 0; i < COUNT(types); i++)
        if (strcmp(types[i].type, type) == 0)
            return types[i].of[d->engine];
    return "";
}

/* Returns the first table that a text names; -1 if it names none. */
static int table_in(apr_pool_t *pool, const char *text)
{
    int table = -1;
    for (const char *open; table < 0 && (open = strchr(text, '{')); text = strchr(open, '}') + 1) {
        const char *word = open[1] == '\'' ? open + 2 : open + 1;
        table = table_of(apr_pstrmemdup(pool, word, (apr_size_t)(strchr(open, '}') - word)));
    }
    return table;
}

static const char *insert(const dialect *d, const char *word)
{
    switch (*word) {
    case '?':
        return argument(d, word + 1);
    case '@':
        return read_time(d, word + 1);
    case '=':
        return equals(d, word + 1);
    case '#':
        return type_of(d, word + 1);
    case '>':
        return join_own(d, word + 1);
    case '+':
        return optional(d, word + 1);
    case '\'':
        return apr_pstrcat(d->pool, "'", plain_name(d, word + 1), "'", NULL);
    default:
        return quoted(d, word);
    }
}

const char *na_schema_text(apr_pool_t *pool, const na_schema *schema, na_sql_engine engine,
                           const char *text)
{
    const char *out = "";
    int table = table_in(pool, text);
    for (const char *open; (open = strchr(text, '{')); text = strchr(open, '}') + 1) {
        int has_alias = open - text >= 2 && open[-1] == '.';
        const dialect d = {pool, schema, engine, has_alias ? table_of_alias(open[-2]) : table};
        const char *word =
            apr_pstrmemdup(pool, open + 1, (apr_size_t)(strchr(open, '}') - open - 1));
        out = apr_pstrcat(pool, out, apr_pstrmemdup(pool, text, (apr_size_t)(open - text)),
                          insert(&d, word), NULL);
    }
    return apr_pstrcat(pool, out, text, NULL);
}

const char *na_schema_statement(apr_pool_t *pool, const na_schema *schema, na_sql_engine engine,
                                na_statement statement)
{
    const char *mysql = statements[statement].mysql;
    return na_schema_text(pool, schema, engine,
                          engine == NA_MYSQL && mysql ? mysql : statements[statement].text);
}

/* ── times ─────────────────────────────────────────────────────────────────────────────────── */

const char *na_schema_time(apr_pool_t *pool, const na_schema *schema, na_sql_engine engine,
                           apr_int64_t milliseconds)
{
    if (!milliseconds)
        return NULL;
    if (has_numbers_for_times(schema, engine))
        return apr_psprintf(pool, "%" APR_INT64_T_FMT, milliseconds);
    char *text = na_iso8601(pool, apr_time_from_msec(milliseconds));
    if (engine == NA_MYSQL) { /* 2026-01-01 00:00:00.000 */
        text[10] = ' ';
        text[23] = '\0';
    }
    return text;
}

apr_int64_t na_schema_read_time(const char *text)
{
    apr_time_t when;
    if (!text || !*text)
        return 0;
    if (text[strspn(text, "-0123456789")] == '\0' && !strchr(text + 1, '-'))
        return strtoll(text, NULL, 10);
    return na_iso8601_read(text, &when) ? apr_time_as_msec(when) : 0;
}
