/* SPDX-License-Identifier: Apache-2.0 */
/* The entry of all endpoints. */
#ifndef NA_AUTH_DISPATCH_H
#define NA_AUTH_DISPATCH_H

#include "auth/action.h"

/* Finds the action and runs it; an error becomes NextAuth's redirect or page, and a log line. */
void na_dispatch(na_request *request, na_response *response);

#endif
