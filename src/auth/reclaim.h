/* SPDX-License-Identifier: Apache-2.0 */
/* Secures a user whose email address is vouched for the first time. */
#ifndef NA_AUTH_RECLAIM_H
#define NA_AUTH_RECLAIM_H

#include "auth/action.h"
#include "db/database.h"

/*
 * Decides that the email address of `user` is vouched for. If that is the first time, every account
 * and password of the user ends, except `kept` (can be NULL), the account that vouches; but nothing
 * ends if the user has a second factor, which this sign-in will be asked for.
 */
na_error *na_account_vouch(const na_request *request, na_db_user *user, const na_db_account *kept,
                           na_decision *decision, na_subject *subject);

/* Returns what the decision ended, for the record; NULL if nothing. */
const char *na_account_reclaimed(apr_pool_t *pool, const na_decision *decision);

/* Ends the earlier sessions, after the decision. */
na_error *na_account_end_unvouched(na_request *request, const na_subject *subject);

#endif
