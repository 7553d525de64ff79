/* SPDX-License-Identifier: Apache-2.0 */
/* Users, accounts, sessions, and tokens, as NextAuth's adapters define them. */
#include "sql/records.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "sql/secrets.h"

/* Number of arguments in an array. */
#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

static const char *number(na_db_use *use, apr_int64_t value)
{
    return apr_psprintf(na_sql_pool(use), "%" APR_INT64_T_FMT, value);
}

static const char *time_text(na_db_use *use, apr_int64_t milliseconds)
{
    return na_schema_time(na_sql_pool(use), na_sql_schema_of(use), na_sql_engine_of(use),
                          milliseconds);
}

/*
 * A numeric ID must not have other spellings, such as "1x" or "01", nor cause an error in the
 * database. PostgreSQL accepts several spellings of a UUID; here each user has one ID.
 */
int na_sql_is_id(const na_schema *schema, const char *id)
{
    static const char largest[] = "2147483647";
    size_t len = id ? strlen(id) : 0;
    if (len && na_schema_has_uuids(schema))
        return na_schema_is_uuid(id);
    if (!len || !na_schema_makes_ids(schema))
        return len > 0;
    return *id != '0' && strspn(id, "0123456789") == len && len < sizeof largest &&
           (len < sizeof largest - 1 || strcmp(id, largest) <= 0);
}

static int is_id(na_db_use *use, const char *id)
{
    return na_sql_is_id(na_sql_schema_of(use), id);
}

/* An ID that no user can have is the caller's mistake, not a failure of the database. */
static na_error *check_id(na_db_use *use, const char *id)
{
    if (is_id(use, id))
        return NULL;
    na_error *error = na_error_new(na_sql_pool(use), NA_ERR_CONFIGURATION, "invalid user ID");
    return id && na_schema_makes_ids(na_sql_schema_of(use)) && na_schema_is_uuid(id)
               ? na_error_with_hint(error, "set schema=authjs-uuid if the table's IDs are UUIDs")
               : error;
}

static apr_int64_t read_number(const char *text)
{
    return text ? strtoll(text, NULL, 10) : 0;
}

/* ── users ─────────────────────────────────────────────────────────────────────────────────── */

na_db_user na_sql_read_user(const na_rows *rows, int row, int from)
{
    return (na_db_user){.id = na_rows_value(rows, row, from),
                        .name = na_rows_value(rows, row, from + 1),
                        .email = na_rows_value(rows, row, from + 2),
                        .email_verified = na_schema_read_time(na_rows_value(rows, row, from + 3)),
                        .image = na_rows_value(rows, row, from + 4)};
}

/*
 * If the column ignores accents, MySQL's unique index also rejects the email address of another
 * user. This is not a conflict that a retry resolves.
 */
static na_error *check_look_alike(na_db_use *use, const char *email, const char *own_id)
{
    na_rows rows;
    if (!email || na_sql_engine_of(use) != NA_MYSQL)
        return NULL;
    NA_TRY(na_sql_select(use, NA_SQL_USER_BY_EMAIL, 1, &email, &rows));
    for (int i = 0; i < rows.count; i++) {
        na_db_user user = na_sql_read_user(&rows, i, 0);
        if (strcasecmp(user.email, email) != 0 && (!own_id || strcmp(user.id, own_id) != 0))
            return na_error_new(
                na_sql_pool(use), NA_ERR_ACCESS_DENIED,
                "the database does not distinguish the email address from that of user %s: its "
                "column ignores accents or blanks (use the collation utf8mb4_bin)",
                user.id);
    }
    return NULL;
}

/*
 * Checks for the table first, because few databases have it and a failed statement would end the
 * transaction.
 */
na_error *na_sql_delete_authenticators(na_db_use *use, const char *id)
{
    int found;
    NA_TRY(na_sql_has_table(
        use, na_schema_table(na_sql_pool(use), na_sql_schema_of(use), "authenticators"), &found));
    return found ? na_sql_change(use, NA_SQL_DELETE_USER_AUTHENTICATORS, 1, &id, NULL) : NULL;
}

