/* SPDX-License-Identifier: Apache-2.0 */
/* Limits how many passwords a child process verifies at the same time. */
#ifndef NA_PASSWORD_GATE_H
#define NA_PASSWORD_GATE_H

#include "base/error.h"

/*
 * Verifying a password is slow by design, and if every worker thread did it, none would serve
 * pages. Each client has a share: always one check, and at most three times as many, waiting or
 * running, as the gate has room left for, so that one client alone gets three quarters of it. The
 * waiting client with the fewest running checks is next.
 */
typedef struct na_password_gate na_password_gate;

/* Checks that can wait for each one that runs. */
#define NA_PASSWORD_WAITING_PER_PLACE 8

na_error *na_password_gate_make(apr_pool_t *pool, int places, na_password_gate **made);

/*
 * Waits at most a few seconds for a place. Returns 1 if it has one, 0 otherwise: at once if the
 * client has its share or too many wait. `client` must not be empty.
 */
int na_password_gate_enter(na_password_gate *gate, const char *client);
void na_password_gate_leave(na_password_gate *gate, const char *client);

#endif
