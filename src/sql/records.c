/* SPDX-License-Identifier: Apache-2.0 */
/* Users, accounts, sessions, and tokens, as NextAuth's adapters define them. */
#include "sql/records.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/crypto.h"

/* Number of arguments in an array. */
#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

static const char *number(na_db_use *use, apr_int64_t value)
{
    return apr_psprintf(na_db_pool(use), "%" APR_INT64_T_FMT, value);
}

static const char *time_text(na_db_use *use, apr_int64_t milliseconds)
{
    return na_schema_time(na_db_pool(use), na_db_schema_of(use), na_db_engine_of(use),
                          milliseconds);
}

/*
 * A numeric ID must not have other spellings, such as "1x" or "01", nor cause an error in the
 * database. PostgreSQL accepts several spellings of a UUID; here each user has one ID.
 */
static int is_id(na_db_use *use, const char *id)
{
    static const char largest[] = "2147483647";
    size_t len = id ? strlen(id) : 0;
    if (len && na_schema_has_uuids(na_db_schema_of(use)))
        return na_schema_is_uuid(id);
    if (!len || !na_schema_makes_ids(na_db_schema_of(use)))
        return len > 0;
    return *id != '0' && strspn(id, "0123456789") == len && len < sizeof largest &&
           (len < sizeof largest - 1 || strcmp(id, largest) <= 0);
}

/* An ID that no user can have is the caller's mistake, not a failure of the database. */
static na_error *check_id(na_db_use *use, const char *id)
{
    if (is_id(use, id))
        return NULL;
    na_error *error = na_error_new(na_db_pool(use), NA_ERR_CONFIGURATION, "invalid user ID");
    return id && na_schema_makes_ids(na_db_schema_of(use)) && na_schema_is_uuid(id)
               ? na_error_with_hint(error, "set schema=authjs-uuid if the table's IDs are UUIDs")
               : error;
}

static apr_int64_t read_number(const char *text)
{
    return text ? strtoll(text, NULL, 10) : 0;
}

/*
 * Writes the arguments of a statement with {=keys}: `values` arguments, then `keys` compared ones,
 * each of them twice for MySQL. Returns their number.
 */
static int with_keys(na_db_use *use, int values, int keys, const char *const *arguments,
                     const char **out)
{
    int times = na_db_engine_of(use) == NA_DB_MYSQL ? 2 : 1, count = 0;
    for (int i = 0; i < values + keys; i++)
        for (int n = 0; n < (i < values ? 1 : times); n++)
            out[count++] = arguments[i];
    return count;
}

#define KEYED_MAX 7

static na_error *select_by(na_db_use *use, na_statement statement, int keys,
                           const char *const *arguments, na_rows *rows)
{
    const char *all[KEYED_MAX];
    int count = with_keys(use, 0, keys, arguments, all);
    return na_db_select(use, statement, count, all, rows);
}

static na_error *change_by(na_db_use *use, na_statement statement, int values, int keys,
                           const char *const *arguments, int *affected)
{
    const char *all[KEYED_MAX];
    int count = with_keys(use, values, keys, arguments, all);
    return na_db_change(use, statement, count, all, affected);
}

/* ── users ─────────────────────────────────────────────────────────────────────────────────── */

