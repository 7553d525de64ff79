/* SPDX-License-Identifier: Apache-2.0 */
/* How often something can be tried (NextAuthRateLimit). */
#ifndef NA_AUTH_LIMIT_H
#define NA_AUTH_LIMIT_H

#include "auth/action.h"

/* Returns the account that a typed name is counted as. `provider` is NULL for an email address. */
const char *na_limit_account(apr_pool_t *pool, const na_provider *provider, const char *name);

/* Returns the account that the codes of a database user are counted as. */
const char *na_limit_factor_account(apr_pool_t *pool, const char *user_id);

/*
 * Counts an attempt for the client and for `account` (NULL if none is named). The error is
 * NA_ERR_RATE_LIMITED if there were too many.
 */
na_error *na_limit_take(na_request *request, na_limited what, const char *account);

/*
 * Counts callbacks of sign-ins that this browser did not begin, separately from those that it did:
 * a page of another site can cause them, and must not use up the budget of clients at the same IP
 * address.
 */
na_error *na_limit_take_stray(na_request *request, na_limited what);

/* Counts an attempt of a user who is signed in to the account, separately from all others. */
na_error *na_limit_take_signed_in(na_request *request, na_limited what, const char *account);

/* Takes the count back, because the attempt succeeded or did not happen: only failed sign-ins
 * count. */
void na_limit_give_back(na_request *request);

/*
 * Forgets all attempts for a username or email address, from any client, and all codes of that user
 * of the database (`user_id`, NULL if there is none).
 */
na_error *na_limit_unlock(apr_pool_t *pool, const na_config *config, const na_rates *rates,
                          const char *name, const char *user_id);

/*
 * Gives request->account a budget of its own for sign-ins from this browser. `revision` is that of
 * a database user.
 */
void na_limit_remember(na_request *request, na_response *response, apr_int64_t revision);

#endif
