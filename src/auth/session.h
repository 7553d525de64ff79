/* SPDX-License-Identifier: Apache-2.0 */
/* The session of a request. */
#ifndef NA_AUTH_SESSION_H
#define NA_AUTH_SESSION_H

#include "auth/action.h"

/* na_session_load for what is no look at a page or at a session: metrics do not count it. */
na_error *na_request_session(const na_request *request, const na_session **session);

/* na_request_session, with the store and the database asked, however lately they were. */
na_error *na_request_session_now(const na_request *request, const na_session **session);

/*
 * Returns 1 if no session of the user was ended since na_request_session_now, by this revision of
 * the user. A row of NextAuth's table has none, and counts as it was then.
 */
int na_session_is_of_revision(const na_request *request, const na_session *session,
                              apr_int64_t revision);

#endif
