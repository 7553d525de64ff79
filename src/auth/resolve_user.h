/* SPDX-License-Identifier: Apache-2.0 */
/* The database's user of a sign-in. */
#ifndef NA_AUTH_RESOLVE_USER_H
#define NA_AUTH_RESOLVE_USER_H

#include "auth/action.h"
#include "db/adapter.h"

/*
 * Finds who the subject is in the database, as Auth.js decides it: known, linked to the user who is
 * signed in, linked by email address, or new. Puts that user, and the user's roles, into the
 * subject.
 */
na_error *na_account_resolve(na_request *request, na_subject *subject);

/* Finds a user whose password was checked. */
na_error *na_account_resolve_known(na_request *request, na_subject *subject);

/* Finds the user of a mailed link, which is used up. */
na_error *na_account_resolve_email(na_request *request, na_subject *subject);

/* Puts a user of the database, and the user's roles, into the subject; refuses a disabled one. */
na_error *na_account_adopt(na_request *request, na_db_use *use, const na_db_user *user,
                           na_subject *subject);

/*
 * Writes the audit log's records of what a transaction did for the subject: created a user, linked
 * an account.
 */
na_error *na_account_audit(na_request *request, na_db_use *use, const na_subject *subject);

#endif
