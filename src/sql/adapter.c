/* SPDX-License-Identifier: Apache-2.0 */
/* The adapter for PostgreSQL, MySQL and SQLite. */
#include "sql/adapter.h"

#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "sql/decide.h"
#include "sql/generation.h"
#include "sql/insert.h"
#include "sql/migrate.h"
#include "sql/people.h"
#include "sql/records.h"
#include "sql/rows.h"
#include "sql/secrets.h"
#include "sql/store.h"

/* One operation of a use that reads, or of a transaction that is not repeated. */
#define READ(operation)                                                                            \
    do {                                                                                           \
        na_db_use *use;                                                                            \
        NA_TRY(na_sql_read(self, pool, &use));                                                     \
        return na_sql_end(use, operation);                                                         \
    } while (0)

#define READ_CURRENT(operation)                                                                    \
    do {                                                                                           \
        na_db_use *use;                                                                            \
        NA_TRY(na_sql_read_current(self, pool, &use));                                             \
        return na_sql_end(use, operation);                                                         \
    } while (0)

#define WRITE(operation)                                                                           \
    do {                                                                                           \
        na_db_use *use;                                                                            \
        NA_TRY(na_sql_write(self, pool, &use));                                                    \
        return na_sql_end(use, operation);                                                         \
    } while (0)

/* ── configuration and opening ─────────────────────────────────────────────────────────────── */

static na_error *check(apr_pool_t *pool, const na_db_options *options)
{
    return na_sql_check_driver(pool, options);
}

static na_error *open_database(apr_pool_t *pool, const na_db_options *options,
                               const na_breaker *breaker, void **self)
{
    return na_sql_open(pool, options, breaker, (na_sql **)self);
}

static void set_replicas(void *self, void *const *replicas, int count)
{
    na_sql_set_replicas(self, (na_sql *const *)replicas, count);
}

static na_error *ping(void *self, apr_pool_t *pool, int *behind)
{
    return na_sql_ping(self, pool, behind);
}

/* Migrations create this module's own tables in every schema. */
static na_error *find_table(na_db_use *use, na_db_table table)
{
    int found, is_own = strncmp(na_sql_tables[table].text, "{nextauth_", 10) == 0;
    NA_TRY(na_sql_find_table(use, na_sql_pool(use), table, &found));
    return found || !is_own
               ? NULL
               : na_error_new(na_sql_pool(use), NA_ERR_CONFIGURATION,
                              "table nextauth_%s does not exist", na_backup_tables[table].name);
}

static na_error *check_columns(na_db_use *use)
{
    const char *column = NULL;
    if (na_sql_protects(use))
        NA_TRY(na_sql_find_narrow_token(use, &column));
    return column ? na_error_with_hint(
                        na_error_new(na_sql_pool(use), NA_ERR_CONFIGURATION,
                                     "column '%s' is too narrow for encrypted tokens", column),
                        "change the type of the token columns to TEXT, or set atRest=plain")
                  : NULL;
}

static na_error *find_tables(na_db_use *use)
{
    for (int i = 0; i < NA_TABLES; i++)
        NA_TRY(find_table(use, i));
    return check_columns(use);
}

static na_error *check_tables(void *self, apr_pool_t *pool)
{
    READ(find_tables(use));
}

/* ── users ─────────────────────────────────────────────────────────────────────────────────── */

static na_error *list_accounts(void *self, apr_pool_t *pool, const char *user_id,
                               apr_array_header_t *accounts)
{
    READ(na_sql_list_accounts(use, user_id, accounts));
}

static na_error *find_account(void *self, apr_pool_t *pool, const char *provider,
                              const char *account_id, na_db_account *account, int *found)
{
    READ_CURRENT(na_sql_get_account(use, provider, account_id, account, found));
}

static na_error *replace_tokens(void *self, apr_pool_t *pool, const na_db_account *was,
                                const na_db_account *is)
{
    WRITE(na_sql_replace_tokens(use, was, is));
}

static na_error *replace_hash(void *self, apr_pool_t *pool, const char *user_id, const char *was,
                              const char *hash)
{
    WRITE(na_sql_replace_credential(use, user_id, was, hash));
}

/* ── the audit log ─────────────────────────────────────────────────────────────────────────── */

typedef struct recording {
    const na_db_record *record;
    int found;
} recording;

