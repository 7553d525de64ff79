/* SPDX-License-Identifier: Apache-2.0 */
/* The first time that an email address is vouched for. */
#include "auth/reclaim.h"

#include "auth/password_user.h"

/*
 * Somebody may have made a user of an address that is not his (an application that shares the
 * tables lets him, or a provider that verifies nothing), and wait for its owner to move in. A
 * user's column emailVerified tells whether the address was ever vouched for: by a mailed link, by
 * a provider, or by an administrator who made the user.
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
