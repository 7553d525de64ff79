/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of a request, looked up one by one; for the files that implement sessions.h. */
#ifndef NA_SESSION_LOAD_H
#define NA_SESSION_LOAD_H

#include "session/cookies.h"

/*
 * Looks up the next token that is a valid session. Others can precede it, such as a stale one of a
 * parent domain. *session is NULL if there is none. Fails if a token could not be looked up.
 */
na_error *na_session_load_next(const na_sessions *sessions, const na_visit *visit, na_shown *at,
                               const na_session **session);

#endif