static na_error *insert_record(void *data, na_db_use *use)
{
    recording *r = data;
    const na_db_record *record = r->record;
    const char *arguments[] = {
        record->id,        apr_psprintf(na_sql_pool(use), "%" APR_INT64_T_FMT, record->occurred_at),
        record->event,     record->outcome,
        record->reason,    record->user_id,
        record->email,     record->provider,
        record->actor,     record->detail,
        record->address,   record->user_agent,
        record->request_id};
    NA_TRY(na_sql_has_table(use, "nextauth_audit", &r->found));
    return r->found ? na_sql_change(use, NA_SQL_ADD_AUDIT, sizeof arguments / sizeof *arguments,
                                    arguments, NULL)
                    : NULL;
}

static na_error *add_record(void *self, apr_pool_t *pool, na_db_use *use, int if_can,
                            const na_db_record *record, int *found)
{
    recording r = {record, 1};
    na_error *error = !use     ? na_sql_transact(self, pool, insert_record, &r)
                      : if_can ? na_sql_try(use, insert_record, &r)
                               : insert_record(&r, use);
    *found = r.found;
    return error;
}

static na_db_record read_record(const na_rows *rows, int row)
{
    const char *const *v = rows->values + row * rows->columns;
    return (na_db_record){.id = v[0],
                          .occurred_at = v[1] ? strtoll(v[1], NULL, 10) : 0,
                          .event = v[2],
                          .outcome = v[3],
                          .reason = v[4],
                          .user_id = v[5],
                          .email = v[6],
                          .provider = v[7],
                          .actor = v[8],
                          .detail = v[9],
                          .address = v[10],
                          .user_agent = v[11],
                          .request_id = v[12]};
}

static na_error *find_records(na_db_use *use, const char *user_id, int count,
                              apr_array_header_t *records)
{
    const char *arguments[] = {user_id, apr_itoa(na_sql_pool(use), count)};
    int found;
    na_rows rows;
    NA_TRY(na_sql_has_table(use, "nextauth_audit", &found));
    if (!found)
        return NULL;
    NA_TRY(na_sql_select(use, NA_SQL_AUDIT_OF_USER, 2, arguments, &rows));
    for (int i = 0; i < rows.count; i++)
        APR_ARRAY_PUSH(records, na_db_record) = read_record(&rows, i);
    return NULL;
}

static na_error *list_records(void *self, apr_pool_t *pool, const char *user_id, int count,
                              apr_array_header_t *records)
{
    READ(find_records(use, user_id, count, records));
}

/* ── verification tokens ───────────────────────────────────────────────────────────────────── */

typedef struct addition {
    const na_db_token *token;
    int most;
} addition;

/* The lock keeps concurrent additions from counting without each other. */
static na_error *put_token(void *data, na_db_use *use)
{
    const addition *a = data;
    const char *identifier = a->token->identifier;
    NA_TRY(na_sql_lock(use, apr_pstrcat(na_sql_pool(use), "token ", identifier, NULL)));
    NA_TRY(na_sql_make_room_for_token(use, identifier, a->most));
    return na_sql_create_token(use, a->token);
}

static na_error *add_token(void *self, apr_pool_t *pool, const na_db_token *token, int most)
{
    addition a = {token, most};
    return na_sql_transact(self, pool, put_token, &a);
}

static na_error *find_token(void *self, apr_pool_t *pool, const char *identifier, const char *hash,
                            na_db_token *token, int *found)
{
    READ_CURRENT(na_sql_find_token(use, identifier, hash, token, found));
}

static na_error *use_token(void *self, apr_pool_t *pool, const char *identifier, const char *hash,
                           na_db_token *token, int *found)
{
    WRITE(na_sql_use_token(use, identifier, hash, token, found));
}

/* ── NextAuth's table of sessions ──────────────────────────────────────────────────────────── */

static na_error *list_sessions(void *self, apr_pool_t *pool, const char *user_id,
                               apr_array_header_t *sessions)
{
    READ_CURRENT(na_sql_list_sessions(use, user_id, sessions));
}

typedef struct extension {
    const char *token, *new_token;
    apr_int64_t expires;
    int *found;
} extension;

/* MySQL counts a row that does not change as one that is not there, so it is looked for first. */
static na_error *extend(void *data, na_db_use *use)
{
    const extension *e = data;
    NA_TRY(na_sql_has_session(use, e->token, e->found));
    return *e->found ? na_sql_update_session(use, e->token, e->new_token, e->expires) : NULL;
}

static na_error *update_session(void *self, apr_pool_t *pool, const char *token,
                                const char *new_token, apr_int64_t expires, int *found)
{
    extension e = {token, new_token, expires, found};
    return na_sql_transact(self, pool, extend, &e);
}

