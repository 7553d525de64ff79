/* SPDX-License-Identifier: Apache-2.0 */
/* The account page: the user who is signed in, and changes of the account. */
#ifndef NA_ENDPOINT_ACCOUNT_VISIT_H
#define NA_ENDPOINT_ACCOUNT_VISIT_H

#include "auth/action.h"
#include "db/database.h"

/* A request to the account page, and what comes of it. */
typedef struct na_account_visit {
    na_request *request;
    na_response *response;
    const na_session *session; /* NULL if no enabled user of the database is signed in */
    na_db_person person;
    apr_array_header_t *accounts; /* na_db_account */
    int is_answered;              /* 1 if the response leads elsewhere */
    const char *said;             /* what was done, for the user; NULL if nothing was */
    const char *fault;            /* why a change was refused, for the user; NULL if it was not */
} na_account_visit;

/*
 * Loads the user who is signed in: for a POST as of now, otherwise possibly from a replica. If
 * there is none, the response leads to the sign-in page, and from there to `path` (below the base
 * URL). The error is NA_ERR_CONFIGURATION if the page is off.
 */
na_error *na_account_load(na_account_visit *v, const char *path);

/* Does the same for a page that is not a part of the account page. */
na_error *na_account_load_user(na_account_visit *v, const char *path);

/* Responds with the page, and with what was said. */
void na_account_respond(na_account_visit *v);

/*
 * Lets the user of a sensitive change confirm it: by the current password if the user has one,
 * otherwise, and with a second factor as well, by a fresh sign-in. Sets `fault` or `is_answered` if
 * the change must not be made. Which change it is, is in request->attempted.
 */
na_error *na_account_confirm(na_account_visit *v, na_event_kind kind);

/* Returns 1 if the account is the row that Auth.js keeps of a passkey. */
int na_account_is_passkey(const na_db_account *account);

/* Returns 1 if the user has a password that the site accepts. */
int na_account_has_password(const na_account_visit *v);

/*
 * Changes the user as was decided and records `event`. *held is 0 if the user changed meanwhile.
 */
na_error *na_account_decide(na_account_visit *v, na_decision *decision, const na_event *event,
                            int *held);

/*
 * After a change that ended all sessions of the user: removes them from the list, and begins the
 * browser's own again, as of `revision`.
 */
na_error *na_account_stay(na_account_visit *v, apr_int64_t revision);

#endif
