/* SPDX-License-Identifier: Apache-2.0 */
/* Secures a user whose email address is vouched for the first time. */
#include "auth/reclaim.h"

#include <apr_strings.h>

#include "auth/password_user.h"

/*
 * An attacker could have created a user with another person's email address (through an application
 * that shares the tables, or a provider that verifies nothing) and wait for its owner to sign in.
 * The column emailVerified says whether the address was ever vouched for: by a link sent to it, by
 * a provider, or by an administrator who created the user.
 */

void na_account_vouch(const na_request *request, na_db_user *user, const na_db_account *kept,
                      na_decision *decision, na_subject *subject)
{
    if (user->email_verified)
        return;
    user->email_verified = apr_time_as_msec(request->now);
    decision->user = user;
    decision->does |= NA_DB_ENDS_LOGINS;
    decision->kept = kept;
    subject->is_first_vouched = 1;
}

const char *na_account_reclaimed(apr_pool_t *pool, const na_decision *decision)
{
    return decision->accounts_ended || decision->password_ended || decision->sessions_ended
               ? apr_psprintf(pool, "accounts %d, password %d, sessions %d",
                              decision->accounts_ended, decision->password_ended,
                              decision->sessions_ended)
               : NULL;
}

na_error *na_account_end_unvouched(na_request *request, const na_subject *subject)
{
    return subject->is_first_vouched ? na_password_user_sign_out(request, subject->user.id) : NULL;
}
