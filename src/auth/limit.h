/* SPDX-License-Identifier: Apache-2.0 */
/* How often something can be tried (NextAuthRateLimit). */
#ifndef NA_AUTH_LIMIT_H
#define NA_AUTH_LIMIT_H

#include "auth/action.h"

/* What a name that somebody typed is counted as: a provider's, or NULL for an email address. */
const char *na_limit_account(apr_pool_t *pool, const na_provider *provider, const char *name);

/*
 * Counts an attempt for the client and for `account`, or NULL if none is named. An error
 * NA_ERR_RATE_LIMITED if there were too many.
 */
na_error *na_limit_take(na_request *request, na_limited what, const char *account);

/*
 * Counts what belongs to nothing that this browser began, apart from what does: a page elsewhere
 * can make any browser send it, and must not use up the budget of those at the same address.
 */
na_error *na_limit_take_stray(na_request *request, na_limited what);

/* Counts an attempt of who is signed in to the account, apart from everybody else's. */
na_error *na_limit_take_signed_in(na_request *request, na_limited what, const char *account);

/* What was tried succeeded, or was not tried at all: of sign-ins, only failures count. */
void na_limit_give_back(na_request *request);

/* Forgets what was counted for a name that somebody signs in with, whichever client it was. */
na_error *na_limit_unlock(apr_pool_t *pool, const na_config *config, const na_rates *rates,
                          const char *name);

/*
 * Lets request->account's next sign-in from this browser have a budget of its own: of a user of the
 * database, at this revision.
 */
void na_limit_remember(na_request *request, na_response *response, apr_int64_t revision);

#endif
