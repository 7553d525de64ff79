/* SPDX-License-Identifier: Apache-2.0 */
/* The standing of a session's user in the database. */
#ifndef NA_SESSION_STANDING_H
#define NA_SESSION_STANDING_H

#include "db/database.h"
#include "session/session.h"

/* Returns 1 if the session's user is in the database, which must be queried then. */
int na_standing_matters(const na_session *session);

/* Returns 1 if the user's sessions were not ended since the session began. */
int na_standing_has_revision(const na_session *session, apr_int64_t revision);

/*
 * Fails with NA_ERR_SESSION if the user no longer exists or is disabled, or if the user's sessions
 * were ended. Updates the roles and the email address of *session. Requires one query.
 */
na_error *na_standing_check(const na_db *db, apr_pool_t *pool, int role_column,
                            const apr_array_header_t *identity_claims, const na_session **session);

/*
 * Fails with NA_ERR_SESSION if the user has a second factor: for a session that began without being
 * asked for it, in an application or before NextAuthTwoFactor was set. Requires one query.
 */
na_error *na_standing_check_factor(const na_db *db, apr_pool_t *pool, const na_session *session);

#endif