/* Deletes all rows of a user except the user itself; ends sessions and invalidates their tokens. */
static na_error *delete_belongings(na_db_use *use, const char *id)
{
    static const na_statement steps[] = {NA_SQL_DELETE_USER_SESSIONS, NA_SQL_DELETE_USER_ACCOUNTS,
                                         NA_SQL_DELETE_USER_ROLES, NA_SQL_DELETE_CREDENTIAL,
                                         NA_SQL_RAISE_REVISION};
    NA_TRY(na_sql_delete_authenticators(use, id));
    NA_TRY(na_sql_delete_secrets(use, id, NULL, NULL));
    for (int i = 0; i < COUNT(steps); i++)
        NA_TRY(na_sql_change(use, steps[i], 1, &id, NULL));
    return NULL;
}

static na_error *insert_with_id(na_db_use *use, na_db_user *user)
{
    user->id = na_random_uuid(na_sql_pool(use));
    const char *arguments[] = {user->id, user->name, user->email,
                               time_text(use, user->email_verified), user->image};
    return na_sql_change(use, NA_SQL_CREATE_USER, COUNT(arguments), arguments, NULL);
}

static na_error *insert_for_id(na_db_use *use, na_db_user *user)
{
    const char *arguments[] = {user->name, user->email, time_text(use, user->email_verified),
                               user->image};
    na_rows rows;
    if (na_sql_engine_of(use) == NA_MYSQL) {
        NA_TRY(na_sql_change(use, NA_SQL_CREATE_USER, COUNT(arguments), arguments, NULL));
        return na_sql_last_id(use, &user->id);
    }
    NA_TRY(na_sql_select(use, NA_SQL_CREATE_USER, COUNT(arguments), arguments, &rows));
    user->id = rows.count ? na_rows_value(&rows, 0, 0) : NULL;
    return user->id
               ? NULL
               : na_error_new(na_sql_pool(use), NA_ERR_UNAVAILABLE, "the user was not created");
}

/*
 * SQLite and old versions of MySQL can assign a deleted user's ID again. If an application deleted
 * a user, the remaining rows must not become the new user's.
 */
na_error *na_sql_create_user(na_db_use *use, na_db_user *user)
{
    NA_TRY(check_look_alike(use, user->email, NULL));
    if (!na_schema_makes_ids(na_sql_schema_of(use)))
        return insert_with_id(use, user);
    NA_TRY(insert_for_id(use, user));
    return delete_belongings(use, user->id);
}

na_error *na_sql_get_user(na_db_use *use, const char *id, na_db_user *user, int *found)
{
    na_rows rows;
    *found = 0;
    if (!is_id(use, id))
        return NULL;
    NA_TRY(na_sql_select(use, NA_SQL_USER, 1, &id, &rows));
    *found = rows.count && strcmp(na_rows_value(&rows, 0, 0), id) == 0;
    if (*found)
        *user = na_sql_read_user(&rows, 0, 0);
    return NULL;
}

/*
 * If MySQL's columns ignore case, no two users share an email address, as in Prisma's own adapter.
 * But they also ignore accents, and "ádá@example.org" belongs to another user.
 */
na_error *na_sql_get_user_by_email(na_db_use *use, const char *email, na_db_user *user, int *found)
{
    na_rows rows;
    *found = 0;
    NA_TRY(na_sql_select(use, NA_SQL_USER_BY_EMAIL, 1, &email, &rows));
    for (int i = 0; i < rows.count && !*found; i++) {
        *user = na_sql_read_user(&rows, i, 0);
        *found = strcasecmp(user->email, email) == 0;
    }
    return NULL;
}

/* MySQL's columns can match users whose IDs are only similar. */
static na_error *is_exact(na_db_use *use, const char *id, int *exact)
{
    na_db_user user;
    *exact = is_id(use, id);
    return *exact && na_sql_engine_of(use) == NA_MYSQL &&
                   !na_schema_makes_ids(na_sql_schema_of(use))
               ? na_sql_get_user(use, id, &user, exact)
               : NULL;
}

na_error *na_sql_update_user(na_db_use *use, const na_db_user *user)
{
    const char *arguments[] = {user->name, user->email, time_text(use, user->email_verified),
                               user->image, user->id};
    int exact;
    NA_TRY(is_exact(use, user->id, &exact));
    if (!exact)
        return NULL;
    NA_TRY(check_look_alike(use, user->email, user->id));
    return na_sql_change(use, NA_SQL_UPDATE_USER, COUNT(arguments), arguments, NULL);
}

