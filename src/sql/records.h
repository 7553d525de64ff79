/* SPDX-License-Identifier: Apache-2.0 */
/* Users, accounts, sessions, and tokens, as NextAuth's adapters define them. */
#ifndef NA_SQL_RECORDS_H
#define NA_SQL_RECORDS_H

#include "sql/database.h"

/*
 * Auth.js's adapter interface over a database that NextAuth shares. NULL text is NULL in the
 * database; times are milliseconds since 1970, 0 for NULL. Everything lives in the pool of the use.
 * Reading functions set *found to 0 if there is no such row; errors have the code
 * NA_ERR_UNAVAILABLE.
 */

typedef struct na_db_user {
    const char *id;
    const char *name, *email, *image;
    apr_int64_t email_verified;
} na_db_user;

typedef struct na_db_account {
    const char *user_id;
    const char *type, *provider, *provider_account_id;
    const char *refresh_token, *access_token, *token_type, *scope, *id_token, *session_state;
    apr_int64_t expires_at; /* seconds */
} na_db_account;

typedef struct na_db_session {
    const char *token, *user_id;
    apr_int64_t expires;
} na_db_session;

typedef struct na_db_token {
    const char *identifier, *token; /* the token's hash */
    apr_int64_t expires;
} na_db_token;

typedef struct na_db_authenticator {
    const char *credential_id, *user_id, *provider_account_id, *public_key; /* base64 */
    apr_int64_t counter;
    const char *device_type, *transports;
    int backed_up;
} na_db_authenticator;

/* Implements createUser: sets user->id. */
na_error *na_db_create_user(na_db_use *use, na_db_user *user);
na_error *na_db_get_user(na_db_use *use, const char *id, na_db_user *user, int *found);
na_error *na_db_get_user_by_email(na_db_use *use, const char *email, na_db_user *user, int *found);
na_error *na_db_get_user_by_account(na_db_use *use, const char *provider, const char *account_id,
                                    na_db_user *user, int *found);

/* Implements updateUser: writes all columns but the ID. */
na_error *na_db_update_user(na_db_use *use, const na_db_user *user);

/* Implements deleteUser, including all data of the user. */
na_error *na_db_delete_user(na_db_use *use, const char *id);

na_error *na_db_link_account(na_db_use *use, const na_db_account *account);
na_error *na_db_unlink_account(na_db_use *use, const char *provider, const char *account_id);
na_error *na_db_get_account(na_db_use *use, const char *provider, const char *account_id,
                            na_db_account *account, int *found);
na_error *na_db_list_accounts(na_db_use *use, const char *user_id, apr_array_header_t *accounts);

/*
 * Replaces `was` by `token` with one of NA_SQL_REPLACE_*_TOKEN. A token that an application has
 * written meanwhile is kept.
 */
na_error *na_db_replace_token(na_db_use *use, na_statement statement, const na_db_account *account,
                              const char *was, const char *token);

/* Writes the name of a token column that is too narrow for encrypted tokens; NULL if none. */
na_error *na_db_find_narrow_token(na_db_use *use, const char **column);

/*
 * Deletes all means by which a user can sign in, except the account `kept` (NULL if none):
 * accounts, password, authenticators; also the sessions of NextAuth's table. `ended` describes what
 * was deleted; NULL if nothing was.
 */
na_error *na_db_delete_logins(na_db_use *use, const char *user_id, const na_db_account *kept,
                              const char **ended);

na_error *na_db_create_session(na_db_use *use, const na_db_session *session);
na_error *na_db_get_session_and_user(na_db_use *use, const char *token, na_db_session *session,
                                     na_db_user *user, int *found);
/* Lists the tokens (const char *) of a user's sessions. */
na_error *na_db_list_session_tokens(na_db_use *use, const char *user_id,
                                    apr_array_header_t *tokens);
/* Implements updateSession: replaces `token` by `new_token`, which is usually the same. */
na_error *na_db_update_session(na_db_use *use, const char *token, const char *new_token,
                               apr_int64_t expires);
na_error *na_db_delete_session(na_db_use *use, const char *token);

