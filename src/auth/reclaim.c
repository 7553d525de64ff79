/* SPDX-License-Identifier: Apache-2.0 */
/* Secures a user whose email address is vouched for the first time. */
#include "auth/reclaim.h"

#include <apr_strings.h>

#include "auth/factors.h"
#include "auth/password_user.h"

/*
 * An attacker could have created a user with another person's email address (through an application
 * that shares the tables, or a provider that verifies nothing) and wait for its owner to sign in.
 * The column emailVerified says whether the address was ever vouched for: by a link sent to it, by
 * a provider, or by an administrator who created the user.
 */

/* If the mailbox were enough to remove the second factor, it would be none against its thief. */
static na_error *has_factor(const na_request *request, const na_db_user *user, int *has)
{
    na_factors factors;
    *has = 0;
    if (request->config->session.two_factor == NA_TWO_FACTOR_OFF || !user->id)
        return NULL;
    NA_TRY(na_factors_find(request, user->id, &factors));
    *has = na_factors_are_asked(request, &factors);
    return NULL;
}

na_error *na_account_vouch(const na_request *request, na_db_user *user, const na_db_account *kept,
                           na_decision *decision, na_subject *subject)
{
    int has;
    if (user->email_verified)
        return NULL;
    NA_TRY(has_factor(request, user, &has));
    user->email_verified = apr_time_as_msec(request->now);
    decision->user = user;
    if (has)
        return NULL;
    decision->does |= NA_DB_ENDS_LOGINS;
    decision->kept = kept;
    subject->is_first_vouched = 1;
    return NULL;
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
