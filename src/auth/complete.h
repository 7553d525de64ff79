/* SPDX-License-Identifier: Apache-2.0 */
/* Completes a sign-in: rules, roles, claims, and the session. */
#ifndef NA_AUTH_COMPLETE_H
#define NA_AUTH_COMPLETE_H

#include "auth/action.h"

/*
 * Decides whether the subject is admitted, resolves its user in the database, and returns the
 * claims of its session. If NextAuthCallback leads the user elsewhere, *elsewhere is that URL, and
 * there are no claims; otherwise it is NULL.
 */
na_error *na_admit(na_request *request, na_subject *subject, json_t **claims,
                   const char **elsewhere);

/*
 * Decides again whether a user who signed in before is admitted, by a profile that was fetched
 * again, and puts what follows from it into the claims of the session. The error is
 * NA_ERR_ACCESS_DENIED if the session must end.
 */
na_error *na_admit_again(na_request *request, na_subject *subject, const na_session *session,
                         json_t *claims);

/*
 * Decides whether the user or client of an access token is admitted, and returns the claims that
 * the rules give it. No callback is asked, and no user is created.
 */
na_error *na_admit_token(na_request *request, na_subject *subject, json_t **claims);

/*
 * Signs the subject in, and redirects to request->callback_url.
 */
na_error *na_complete_sign_in(na_request *request, na_response *response, na_subject *subject);

/* Reports the changes to the database, after the transaction, each once. */
void na_report_changes(na_request *request, na_subject *subject);

/* Applies NextAuthSignInRule; the error is NA_ERR_ACCESS_DENIED. */
na_error *na_apply_rules(na_request *request, const na_subject *subject);

#endif
