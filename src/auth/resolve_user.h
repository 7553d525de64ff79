/* SPDX-License-Identifier: Apache-2.0 */
/* Finds or creates the database user of a sign-in. */
#ifndef NA_AUTH_RESOLVE_USER_H
#define NA_AUTH_RESOLVE_USER_H

#include "auth/action.h"
#include "db/database.h"

/*
 * Finds the subject's user in the database as Auth.js does: known, linked to the user who is signed
 * in, linked by email address, or new. Puts that user and their roles into the subject.
 */
na_error *na_account_resolve(na_request *request, na_subject *subject);

/* Finds a user whose password or passkey was verified. */
na_error *na_account_resolve_known(na_request *request, na_subject *subject);

/* Finds the user of a link in an email, and uses it up. */
na_error *na_account_resolve_email(na_request *request, na_subject *subject);

/*
 * For na_decision.record: completes the subject's events with what the decision ended, and writes
 * the audit records of its changes.
 */
na_error *na_account_audit(na_request *request, na_db_use *use, const na_decision *decision,
                           na_subject *subject);

#endif