static int is_account(const na_db_account *account, const na_db_account *other)
{
    return other && strcmp(account->provider, other->provider) == 0 &&
           strcmp(account->provider_account_id, other->provider_account_id) == 0;
}

static na_error *unlink_all_but(na_db_use *use, const char *id, const na_db_account *kept,
                                int *count)
{
    apr_array_header_t *accounts = apr_array_make(na_sql_pool(use), 4, sizeof(na_db_account));
    NA_TRY(na_sql_list_accounts(use, id, accounts));
    for (int i = 0; i < accounts->nelts; i++) {
        const na_db_account *account = &APR_ARRAY_IDX(accounts, i, na_db_account);
        if (is_account(account, kept))
            continue;
        NA_TRY(na_sql_unlink_account(use, account->provider, account->provider_account_id));
        ++*count;
    }
    return NULL;
}

static na_error *has_password(na_db_use *use, const char *user_id, int *found)
{
    na_rows rows;
    NA_TRY(na_sql_select(use, NA_SQL_HASH, 1, &user_id, &rows));
    *found = rows.count && na_rows_value(&rows, 0, 0);
    return NULL;
}

na_error *na_sql_delete_logins(na_db_use *use, const char *user_id, const na_db_account *kept,
                               na_decision *result)
{
    NA_TRY(unlink_all_but(use, user_id, kept, &result->accounts_ended));
    NA_TRY(has_password(use, user_id, &result->password_ended));
    if (result->password_ended)
        NA_TRY(na_sql_put_credential(use, user_id, NULL, apr_time_as_msec(apr_time_now())));
    NA_TRY(na_sql_delete_authenticators(use, user_id));
    NA_TRY(na_sql_delete_secrets(use, user_id, NULL, NULL));
    NA_TRY(na_sql_change(use, NA_SQL_DELETE_USER_SESSIONS, 1, &user_id, &result->sessions_ended));
    return na_sql_change(use, NA_SQL_RAISE_REVISION, 1, &user_id, NULL);
}

/* Deletes dependent rows itself, because tables of pg-adapter have no foreign keys. */
na_error *na_sql_delete_user(na_db_use *use, const char *id)
{
    int exact;
    NA_TRY(is_exact(use, id, &exact));
    if (!exact)
        return NULL;
    NA_TRY(delete_belongings(use, id));
    return na_sql_change(use, NA_SQL_DELETE_USER, 1, &id, NULL);
}

na_error *na_sql_link_account(na_db_use *use, const na_db_account *account)
{
    const char *arguments[] = {account->user_id,
                               account->type,
                               account->provider,
                               account->provider_account_id,
                               account->refresh_token,
                               account->access_token,
                               account->expires_at ? number(use, account->expires_at) : NULL,
                               account->token_type,
                               account->scope,
                               account->id_token,
                               account->session_state};
    NA_TRY(check_id(use, account->user_id));
    return na_sql_change(use, NA_SQL_CREATE_ACCOUNT, COUNT(arguments), arguments, NULL);
}

na_error *na_sql_unlink_account(na_db_use *use, const char *provider, const char *account_id)
{
    const char *keys[] = {provider, account_id};
    return na_sql_change_by(use, NA_SQL_DELETE_ACCOUNT, 0, COUNT(keys), keys, NULL);
}

static na_db_account read_account(const na_rows *rows, int row)
{
    const char *const *v = rows->values + row * rows->columns;
    return (na_db_account){.user_id = v[0],
                           .type = v[1],
                           .provider = v[2],
                           .provider_account_id = v[3],
                           .refresh_token = v[4],
                           .access_token = v[5],
                           .expires_at = read_number(v[6]),
                           .token_type = v[7],
                           .scope = v[8],
                           .id_token = v[9],
                           .session_state = v[10]};
}

na_error *na_sql_get_account(na_db_use *use, const char *provider, const char *account_id,
                             na_db_account *account, int *found)
{
    const char *keys[] = {provider, account_id};
    na_rows rows;
    NA_TRY(na_sql_select_by(use, NA_SQL_ACCOUNT, COUNT(keys), keys, &rows));
    *found = rows.count > 0;
    if (*found)
        *account = read_account(&rows, 0);
    return NULL;
}

