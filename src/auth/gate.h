/* SPDX-License-Identifier: Apache-2.0 */
/* The way to a password check, which is made to be slow. */
#ifndef NA_AUTH_GATE_H
#define NA_AUTH_GATE_H

#include "auth/action.h"

/*
 * Enters the gate of password checks as the request's client; an error NA_ERR_BUSY if there is no
 * place for it. na_gate_leave follows if it was entered.
 */
na_error *na_gate_enter(na_request *request);
void na_gate_leave(na_request *request);

#endif