static na_error *delete_session(void *self, apr_pool_t *pool, const char *token)
{
    WRITE(na_sql_delete_session(use, token));
}

/* ── authenticators ────────────────────────────────────────────────────────────────────────── */

static na_error *find_authenticator(void *self, apr_pool_t *pool, const char *credential_id,
                                    na_db_authenticator *authenticator, int *found)
{
    READ_CURRENT(na_sql_get_authenticator(use, credential_id, authenticator, found));
}

static na_error *list_authenticators(void *self, apr_pool_t *pool, const char *user_id,
                                     apr_array_header_t *list)
{
    READ(na_sql_list_authenticators(use, user_id, list));
}

static na_error *update_counter(void *self, apr_pool_t *pool, const char *credential_id,
                                apr_int64_t counter)
{
    WRITE(na_sql_update_counter(use, credential_id, counter));
}

/* ── secrets ───────────────────────────────────────────────────────────────────────────────── */

static na_error *find_secret(void *self, apr_pool_t *pool, const char *kind, const char *id,
                             na_db_secret *secret, int *found)
{
    READ_CURRENT(na_sql_get_secret(use, kind, id, secret, found));
}

/* A replica could lack a second factor, which would then not be asked for. */
static na_error *list_secrets(void *self, apr_pool_t *pool, const char *user_id, const char *kind,
                              apr_array_header_t *secrets)
{
    READ_CURRENT(na_sql_list_secrets(use, user_id, kind, secrets));
}

static na_error *use_secret(void *self, apr_pool_t *pool, const char *kind, const char *id,
                            apr_int64_t used_at)
{
    WRITE(na_sql_use_secret(use, kind, id, used_at));
}

/* ── what expires ──────────────────────────────────────────────────────────────────────────── */

static na_error *purge(void *self, apr_pool_t *pool, apr_int64_t now)
{
    WRITE(na_sql_delete_expired(use, now));
}

/* ── users' IDs in a restore ───────────────────────────────────────────────────────────────── */

static int accepts_id(const na_db_options *options, const char *id)
{
    return na_sql_is_id(na_sql_settings_of(options)->schema, id);
}

static const char *new_id(const na_db_options *options, apr_pool_t *pool, apr_int64_t *last_id)
{
    return options->has_numbers ? apr_psprintf(pool, "%" APR_INT64_T_FMT, ++*last_id)
                                : na_random_uuid(pool);
}

const na_adapter na_sql_adapter = {.version = NA_ADAPTER_VERSION,
                                   .parse = na_sql_parse,
                                   .set_schema = na_sql_set_schema,
                                   .check = check,
                                   .open = open_database,
                                   .set_replicas = set_replicas,
                                   .ping = ping,
                                   .check_tables = check_tables,
                                   .find = na_sql_find,
                                   .list = na_sql_list,
                                   .list_accounts = list_accounts,
                                   .find_account = find_account,
                                   .replace_tokens = replace_tokens,
                                   .replace_hash = replace_hash,
                                   .decide = na_sql_decide,
                                   .add_record = add_record,
                                   .list_records = list_records,
                                   .add_token = add_token,
                                   .find_token = find_token,
                                   .use_token = use_token,
                                   .find_session = na_sql_find_session,
                                   .list_sessions = list_sessions,
                                   .update_session = update_session,
                                   .delete_session = delete_session,
                                   .find_authenticator = find_authenticator,
                                   .list_authenticators = list_authenticators,
                                   .update_counter = update_counter,
                                   .find_secret = find_secret,
                                   .list_secrets = list_secrets,
                                   .use_secret = use_secret,
                                   .store = &na_sql_store,
                                   .purge = purge,
                                   .steps = NA_MIGRATION_COUNT,
                                   .step_name = na_sql_step_name,
                                   .plan = na_sql_plan,
                                   .applied = na_sql_applied,
                                   .migrate = na_sql_migrate,
                                   .begin_backup = na_sql_begin_backup,
                                   .begin_restore = na_sql_begin_restore,
                                   .has_table = na_sql_find_table,
                                   .count_rows = na_sql_count_rows,
                                   .read_rows = na_sql_read_rows,
                                   .empty_table = na_sql_empty_table,
                                   .insert_rows = na_sql_insert_rows,
                                   .accepts_id = accepts_id,
                                   .new_id = new_id,
                                   .find_shared_email = na_sql_find_shared_email,
                                   .read_ids = na_sql_read_ids,
                                   .write_ids = na_sql_write_ids,
                                   .end = na_sql_end};
