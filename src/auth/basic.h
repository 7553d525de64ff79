/* SPDX-License-Identifier: Apache-2.0 */
/* The site's own passwords, shown with each request (NextAuthBasic). */
#ifndef NA_AUTH_BASIC_H
#define NA_AUTH_BASIC_H

#include "auth/action.h"

/* Seconds for which a process relies on a password that was right. */
#define NA_BASIC_SECONDS 5

/* Returns the key of what is kept about a username and password: a keyed hash as hex. */
const char *na_basic_key(apr_pool_t *pool, const na_config *config, const na_provider *provider,
                         const char *user, const char *password);

/* Returns the session that the process keeps of the key, and has verified that recently; or NULL.
 */
const na_session *na_basic_recent(const na_sessions *sessions, const na_visit *visit,
                                  const char *key);

/*
 * Verifies a password with request->provider as a sign-in does: limits, gate, rules, roles, and the
 * audit log. Its session is kept for the key, and nowhere else. The error is NA_ERR_ACCESS_DENIED
 * if the user has a second factor, which such a client cannot be asked for.
 */
na_error *na_basic_load(na_request *request, const char *user, const char *password,
                        const char *key, const na_session **session);

#endif
