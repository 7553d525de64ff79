/* SPDX-License-Identifier: Apache-2.0 */
/* Fetches the profile of a session's user again at an interval, once for all threads and servers.
 */
#ifndef NA_AUTH_RENEW_PROFILE_H
#define NA_AUTH_RENEW_PROFILE_H

#include "auth/renew_tokens.h"

/*
 * Returns 1 if the profile is due. It never is in sessions that began before the interval was set.
 */
int na_profile_is_due(const na_config *config, const na_session *session, apr_time_t now);

/*
 * If the profile is due, and no other request fetches it, asks the provider's userinfo endpoint
 * and replaces the claims of *session by what follows from the answer. Returns 0 if the session
 * must end: the sign-in rules refuse its user now, or the provider refuses and onRefusal=end.
 * Otherwise returns 1: a provider that is down changes nothing but the time of the next attempt.
 */
int na_profile_renew(na_request *request, const na_session **session);

#endif
