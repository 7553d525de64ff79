/* SPDX-License-Identifier: Apache-2.0 */
/* Users whose passwords are in the database. */
#ifndef NA_AUTH_PASSWORD_USER_H
#define NA_AUTH_PASSWORD_USER_H

#include "auth/action.h"
#include "db/adapter.h"

/*
 * *user is whose address and password these are; `found` 0 where they are nobody's. Takes as long
 * for nobody.
 */
na_error *na_password_user_check(na_request *request, const char *email, const char *password,
                                 na_db_user *user, apr_int64_t *revision, int *found);

/*
 * Gives the user a password and ends the sessions that there are, in a transaction. Fails with
 * NA_ERR_CREDENTIALS_SIGNIN if the user's revision is not the one (NULL: whichever it is) at which
 * the current password was checked. *revision takes the new one.
 */
na_error *na_password_user_put(na_request *request, na_db_use *use, const char *user_id,
                               const char *hash, const apr_int64_t *checked, apr_int64_t *revision);

/* Hashes a new password, behind the gate. */
na_error *na_password_user_hash(na_request *request, const char *password, const char **hash);

/* What is wrong with a new password, for who chose it; NULL where nothing is. */
const char *na_password_user_fault(na_request *request, const char *name, const char *email,
                                   const char *password);

/*
 * What is wrong with a new password that is known from breaches; a service is asked, so this comes
 * after all other checks.
 */
const char *na_password_user_breach(na_request *request, const char *password);

/* The name of the form; NULL where there is none, or none that can be one. */
const char *na_password_user_name(const na_request *request);

/*
 * Ends the user's sessions in the registry, if there is one: the user's new revision has ended them
 * already, this takes them off the list.
 */
na_error *na_password_user_sign_out(na_request *request, const char *user_id);

/* The provider of users whose passwords are in the database; NULL if there is none. */
const na_provider *na_password_user_provider(const na_request *request);

/* Whether one of these features (NA_FEATURE_…) is on. */
int na_feature_is_offered(const na_request *request, int features);

#endif