static na_db_user read_user(const na_rows *rows, int row, int from)
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
    if (!email || na_db_engine_of(use) != NA_DB_MYSQL)
        return NULL;
    NA_TRY(na_db_select(use, NA_SQL_USER_BY_EMAIL, 1, &email, &rows));
    for (int i = 0; i < rows.count; i++) {
        na_db_user user = read_user(&rows, i, 0);
        if (strcasecmp(user.email, email) != 0 && (!own_id || strcmp(user.id, own_id) != 0))
            return na_error_new(
                na_db_pool(use), NA_ERR_ACCESS_DENIED,
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
static na_error *delete_authenticators(na_db_use *use, const char *id)
{
    int found;
    NA_TRY(na_db_has_table(use, na_schema_table(na_db_schema_of(use), "authenticators"), &found));
    return found ? na_db_change(use, NA_SQL_DELETE_USER_AUTHENTICATORS, 1, &id, NULL) : NULL;
}

/* Deletes all rows of a user except the user itself; ends sessions and invalidates their tokens. */
static na_error *delete_belongings(na_db_use *use, const char *id)
{
    static const na_statement steps[] = {NA_SQL_DELETE_USER_SESSIONS, NA_SQL_DELETE_USER_ACCOUNTS,
                                         NA_SQL_DELETE_USER_ROLES, NA_SQL_DELETE_CREDENTIAL,
                                         NA_SQL_RAISE_REVISION};
    NA_TRY(delete_authenticators(use, id));
    for (int i = 0; i < COUNT(steps); i++)
        NA_TRY(na_db_change(use, steps[i], 1, &id, NULL));
    return NULL;
}

static na_error *insert_with_id(na_db_use *use, na_db_user *user)
{
    user->id = na_random_uuid(na_db_pool(use));
    const char *arguments[] = {user->id, user->name, user->email,
                               time_text(use, user->email_verified), user->image};
    return na_db_change(use, NA_SQL_CREATE_USER, COUNT(arguments), arguments, NULL);
}

static na_error *insert_for_id(na_db_use *use, na_db_user *user)
{
    const char *arguments[] = {user->name, user->email, time_text(use, user->email_verified),
                               user->image};
    na_rows rows;
    if (na_db_engine_of(use) == NA_DB_MYSQL) {
        NA_TRY(na_db_change(use, NA_SQL_CREATE_USER, COUNT(arguments), arguments, NULL));
        return na_db_last_id(use, &user->id);
    }
    NA_TRY(na_db_select(use, NA_SQL_CREATE_USER, COUNT(arguments), arguments, &rows));
    user->id = rows.count ? na_rows_value(&rows, 0, 0) : NULL;
    return user->id ? NULL
                    : na_error_new(na_db_pool(use), NA_ERR_UNAVAILABLE, "the user was not created");
}

/*
 * SQLite and old versions of MySQL can assign a deleted user's ID again. If an application deleted
 * a user, the remaining rows must not become the new user's.
 */
na_error *na_db_create_user(na_db_use *use, na_db_user *user)
{
    NA_TRY(check_look_alike(use, user->email, NULL));
    if (!na_schema_makes_ids(na_db_schema_of(use)))
        return insert_with_id(use, user);
    NA_TRY(insert_for_id(use, user));
    return delete_belongings(use, user->id);
}

na_error *na_db_get_user(na_db_use *use, const char *id, na_db_user *user, int *found)
{
    na_rows rows;
    *found = 0;
    if (!is_id(use, id))
        return NULL;
    NA_TRY(na_db_select(use, NA_SQL_USER, 1, &id, &rows));
    *found = rows.count && strcmp(na_rows_value(&rows, 0, 0), id) == 0;
    if (*found)
        *user = read_user(&rows, 0, 0);
    return NULL;
}

/*
 * If MySQL's columns ignore case, no two users share an email address, as in Prisma's own adapter.
 * But they also ignore accents, and "ádá@example.org" belongs to another user.
 */
na_error *na_db_get_user_by_email(na_db_use *use, const char *email, na_db_user *user, int *found)
{
    na_rows rows;
    *found = 0;
    NA_TRY(na_db_select(use, NA_SQL_USER_BY_EMAIL, 1, &email, &rows));
    for (int i = 0; i < rows.count && !*found; i++) {
        *user = read_user(&rows, i, 0);
        *found = strcasecmp(user->email, email) == 0;
    }
    return NULL;
}

na_error *na_db_get_user_by_account(na_db_use *use, const char *provider, const char *account_id,
                                    na_db_user *user, int *found)
{
    const char *keys[] = {provider, account_id};
    na_rows rows;
    NA_TRY(select_by(use, NA_SQL_USER_BY_ACCOUNT, COUNT(keys), keys, &rows));
    *found = rows.count > 0;
    if (*found)
        *user = read_user(&rows, 0, 0);
    return NULL;
}

/* MySQL's columns can match users whose IDs are only similar. */
static na_error *is_exact(na_db_use *use, const char *id, int *exact)
{
    na_db_user user;
    *exact = is_id(use, id);
    return *exact && na_db_engine_of(use) == NA_DB_MYSQL &&
                   !na_schema_makes_ids(na_db_schema_of(use))
               ? na_db_get_user(use, id, &user, exact)
               : NULL;
}

na_error *na_db_update_user(na_db_use *use, const na_db_user *user)
{
    const char *arguments[] = {user->name, user->email, time_text(use, user->email_verified),
                               user->image, user->id};
    int exact;
    NA_TRY(is_exact(use, user->id, &exact));
    if (!exact)
        return NULL;
    NA_TRY(check_look_alike(use, user->email, user->id));
    return na_db_change(use, NA_SQL_UPDATE_USER, COUNT(arguments), arguments, NULL);
}

static int is_account(const na_db_account *account, const na_db_account *other)
{
    return other && strcmp(account->provider, other->provider) == 0 &&
           strcmp(account->provider_account_id, other->provider_account_id) == 0;
}

static na_error *unlink_all_but(na_db_use *use, const char *id, const na_db_account *kept,
                                int *count)
{
    apr_array_header_t *accounts = apr_array_make(na_db_pool(use), 4, sizeof(na_db_account));
    NA_TRY(na_db_list_accounts(use, id, accounts));
    for (int i = 0; i < accounts->nelts; i++) {
        const na_db_account *account = &APR_ARRAY_IDX(accounts, i, na_db_account);
        if (is_account(account, kept))
            continue;
        NA_TRY(na_db_unlink_account(use, account->provider, account->provider_account_id));
        ++*count;
    }
    return NULL;
}

na_error *na_db_delete_logins(na_db_use *use, const char *user_id, const na_db_account *kept,
                              const char **ended)
{
    na_db_credential credential;
    int accounts = 0, sessions = 0;
    NA_TRY(unlink_all_but(use, user_id, kept, &accounts));
    NA_TRY(na_db_get_credential(use, user_id, &credential));
    if (credential.hash)
        NA_TRY(na_db_put_credential(use, user_id, NULL, apr_time_as_msec(apr_time_now())));
    NA_TRY(delete_authenticators(use, user_id));
    NA_TRY(na_db_change(use, NA_SQL_DELETE_USER_SESSIONS, 1, &user_id, &sessions));
    NA_TRY(na_db_change(use, NA_SQL_RAISE_REVISION, 1, &user_id, NULL));
    *ended = accounts || credential.hash || sessions
                 ? apr_psprintf(na_db_pool(use), "accounts %d, password %d, sessions %d", accounts,
                                credential.hash != NULL, sessions)
                 : NULL;
    return NULL;
}

/* Deletes dependent rows itself, because tables of pg-adapter have no foreign keys. */
na_error *na_db_delete_user(na_db_use *use, const char *id)
{
    int exact;
    NA_TRY(is_exact(use, id, &exact));
    if (!exact)
        return NULL;
    NA_TRY(delete_belongings(use, id));
    return na_db_change(use, NA_SQL_DELETE_USER, 1, &id, NULL);
}

/* ── accounts ──────────────────────────────────────────────────────────────────────────────── */

na_error *na_db_link_account(na_db_use *use, const na_db_account *account)
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
    return na_db_change(use, NA_SQL_CREATE_ACCOUNT, COUNT(arguments), arguments, NULL);
}

na_error *na_db_unlink_account(na_db_use *use, const char *provider, const char *account_id)
{
    const char *keys[] = {provider, account_id};
    return change_by(use, NA_SQL_DELETE_ACCOUNT, 0, COUNT(keys), keys, NULL);
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

na_error *na_db_get_account(na_db_use *use, const char *provider, const char *account_id,
                            na_db_account *account, int *found)
{
    const char *keys[] = {provider, account_id};
    na_rows rows;
    NA_TRY(select_by(use, NA_SQL_ACCOUNT, COUNT(keys), keys, &rows));
    *found = rows.count > 0;
    if (*found)
        *account = read_account(&rows, 0);
    return NULL;
}

na_error *na_db_list_accounts(na_db_use *use, const char *user_id, apr_array_header_t *accounts)
{
    na_rows rows;
    if (!is_id(use, user_id))
        return NULL;
    NA_TRY(na_db_select(use, NA_SQL_ACCOUNTS_OF_USER, 1, &user_id, &rows));
    for (int i = 0; i < rows.count; i++)
        APR_ARRAY_PUSH(accounts, na_db_account) = read_account(&rows, i);
    return NULL;
}

/* MySQL's TEXT holds 65535 bytes; a NULL length means unlimited. */
#define NARROW_TOKENS(schema)                                                                      \
    "SELECT column_name FROM information_schema.columns WHERE table_schema = " schema              \
    " AND table_name = %s AND column_name IN ('refresh_token', 'access_token', 'id_token') AND "   \
    "character_maximum_length < 65535 ORDER BY column_name"

na_error *na_db_replace_token(na_db_use *use, na_statement statement, const na_db_account *account,
                              const char *was, const char *token)
{
    const char *arguments[] = {token, account->provider, account->provider_account_id, was};
    return change_by(use, statement, 1, 3, arguments, NULL);
}

na_error *na_db_find_narrow_token(na_db_use *use, const char **column)
{
    static const char *const texts[NA_DB_ENGINES] = {NARROW_TOKENS("current_schema()"),
                                                     NARROW_TOKENS("DATABASE()"), NULL};
    const char *table = na_schema_table(na_db_schema_of(use), "accounts");
    const char *text = texts[na_db_engine_of(use)];
    na_rows rows = {0};
    if (text)
        NA_TRY(na_db_select_text(use, "narrow_tokens", text, 1, &table, &rows));
    *column = rows.count ? na_rows_value(&rows, 0, 0) : NULL;
    return NULL;
}

/* ── sessions ──────────────────────────────────────────────────────────────────────────────── */

na_error *na_db_create_session(na_db_use *use, const na_db_session *session)
{
    const char *arguments[] = {session->token, session->user_id, time_text(use, session->expires)};
    NA_TRY(check_id(use, session->user_id));
    return na_db_change(use, NA_SQL_CREATE_SESSION, COUNT(arguments), arguments, NULL);
}

na_error *na_db_get_session_and_user(na_db_use *use, const char *token, na_db_session *session,
                                     na_db_user *user, int *found)
{
    na_rows rows;
    NA_TRY(select_by(use, NA_SQL_SESSION_AND_USER, 1, &token, &rows));
    *found = rows.count > 0;
    if (!*found)
        return NULL;
    *session = (na_db_session){.token = token,
                               .user_id = na_rows_value(&rows, 0, 0),
                               .expires = na_schema_read_time(na_rows_value(&rows, 0, 1))};
    *user = read_user(&rows, 0, 2);
    return NULL;
}

na_error *na_db_list_session_tokens(na_db_use *use, const char *user_id, apr_array_header_t *tokens)
{
    na_rows rows;
    if (!is_id(use, user_id))
        return NULL;
    NA_TRY(na_db_select(use, NA_SQL_SESSION_TOKENS, 1, &user_id, &rows));
    for (int i = 0; i < rows.count; i++)
        APR_ARRAY_PUSH(tokens, const char *) = na_rows_value(&rows, i, 0);
    return NULL;
}

na_error *na_db_update_session(na_db_use *use, const char *token, const char *new_token,
                               apr_int64_t expires)
{
    const char *arguments[] = {new_token, time_text(use, expires), token};
    return change_by(use, NA_SQL_UPDATE_SESSION, 2, 1, arguments, NULL);
}

na_error *na_db_delete_session(na_db_use *use, const char *token)
{
    return change_by(use, NA_SQL_DELETE_SESSION, 0, 1, &token, NULL);
}

/* ── verification tokens ───────────────────────────────────────────────────────────────────── */

na_error *na_db_create_token(na_db_use *use, const na_db_token *token)
{
    const char *arguments[] = {token->identifier, token->token, time_text(use, token->expires)};
    return na_db_change(use, NA_SQL_CREATE_TOKEN, COUNT(arguments), arguments, NULL);
}

na_error *na_db_make_room_for_token(na_db_use *use, const char *identifier)
{
    na_rows rows;
    NA_TRY(select_by(use, NA_SQL_NEWEST_TOKENS, 1, &identifier, &rows));
    if (rows.count < NA_DB_TOKENS_MAX)
        return NULL;
    const char *oldest = na_rows_value(&rows, NA_DB_TOKENS_MAX - 1, 0);
    const char *arguments[] = {time_text(use, na_schema_read_time(oldest)), identifier};
    return change_by(use, NA_SQL_DELETE_TOKENS_TO, 1, 1, arguments, NULL);
}

na_error *na_db_find_token(na_db_use *use, const char *identifier, const char *hash,
                           na_db_token *token, int *found)
{
    const char *keys[] = {identifier, hash};
    na_rows rows;
    NA_TRY(select_by(use, NA_SQL_TOKEN, COUNT(keys), keys, &rows));
    *found = rows.count > 0;
    if (*found)
        *token = (na_db_token){identifier, hash, na_schema_read_time(na_rows_value(&rows, 0, 2))};
    return NULL;
}

/* Only one of several concurrent deletions removes the row: its caller may use the token. */
na_error *na_db_use_token(na_db_use *use, const char *identifier, const char *hash,
                          na_db_token *token, int *found)
{
    const char *keys[] = {identifier, hash};
    int deleted = 0;
    NA_TRY(na_db_find_token(use, identifier, hash, token, found));
    if (*found)
        NA_TRY(change_by(use, NA_SQL_DELETE_TOKEN, 0, COUNT(keys), keys, &deleted));
    *found = deleted > 0;
    return NULL;
}

na_error *na_db_delete_tokens(na_db_use *use, const char *identifier)
{
    return change_by(use, NA_SQL_DELETE_TOKENS_FOR, 0, 1, &identifier, NULL);
}

na_error *na_db_delete_expired(na_db_use *use, apr_int64_t now)
{
    const char *text = time_text(use, now);
    const char *plain = number(use, now);
    NA_TRY(na_db_change(use, NA_SQL_DELETE_EXPIRED_SESSIONS, 1, &text, NULL));
    NA_TRY(na_db_change(use, NA_SQL_DELETE_EXPIRED_TOKENS, 1, &text, NULL));
    return na_db_change(use, NA_SQL_STORE_PURGE, 1, &plain, NULL);
}

/* ── authenticators ────────────────────────────────────────────────────────────────────────── */

na_error *na_db_create_authenticator(na_db_use *use, const na_db_authenticator *authenticator)
{
    const char *arguments[] = {authenticator->credential_id,         authenticator->user_id,
                               authenticator->provider_account_id,   authenticator->public_key,
                               number(use, authenticator->counter),  authenticator->device_type,
                               authenticator->backed_up ? "1" : "0", authenticator->transports};
    NA_TRY(check_id(use, authenticator->user_id));
    return na_db_change(use, NA_SQL_CREATE_AUTHENTICATOR, COUNT(arguments), arguments, NULL);
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

na_error *na_db_get_authenticator(na_db_use *use, const char *credential_id,
                                  na_db_authenticator *authenticator, int *found)
{
    na_rows rows;
    NA_TRY(select_by(use, NA_SQL_AUTHENTICATOR, 1, &credential_id, &rows));
    *found = rows.count > 0;
    if (*found)
        *authenticator = read_authenticator(&rows, 0);
    return NULL;
}

na_error *na_db_list_authenticators(na_db_use *use, const char *user_id, apr_array_header_t *list)
{
    na_rows rows;
    if (!is_id(use, user_id))
        return NULL;
    NA_TRY(na_db_select(use, NA_SQL_AUTHENTICATORS_OF_USER, 1, &user_id, &rows));
    for (int i = 0; i < rows.count; i++)
        APR_ARRAY_PUSH(list, na_db_authenticator) = read_authenticator(&rows, i);
    return NULL;
}

na_error *na_db_update_counter(na_db_use *use, const char *credential_id, apr_int64_t counter)
{
    const char *arguments[] = {number(use, counter), credential_id};
    return change_by(use, NA_SQL_UPDATE_COUNTER, 1, 1, arguments, NULL);
}

/* ── roles and passwords ───────────────────────────────────────────────────────────────────── */

static na_error *add_roles(na_db_use *use, na_statement statement, const char *user_id,
                           apr_array_header_t *roles)
{
    na_rows rows;
    NA_TRY(na_db_select(use, statement, 1, &user_id, &rows));
    for (int i = 0; i < rows.count; i++) {
        const char *role = na_rows_value(&rows, i, 0);
        if (role && *role)
            APR_ARRAY_PUSH(roles, const char *) = role;
    }
    return NULL;
}

na_error *na_db_roles(na_db_use *use, const char *user_id, int with_column,
                      apr_array_header_t *roles)
{
    if (!is_id(use, user_id))
        return NULL;
    NA_TRY(add_roles(use, NA_SQL_ROLES, user_id, roles));
    return with_column ? add_roles(use, NA_SQL_ROLE, user_id, roles) : NULL;
}

na_error *na_db_grant_role(na_db_use *use, const char *user_id, const char *role)
{
    const char *arguments[] = {user_id, role};
    return na_db_change(use, NA_SQL_GRANT_ROLE, COUNT(arguments), arguments, NULL);
}

na_error *na_db_revoke_role(na_db_use *use, const char *user_id, const char *role)
{
    const char *arguments[] = {user_id, role};
    return na_db_change(use, NA_SQL_REVOKE_ROLE, COUNT(arguments), arguments, NULL);
}

na_error *na_db_get_credential(na_db_use *use, const char *user_id, na_db_credential *credential)
{
    na_rows rows;
    *credential = (na_db_credential){0};
    NA_TRY(na_db_select(use, NA_SQL_CREDENTIAL, 1, &user_id, &rows));
    if (rows.count)
        *credential = (na_db_credential){na_rows_value(&rows, 0, 0),
                                         read_number(na_rows_value(&rows, 0, 1)) != 0,
                                         read_number(na_rows_value(&rows, 0, 2))};
    return NULL;
}

na_error *na_db_put_credential(na_db_use *use, const char *user_id, const char *hash,
                               apr_int64_t now)
{
    const char *arguments[] = {user_id, hash, number(use, now)};
    return na_db_change(use, NA_SQL_PUT_CREDENTIAL, COUNT(arguments), arguments, NULL);
}

na_error *na_db_replace_credential(na_db_use *use, const char *user_id, const char *was,
                                   const char *hash)
{
    const char *arguments[] = {hash, user_id, was};
    return na_db_change(use, NA_SQL_REPLACE_CREDENTIAL, COUNT(arguments), arguments, NULL);
}

na_error *na_db_disable_user(na_db_use *use, const char *user_id, int disabled)
{
    const char *arguments[] = {user_id, disabled ? "1" : "0"};
    return na_db_change(use, NA_SQL_DISABLE_USER, COUNT(arguments), arguments, NULL);
}

/* ── the standing of users ─────────────────────────────────────────────────────────────────── */

na_error *na_db_end_sessions(na_db_use *use, const char *user_id)
{
    NA_TRY(check_id(use, user_id));
    NA_TRY(na_db_change(use, NA_SQL_RAISE_REVISION, 1, &user_id, NULL));
    return na_db_change(use, NA_SQL_DELETE_USER_SESSIONS, 1, &user_id, NULL);
}

na_error *na_db_get_revision(na_db_use *use, const char *user_id, apr_int64_t *revision)
{
    na_rows rows;
    NA_TRY(na_db_select(use, NA_SQL_REVISION, 1, &user_id, &rows));
    *revision = rows.count ? read_number(na_rows_value(&rows, 0, 0)) : 0;
    return NULL;
}

na_error *na_db_hold_revision(na_db_use *use, const char *user_id, apr_int64_t *revision)
{
    NA_TRY(na_db_change(use, NA_SQL_HOLD_REVISION, 1, &user_id, NULL));
    return na_db_get_revision(use, user_id, revision);
}

na_error *na_db_get_standing(na_db_use *use, const char *user_id, int role_column,
                             na_db_standing *standing, int *found)
{
    const char *arguments[] = {user_id, user_id, user_id, user_id};
    na_rows rows;
    *found = 0;
    if (!is_id(use, user_id))
        return NULL;
    NA_TRY(na_db_select(use, NA_SQL_STANDING, COUNT(arguments), arguments, &rows));
    *found = rows.count > 0;
    if (!*found)
        return NULL;
    *standing = (na_db_standing){.email = na_rows_value(&rows, 0, 0),
                                 .disabled = read_number(na_rows_value(&rows, 0, 1)) != 0,
                                 .revision = read_number(na_rows_value(&rows, 0, 2)),
                                 .roles = apr_array_make(na_db_pool(use), 4, sizeof(char *))};
    for (int i = 0; i < rows.count; i++) {
        const char *role = na_rows_value(&rows, i, 3);
        if (role && *role)
            APR_ARRAY_PUSH(standing->roles, const char *) = role;
    }
    return role_column ? add_roles(use, NA_SQL_ROLE, user_id, standing->roles) : NULL;
}

/* ── lists of users ────────────────────────────────────────────────────────────────────────── */

/* Returns what is less than every ID. */
static const char *before_first(const na_schema *schema)
{
    if (na_schema_makes_ids(schema))
        return "0";
    return na_schema_has_uuids(schema) ? "00000000-0000-0000-0000-000000000000" : "";
}

static na_db_person read_person(na_db_use *use, const na_rows *rows, int row)
{
    return (na_db_person){.user = read_user(rows, row, 0),
                          .credential = {na_rows_value(rows, row, 5),
                                         read_number(na_rows_value(rows, row, 6)) != 0,
                                         read_number(na_rows_value(rows, row, 7))},
                          .revision = read_number(na_rows_value(rows, row, 8)),
                          .roles = apr_array_make(na_db_pool(use), 2, sizeof(char *))};
}

/* A user has a row per role, and one if there is none. */
na_error *na_db_list_people(na_db_use *use, const char *last, int count, apr_array_header_t *people)
{
    const char *arguments[] = {last ? last : before_first(na_db_schema_of(use)),
                               number(use, count)};
    na_rows rows;
    NA_TRY(na_db_select(use, NA_SQL_LIST_USERS, COUNT(arguments), arguments, &rows));
    const na_db_person *person = NULL;
    for (int i = 0; i < rows.count; i++) {
        const char *role = na_rows_value(&rows, i, 9);
        if (!person || strcmp(person->user.id, na_rows_value(&rows, i, 0)) != 0) {
            APR_ARRAY_PUSH(people, na_db_person) = read_person(use, &rows, i);
            person = &APR_ARRAY_IDX(people, people->nelts - 1, na_db_person);
        }
        if (role && *role)
            APR_ARRAY_PUSH(person->roles, const char *) = role;
    }
    return NULL;
}