na_error *na_sql_list_accounts(na_db_use *use, const char *user_id, apr_array_header_t *accounts)
{
    na_rows rows;
    if (!is_id(use, user_id))
        return NULL;
    NA_TRY(na_sql_select(use, NA_SQL_ACCOUNTS_OF_USER, 1, &user_id, &rows));
    for (int i = 0; i < rows.count; i++)
        APR_ARRAY_PUSH(accounts, na_db_account) = read_account(&rows, i);
    return NULL;
}

/* MySQL's TEXT holds 65535 bytes; a NULL length means unlimited. */
#define NARROW_TOKENS(schema)                                                                      \
    "SELECT column_name FROM information_schema.columns WHERE table_schema = " schema              \
    " AND table_name = {'accounts} AND column_name IN ({'refresh_token}, {'access_token}, "        \
    "{'id_token}) AND character_maximum_length < 65535 ORDER BY column_name"

static na_error *replace_token(na_db_use *use, na_statement statement, const na_db_account *account,
                               const char *was, const char *is)
{
    const char *arguments[] = {is, account->provider, account->provider_account_id, was};
    return was && is && strcmp(was, is) != 0
               ? na_sql_change_by(use, statement, 1, 3, arguments, NULL)
               : NULL;
}

na_error *na_sql_replace_tokens(na_db_use *use, const na_db_account *was, const na_db_account *is)
{
    NA_TRY(replace_token(use, NA_SQL_REPLACE_REFRESH_TOKEN, was, was->refresh_token,
                         is->refresh_token));
    NA_TRY(
        replace_token(use, NA_SQL_REPLACE_ACCESS_TOKEN, was, was->access_token, is->access_token));
    return replace_token(use, NA_SQL_REPLACE_ID_TOKEN, was, was->id_token, is->id_token);
}

na_error *na_sql_find_narrow_token(na_db_use *use, const char **column)
{
    static const char *const texts[NA_ENGINES] = {NARROW_TOKENS("current_schema()"),
                                                  NARROW_TOKENS("DATABASE()"), NULL};
    na_sql_engine engine = na_sql_engine_of(use);
    na_rows rows = {0};
    if (texts[engine])
        NA_TRY(na_sql_select_text(use, "narrow_tokens",
                                  na_schema_text(na_sql_pool(use), na_sql_schema_of(use), engine,
                                                 texts[engine]),
                                  0, NULL, &rows));
    *column = rows.count ? na_rows_value(&rows, 0, 0) : NULL;
    return NULL;
}

/* ── sessions ──────────────────────────────────────────────────────────────────────────────── */

na_error *na_sql_create_session(na_db_use *use, const na_db_session *session)
{
    const char *arguments[] = {session->token, session->user_id, time_text(use, session->expires)};
    NA_TRY(check_id(use, session->user_id));
    return na_sql_change(use, NA_SQL_CREATE_SESSION, COUNT(arguments), arguments, NULL);
}

na_error *na_sql_list_sessions(na_db_use *use, const char *user_id, apr_array_header_t *sessions)
{
    na_rows rows;
    if (!is_id(use, user_id))
        return NULL;
    NA_TRY(na_sql_select(use, NA_SQL_SESSIONS_OF_USER, 1, &user_id, &rows));
    for (int i = 0; i < rows.count; i++)
        APR_ARRAY_PUSH(sessions, na_db_session) =
            (na_db_session){na_rows_value(&rows, i, 0), user_id,
                            na_schema_read_time(na_rows_value(&rows, i, 1))};
    return NULL;
}

na_error *na_sql_has_session(na_db_use *use, const char *token, int *found)
{
    na_rows rows;
    NA_TRY(na_sql_select_by(use, NA_SQL_SESSION, 1, &token, &rows));
    *found = rows.count > 0;
    return NULL;
}

na_error *na_sql_update_session(na_db_use *use, const char *token, const char *new_token,
                                apr_int64_t expires)
{
    const char *arguments[] = {new_token, time_text(use, expires), token};
    return na_sql_change_by(use, NA_SQL_UPDATE_SESSION, 2, 1, arguments, NULL);
}

