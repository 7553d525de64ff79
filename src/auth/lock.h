/* SPDX-License-Identifier: Apache-2.0 */
/* Records and reports that an account is locked for unknown browsers. */
#ifndef NA_AUTH_LOCK_H
#define NA_AUTH_LOCK_H

#include "auth/action.h"

/* Records that request->claimant's account is locked, and notifies its owner by email. */
na_error *na_lock_report(na_request *request, na_limited what, long seconds);

#endif
