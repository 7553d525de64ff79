/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies the password of a user, wherever the provider keeps it. */
#ifndef NA_AUTH_CREDENTIALS_H
#define NA_AUTH_CREDENTIALS_H

#include "auth/action.h"

/*
 * Verifies a username or email address and a password with request->provider, within its limits and
 * the gate, and fills in the subject of the sign-in. The error is NA_ERR_CREDENTIALS_SIGNIN if they
 * do not match. The attempt counts until na_limit_give_back.
 */
na_error *na_credentials_verify(na_request *request, const char *user, const char *password,
                                na_subject *subject);

#endif