na_error *na_sql_delete_session(na_db_use *use, const char *token)
{
    return na_sql_change_by(use, NA_SQL_DELETE_SESSION, 0, 1, &token, NULL);
}

/* ── verification tokens ───────────────────────────────────────────────────────────────────── */

na_error *na_sql_create_token(na_db_use *use, const na_db_token *token)
{
    const char *arguments[] = {token->identifier, token->token, time_text(use, token->expires)};
    return na_sql_change(use, NA_SQL_CREATE_TOKEN, COUNT(arguments), arguments, NULL);
}

na_error *na_sql_make_room_for_token(na_db_use *use, const char *identifier, int most)
{
    const char *limited[] = {identifier, identifier, number(use, most)};
    int once = na_sql_engine_of(use) != NA_MYSQL; /* which compares a key twice */
    na_rows rows;
    NA_TRY(na_sql_select(use, NA_SQL_NEWEST_TOKENS, 3 - once, limited + once, &rows));
    if (rows.count < most)
        return NULL;
    const char *oldest = na_rows_value(&rows, most - 1, 0);
    const char *arguments[] = {time_text(use, na_schema_read_time(oldest)), identifier};
    return na_sql_change_by(use, NA_SQL_DELETE_TOKENS_TO, 1, 1, arguments, NULL);
}

na_error *na_sql_find_token(na_db_use *use, const char *identifier, const char *hash,
                            na_db_token *token, int *found)
{
    const char *keys[] = {identifier, hash};
    na_rows rows;
    NA_TRY(na_sql_select_by(use, NA_SQL_TOKEN, COUNT(keys), keys, &rows));
    *found = rows.count > 0;
    if (*found)
        *token = (na_db_token){identifier, hash, na_schema_read_time(na_rows_value(&rows, 0, 2))};
    return NULL;
}

/* Only one of several concurrent deletions removes the row: its caller may use the token. */
na_error *na_sql_use_token(na_db_use *use, const char *identifier, const char *hash,
                           na_db_token *token, int *found)
{
    const char *keys[] = {identifier, hash};
    int deleted = 0;
    NA_TRY(na_sql_find_token(use, identifier, hash, token, found));
    if (*found)
        NA_TRY(na_sql_change_by(use, NA_SQL_DELETE_TOKEN, 0, COUNT(keys), keys, &deleted));
    *found = deleted > 0;
    return NULL;
}

na_error *na_sql_delete_tokens(na_db_use *use, const char *identifier)
{
    return na_sql_change_by(use, NA_SQL_DELETE_TOKENS_FOR, 0, 1, &identifier, NULL);
}

na_error *na_sql_delete_expired(na_db_use *use, apr_int64_t now)
{
    const char *text = time_text(use, now);
    const char *plain = number(use, now);
    NA_TRY(na_sql_change(use, NA_SQL_DELETE_EXPIRED_SESSIONS, 1, &text, NULL));
    NA_TRY(na_sql_change(use, NA_SQL_DELETE_EXPIRED_TOKENS, 1, &text, NULL));
    NA_TRY(na_sql_delete_expired_secrets(use, now));
    return na_sql_change(use, NA_SQL_STORE_PURGE, 1, &plain, NULL);
}

/* ── authenticators ────────────────────────────────────────────────────────────────────────── */

na_error *na_sql_create_authenticator(na_db_use *use, const na_db_authenticator *authenticator)
{
    const char *arguments[] = {authenticator->credential_id,         authenticator->user_id,
                               authenticator->provider_account_id,   authenticator->public_key,
                               number(use, authenticator->counter),  authenticator->device_type,
                               authenticator->backed_up ? "1" : "0", authenticator->transports};
    NA_TRY(check_id(use, authenticator->user_id));
    return na_sql_change(use, NA_SQL_CREATE_AUTHENTICATOR, COUNT(arguments), arguments, NULL);
}

static int is_true(const char *text)
{
    return text && (*text == 't' || *text == '1');
}

static na_db_authenticator read_authenticator(const na_rows *rows, int row)
{
    const char *const *v = rows->values + row * rows->columns;
    return (na_db_authenticator){.credential_id = v[0],
                                 .user_id = v[1],
                                 .provider_account_id = v[2],
                                 .public_key = v[3],
                                 .counter = read_number(v[4]),
                                 .device_type = v[5],
                                 .backed_up = is_true(v[6]),
                                 .transports = v[7]};
}

