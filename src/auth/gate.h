/* SPDX-License-Identifier: Apache-2.0 */
/* Limits password checks, which are slow by design, for a request's client. */
#ifndef NA_AUTH_GATE_H
#define NA_AUTH_GATE_H

#include "auth/action.h"

/*
 * Enters the gate of password checks for the request's client; the error is NA_ERR_BUSY if there is
 * no place. After success, the caller must call na_gate_leave.
 */
na_error *na_gate_enter(na_request *request);
void na_gate_leave(na_request *request);

#endif
