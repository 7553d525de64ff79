/* SPDX-License-Identifier: Apache-2.0 */
/* The last part of every sign-in: rules, roles, claims, the session. */
#ifndef NA_AUTH_COMPLETE_H
#define NA_AUTH_COMPLETE_H

#include "auth/action.h"

/*
 * Signs the subject in: rules, roles, claims, session cookie, and on to request->callback_url.
 */
na_error *na_complete_sign_in(na_request *request, na_response *response, na_subject *subject);

/* Reports what was changed in the database, after the transaction; each change once. */
void na_report_changes(na_request *request, na_subject *subject);

/* NextAuthSignInRule: refuses with NA_ERR_ACCESS_DENIED. */
na_error *na_apply_rules(na_request *request, const na_subject *subject);

#endif
