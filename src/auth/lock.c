/* SPDX-License-Identifier: Apache-2.0 */
/* Records and reports that an account is locked for unknown browsers. */
#include "auth/lock.h"

#include <apr_strings.h>

#include "auth/notice.h"
#include "auth/report.h"
#include "mail/address.h"

static na_error *find_owner(na_request *request, const char *email, na_db_user *user)
{
    const na_db_who who = {.email = email};
    na_db_person person;
    int found;
    NA_TRY(na_db_find(request->db, request->pool, &who, &person, &found));
    *user = found ? person.user : (na_db_user){0};
    return NULL;
}

/* Looks up the owner of a name only in the database; the record has the name in any case. */
na_error *na_lock_report(na_request *request, long seconds)
{
    na_db_user owner = {0};
    const char *email;
    const char *typed = request->claimant.email ? request->claimant.email : "";
    if (request->db && request->provider && request->provider->in_database &&
        !na_email_normalize(request->pool, typed, &email)) {
        na_error *error = find_owner(request, email, &owner);
        if (error)
            na_log_error(request, NA_LOG_WARNING, "RATE_LIMIT", error);
    }
    na_event event = owner.id ? na_event_of_db_user(request, NA_EVENT_LOCK_USER, &owner)
                              : na_event_of(request, NA_EVENT_LOCK_USER, &request->claimant);
    event.detail = apr_psprintf(request->pool, "%ld seconds", seconds);
    na_log(request, NA_LOG_WARNING, "RATE_LIMIT",
           "too many failed sign-ins: the account is locked for %ld s, except for browsers that "
           "signed in before",
           seconds);
    NA_TRY(na_record_event(request, NULL, &event));
    na_report(request, &event);
    if (owner.id)
        na_notice_send(request, NA_MAIL_ACCOUNT_LOCKED, owner.email, seconds);
    return NULL;
}
