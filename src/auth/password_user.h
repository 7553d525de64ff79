/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies and changes passwords in the database. */
#ifndef NA_AUTH_PASSWORD_USER_H
#define NA_AUTH_PASSWORD_USER_H

#include "auth/action.h"
#include "db/database.h"

/*
 * Verifies an email address and password: sets *user and *found, which is 0 if they do not match.
 * Takes as long for unknown users.
 */
na_error *na_password_user_check(na_request *request, const char *email, const char *password,
                                 na_db_user *user, apr_int64_t *revision, int *found);

/* Decides that the user has this password, and that all sessions end. */
void na_password_user_put(const na_request *request, const char *hash, na_decision *decision);

/* Hashes a new password, within the gate. */
na_error *na_password_user_hash(na_request *request, const char *password, const char **hash);

/* Returns what is wrong with a new password, for the user to read; NULL if nothing is. */
const char *na_password_user_fault(na_request *request, const char *name, const char *email,
                                   const char *password);

/*
 * Returns what is wrong with a new password if it is known from breaches, NULL otherwise. Queries a
 * service, so all other checks come first.
 */
const char *na_password_user_breach(na_request *request, const char *password);

/* Returns the name in the form; NULL if it is missing or invalid. */
const char *na_password_user_name(const na_request *request);

/*
 * Ends the user's sessions in the registry, if there is one. The user's new revision has ended them
 * already; this removes them from the list.
 */
na_error *na_password_user_sign_out(na_request *request, const char *user_id);

/* Returns the provider of users whose passwords are in the database, NULL if none. */
const na_provider *na_password_user_provider(const na_request *request);

/* Returns 1 if one of these features (NA_FEATURE_…) is enabled. */
int na_feature_is_offered(const na_request *request, int features);

#endif