na_error *na_sql_get_authenticator(na_db_use *use, const char *credential_id,
                                   na_db_authenticator *authenticator, int *found)
{
    na_rows rows;
    NA_TRY(na_sql_select_by(use, NA_SQL_AUTHENTICATOR, 1, &credential_id, &rows));
    *found = rows.count > 0;
    if (*found)
        *authenticator = read_authenticator(&rows, 0);
    return NULL;
}

na_error *na_sql_list_authenticators(na_db_use *use, const char *user_id, apr_array_header_t *list)
{
    na_rows rows;
    if (!is_id(use, user_id))
        return NULL;
    NA_TRY(na_sql_select(use, NA_SQL_AUTHENTICATORS_OF_USER, 1, &user_id, &rows));
    for (int i = 0; i < rows.count; i++)
        APR_ARRAY_PUSH(list, na_db_authenticator) = read_authenticator(&rows, i);
    return NULL;
}

na_error *na_sql_update_counter(na_db_use *use, const char *credential_id, apr_int64_t counter)
{
    const char *arguments[] = {number(use, counter), credential_id};
    return na_sql_change_by(use, NA_SQL_UPDATE_COUNTER, 1, 1, arguments, NULL);
}

na_error *na_sql_delete_authenticator(na_db_use *use, const char *user_id,
                                      const char *credential_id)
{
    const char *arguments[] = {user_id, credential_id};
    return na_sql_change_by(use, NA_SQL_DELETE_AUTHENTICATOR, 1, 1, arguments, NULL);
}

/* ── roles and passwords ───────────────────────────────────────────────────────────────────── */

na_error *na_sql_grant_role(na_db_use *use, const char *user_id, const char *role)
{
    const char *arguments[] = {user_id, role};
    return na_sql_change(use, NA_SQL_GRANT_ROLE, COUNT(arguments), arguments, NULL);
}

na_error *na_sql_revoke_role(na_db_use *use, const char *user_id, const char *role)
{
    const char *arguments[] = {user_id, role};
    return na_sql_change(use, NA_SQL_REVOKE_ROLE, COUNT(arguments), arguments, NULL);
}

na_error *na_sql_put_credential(na_db_use *use, const char *user_id, const char *hash,
                                apr_int64_t now)
{
    const char *arguments[] = {user_id, hash, number(use, now)};
    return na_sql_change(use, NA_SQL_PUT_CREDENTIAL, COUNT(arguments), arguments, NULL);
}

na_error *na_sql_replace_credential(na_db_use *use, const char *user_id, const char *was,
                                    const char *hash)
{
    const char *arguments[] = {hash, user_id, was};
    return na_sql_change(use, NA_SQL_REPLACE_CREDENTIAL, COUNT(arguments), arguments, NULL);
}

na_error *na_sql_disable_user(na_db_use *use, const char *user_id, int disabled)
{
    const char *arguments[] = {user_id, disabled ? "1" : "0"};
    return na_sql_change(use, NA_SQL_DISABLE_USER, COUNT(arguments), arguments, NULL);
}

/* ── the standing of users ─────────────────────────────────────────────────────────────────── */

na_error *na_sql_end_sessions(na_db_use *use, const char *user_id)
{
    NA_TRY(check_id(use, user_id));
    NA_TRY(na_sql_change(use, NA_SQL_RAISE_REVISION, 1, &user_id, NULL));
    return na_sql_change(use, NA_SQL_DELETE_USER_SESSIONS, 1, &user_id, NULL);
}

na_error *na_sql_get_revision(na_db_use *use, const char *user_id, apr_int64_t *revision)
{
    na_rows rows;
    NA_TRY(na_sql_select(use, NA_SQL_REVISION, 1, &user_id, &rows));
    *revision = rows.count ? read_number(na_rows_value(&rows, 0, 0)) : 0;
    return NULL;
}

na_error *na_sql_hold_revision(na_db_use *use, const char *user_id, apr_int64_t *revision)
{
    NA_TRY(na_sql_change(use, NA_SQL_HOLD_REVISION, 1, &user_id, NULL));
    return na_sql_get_revision(use, user_id, revision);
}
