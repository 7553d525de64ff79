/* SPDX-License-Identifier: Apache-2.0 */
/* The first time that somebody vouches for a user's email address. */
#ifndef NA_AUTH_RECLAIM_H
#define NA_AUTH_RECLAIM_H

#include "auth/action.h"
#include "db/adapter.h"

/*
 * Notes that the user's email address is vouched for. If that is the first time, what could sign in
 * as the user before is removed. `kept` (may be NULL) is the account that vouches.
 */
na_error *na_account_vouch(na_request *request, na_db_use *use, na_db_user *user,
                           const na_db_account *kept, na_subject *subject);

/* Ends the sessions that existed before, after the transaction. */
na_error *na_account_end_unvouched(na_request *request, const na_subject *subject);

#endif
