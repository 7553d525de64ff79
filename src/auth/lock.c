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

/*
 * Finds the owner of the account in the database; `owner` stays empty if there is none. A wrong
 * code of a second factor comes from a user who is known; the name of a sign-in is only typed.
 */
static na_error *owner_of(na_request *request, na_limited what, na_db_user *owner)
{
    const na_user *claimant = &request->claimant;
    const char *email, *typed = claimant->email ? claimant->email : "";
    if (what == NA_LIMIT_SECOND_FACTOR)
        *owner = (na_db_user){claimant->id, claimant->name, claimant->email, claimant->image, 0};
    else if (request->db && request->provider && request->provider->in_database &&
             !na_email_normalize(request->pool, typed, &email))
        return find_owner(request, email, owner);
    return NULL;
}

static void log_lock(na_request *request, na_limited what, long seconds)
{
    if (what == NA_LIMIT_SECOND_FACTOR)
        na_log(request, NA_LOG_WARNING, "RATE_LIMIT",
               "too many wrong codes of a second factor: the account is locked for %ld s; the "
               "first factor was right",
               seconds);
    else
        na_log(request, NA_LOG_WARNING, "RATE_LIMIT",
               "too many failed sign-ins: the account is locked for %ld s, except for browsers "
               "that signed in before",
               seconds);
}

/* The record has the name in any case. */
na_error *na_lock_report(na_request *request, na_limited what, long seconds)
{
    na_db_user owner = {0};
    na_error *error = owner_of(request, what, &owner);
    if (error)
        na_log_error(request, NA_LOG_WARNING, "RATE_LIMIT", error);
    na_event event = owner.id ? na_event_of_db_user(request, NA_EVENT_LOCK_USER, &owner)
                              : na_event_of(request, NA_EVENT_LOCK_USER, &request->claimant);
    event.detail = apr_psprintf(request->pool, "%ld seconds", seconds);
    log_lock(request, what, seconds);
    NA_TRY(na_record_event(request, NULL, &event));
    na_report(request, &event);
    if (owner.id)
        na_notice_send(request, NA_MAIL_ACCOUNT_LOCKED, owner.email, seconds);
    return NULL;
}
