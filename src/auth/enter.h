/* SPDX-License-Identifier: Apache-2.0 */
/* Begins the session of a user who has given all that was asked for. */
#ifndef NA_AUTH_ENTER_H
#define NA_AUTH_ENTER_H

#include "auth/pending.h"

/*
 * Records the sign-in, begins its session, and reports it. Every sign-in ends here, and no other
 * function begins a session for a user who had none.
 */
na_error *na_enter(na_request *request, na_response *response, const na_sign_in *sign_in);

#endif