na_error *na_db_create_token(na_db_use *use, const na_db_token *token);

/*
 * Deletes an identifier's oldest tokens, so that it has at most NA_DB_TOKENS_MAX after one more is
 * added. Requires a transaction that holds a lock for the identifier.
 */
na_error *na_db_make_room_for_token(na_db_use *use, const char *identifier);

/* Finds a token without using it. */
na_error *na_db_find_token(na_db_use *use, const char *identifier, const char *hash,
                           na_db_token *token, int *found);

/*
 * Implements useVerificationToken: only one of several concurrent calls finds the token. Requires a
 * transaction.
 */
na_error *na_db_use_token(na_db_use *use, const char *identifier, const char *hash,
                          na_db_token *token, int *found);

/* Deletes all tokens of an identifier. */
na_error *na_db_delete_tokens(na_db_use *use, const char *identifier);

na_error *na_db_create_authenticator(na_db_use *use, const na_db_authenticator *authenticator);
na_error *na_db_get_authenticator(na_db_use *use, const char *credential_id,
                                  na_db_authenticator *authenticator, int *found);
na_error *na_db_list_authenticators(na_db_use *use, const char *user_id, apr_array_header_t *list);
na_error *na_db_update_counter(na_db_use *use, const char *credential_id, apr_int64_t counter);

/* Deletes sessions, tokens, and store entries that expired before `now` (milliseconds). */
na_error *na_db_delete_expired(na_db_use *use, apr_int64_t now);

/*
 * Appends the roles (const char *) from this module's table, and from users.role if `with_column`.
 */
na_error *na_db_roles(na_db_use *use, const char *user_id, int with_column,
                      apr_array_header_t *roles);
na_error *na_db_grant_role(na_db_use *use, const char *user_id, const char *role);
na_error *na_db_revoke_role(na_db_use *use, const char *user_id, const char *role);

/* A user's password hash, and whether sign-in is disabled. */
typedef struct na_db_credential {
    const char *hash; /* NULL if no password */
    int disabled;
    apr_int64_t changed_at;
} na_db_credential;

/* Reads a user's credential. A user without a row has no password and is not disabled. */
na_error *na_db_get_credential(na_db_use *use, const char *user_id, na_db_credential *credential);
na_error *na_db_put_credential(na_db_use *use, const char *user_id, const char *hash,
                               apr_int64_t now);

/* Writes a stronger hash of the same password, unless the password was changed meanwhile. */
na_error *na_db_replace_credential(na_db_use *use, const char *user_id, const char *was,
                                   const char *hash);
na_error *na_db_disable_user(na_db_use *use, const char *user_id, int disabled);

/*
 * A session belongs to a revision of its user (claim NA_CLAIM_REVISION) and ends with it. Code that
 * removes a right must raise the revision in the same transaction. This function does, and also
 * deletes the rows of NextAuth's table of sessions.
 */
na_error *na_db_end_sessions(na_db_use *use, const char *user_id);
na_error *na_db_get_revision(na_db_use *use, const char *user_id, apr_int64_t *revision);

/* Reads the revision and locks it until the transaction ends. */
na_error *na_db_hold_revision(na_db_use *use, const char *user_id, apr_int64_t *revision);

/* The data that decides whether a user's session is valid, and the user's roles. */
typedef struct na_db_standing {
    const char *email;
    int disabled;
    apr_int64_t revision;
    apr_array_header_t *roles; /* const char * */
} na_db_standing;

na_error *na_db_get_standing(na_db_use *use, const char *user_id, int role_column,
                             na_db_standing *standing, int *found);

/* A user, and everything that decides what the user may do. */
typedef struct na_db_person {
    na_db_user user;
    na_db_credential credential;
    apr_int64_t revision;
    apr_array_header_t *roles; /* const char * */
} na_db_person;

/*
 * Appends up to `count` users (na_db_person) with IDs greater than `last` (NULL for the first), in
 * the order of IDs.
 */
na_error *na_db_list_people(na_db_use *use, const char *last, int count,
                            apr_array_header_t *people);

#endif
