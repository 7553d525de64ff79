/* SPDX-License-Identifier: Apache-2.0 */
/* The session of a request. */
#ifndef NA_AUTH_SESSION_H
#define NA_AUTH_SESSION_H

#include "auth/action.h"

/* Loads the session without counting it in metrics, because no page is visited. */
na_error *na_request_session(const na_request *request, const na_session **session);

/* Loads the session as na_request_session does, but always asks the store and the database. */
na_error *na_request_session_now(const na_request *request, const na_session **session);

/*
 * Returns 1 if, by this revision of the user, no sessions were revoked since
 * na_request_session_now. A row of NextAuth's table has no revision and counts as unchanged.
 */
int na_session_is_of_revision(const na_request *request, const na_session *session,
                              apr_int64_t revision);

/* Ends the sessions of the request, and records and reports that its user signed out. */
na_error *na_request_end_session(na_request *request, na_response *response);

#endif
