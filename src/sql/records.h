/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of users, accounts, sessions, and tokens: one statement each, or a few of one transaction.
 */
#ifndef NA_SQL_RECORDS_H
#define NA_SQL_RECORDS_H

#include "sql/database.h"

/*
 * Everything lives in the pool of the use. Reading functions set *found to 0 if there is no such
 * row; errors have the code NA_ERR_UNAVAILABLE.
 */

/* Returns 1 if a user can have this ID: it has one spelling, and no database refuses it. */
int na_sql_is_id(const na_schema *schema, const char *id);

/* Reads a user from the columns that begin at `from`, in the order of schema.c. */
na_db_user na_sql_read_user(const na_rows *rows, int row, int from);

/* Sets user->id. */
na_error *na_sql_create_user(na_db_use *use, na_db_user *user);
na_error *na_sql_get_user(na_db_use *use, const char *id, na_db_user *user, int *found);
na_error *na_sql_get_user_by_email(na_db_use *use, const char *email, na_db_user *user, int *found);

/* Writes all columns but the ID. */
na_error *na_sql_update_user(na_db_use *use, const na_db_user *user);

/* Deletes the user, and all data of the user. */
na_error *na_sql_delete_user(na_db_use *use, const char *id);

na_error *na_sql_link_account(na_db_use *use, const na_db_account *account);
na_error *na_sql_unlink_account(na_db_use *use, const char *provider, const char *account_id);
na_error *na_sql_get_account(na_db_use *use, const char *provider, const char *account_id,
                             na_db_account *account, int *found);
na_error *na_sql_list_accounts(na_db_use *use, const char *user_id, apr_array_header_t *accounts);

/* Implements na_adapter.replace_tokens. */
na_error *na_sql_replace_tokens(na_db_use *use, const na_db_account *was, const na_db_account *is);

/* Writes the name of a token column that is too narrow for encrypted tokens; NULL if none. */
na_error *na_sql_find_narrow_token(na_db_use *use, const char **column);

/* Implements NA_DB_ENDS_LOGINS, and counts what was ended in `result`. */
na_error *na_sql_delete_logins(na_db_use *use, const char *user_id, const na_db_account *kept,
                               na_decision *result);

na_error *na_sql_create_session(na_db_use *use, const na_db_session *session);
na_error *na_sql_list_sessions(na_db_use *use, const char *user_id, apr_array_header_t *sessions);
na_error *na_sql_has_session(na_db_use *use, const char *token, int *found);
na_error *na_sql_update_session(na_db_use *use, const char *token, const char *new_token,
                                apr_int64_t expires);
na_error *na_sql_delete_session(na_db_use *use, const char *token);

na_error *na_sql_create_token(na_db_use *use, const na_db_token *token);

/*
 * Deletes an identifier's oldest tokens, so that it has at most `most` after one more is added.
 * Requires a transaction that holds a lock for the identifier.
 */
na_error *na_sql_make_room_for_token(na_db_use *use, const char *identifier, int most);

na_error *na_sql_find_token(na_db_use *use, const char *identifier, const char *hash,
                            na_db_token *token, int *found);

/* Only one of several concurrent calls finds the token. Requires a transaction. */
na_error *na_sql_use_token(na_db_use *use, const char *identifier, const char *hash,
                           na_db_token *token, int *found);

/* Deletes all tokens of an identifier. */
na_error *na_sql_delete_tokens(na_db_use *use, const char *identifier);

na_error *na_sql_create_authenticator(na_db_use *use, const na_db_authenticator *authenticator);
na_error *na_sql_get_authenticator(na_db_use *use, const char *credential_id,
                                   na_db_authenticator *authenticator, int *found);
na_error *na_sql_list_authenticators(na_db_use *use, const char *user_id, apr_array_header_t *list);
na_error *na_sql_update_counter(na_db_use *use, const char *credential_id, apr_int64_t counter);

/* Deletes all authenticators of a user; none if the database lacks the table. */
na_error *na_sql_delete_authenticators(na_db_use *use, const char *user_id);

/* Deletes an authenticator of this user; one that another user has stays. */
na_error *na_sql_delete_authenticator(na_db_use *use, const char *user_id,
                                      const char *credential_id);

/* Deletes sessions, tokens, secrets, and store entries that expired before `now` (milliseconds). */
na_error *na_sql_delete_expired(na_db_use *use, apr_int64_t now);

na_error *na_sql_grant_role(na_db_use *use, const char *user_id, const char *role);
na_error *na_sql_revoke_role(na_db_use *use, const char *user_id, const char *role);

na_error *na_sql_put_credential(na_db_use *use, const char *user_id, const char *hash,
                                apr_int64_t now);
na_error *na_sql_replace_credential(na_db_use *use, const char *user_id, const char *was,
                                    const char *hash);
na_error *na_sql_disable_user(na_db_use *use, const char *user_id, int disabled);

/* Raises the revision, and deletes the rows of NextAuth's table of sessions. */
na_error *na_sql_end_sessions(na_db_use *use, const char *user_id);
na_error *na_sql_get_revision(na_db_use *use, const char *user_id, apr_int64_t *revision);

/* Reads the revision and locks it until the transaction ends. */
na_error *na_sql_hold_revision(na_db_use *use, const char *user_id, apr_int64_t *revision);

#endif
