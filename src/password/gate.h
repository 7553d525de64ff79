/* SPDX-License-Identifier: Apache-2.0 */
/* The bound on password checks at a time. */
#ifndef NA_PASSWORD_GATE_H
#define NA_PASSWORD_GATE_H

#include "base/error.h"

/*
 * Bounds how many passwords a process checks at once: a check is made to be slow, and every worker
 * hashing would leave nobody to serve pages. A client has a share: at most three times as many
 * checks, waiting and under way, as the gate has room left for, and always one; so one client alone
 * gets three quarters of it. Of those that wait, the client with the fewest checks under way is
 * next.
 */
typedef struct na_password_gate na_password_gate;

/* Checks that can wait for each that is under way. */
#define NA_PASSWORD_WAITING_PER_PLACE 8

na_error *na_password_gate_make(apr_pool_t *pool, int places, na_password_gate **made);

/*
 * Waits a few seconds at most for a place; 0 if there was none, at once if the client has its share
 * or too many wait. `client` is its name, not empty.
 */
int na_password_gate_enter(na_password_gate *gate, const char *client);
void na_password_gate_leave(na_password_gate *gate, const char *client);

#endif
