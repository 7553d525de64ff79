/* SPDX-License-Identifier: Apache-2.0 */
/* Secures a user whose email address is vouched for the first time. */
#ifndef NA_AUTH_RECLAIM_H
#define NA_AUTH_RECLAIM_H

#include "auth/action.h"
#include "sql/records.h"

/*
 * Records that the user's email address is vouched for. If that is the first time, removes every
 * account and password of the user, except `kept` (can be NULL), the account that vouches.
 */
na_error *na_account_vouch(na_request *request, na_db_use *use, na_db_user *user,
                           const na_db_account *kept, na_subject *subject);

/* Ends the earlier sessions, after the transaction. */
na_error *na_account_end_unvouched(na_request *request, const na_subject *subject);

#endif
