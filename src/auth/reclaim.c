/* SPDX-License-Identifier: Apache-2.0 */
/* Secures a user whose email address is vouched for the first time. */
#include "auth/reclaim.h"

#include "auth/password_user.h"

/*
 * An attacker could have created a user with another person's email address (through an application
 * that shares the tables, or a provider that verifies nothing) and wait for its owner to sign in.
 * The column emailVerified says whether the address was ever vouched for: by a link sent to it, by
 * a provider, or by an administrator who created the user.
 */

na_error *na_account_vouch(na_request *request, na_db_use *use, na_db_user *user,
                           const na_db_account *kept, na_subject *subject)
{
    if (user->email_verified)
        return NULL;
    NA_TRY(na_db_delete_logins(use, user->id, kept, &subject->reclaimed));
    user->email_verified = apr_time_as_msec(request->now);
    subject->is_first_vouched = 1;
    if (subject->reclaimed)
        subject->events |= 1u << NA_EVENT_RECLAIM_USER;
    return na_db_update_user(use, user);
}

na_error *na_account_end_unvouched(na_request *request, const na_subject *subject)
{
    return subject->is_first_vouched ? na_password_user_sign_out(request, subject->user.id) : NULL;
}
