/* SPDX-License-Identifier: Apache-2.0 */
/* The way to a password check, which is made to be slow. */
#include "auth/gate.h"

#include "auth/network.h"

#define TOO_MANY "too many passwords are being checked"

/* Longest wait and check, in milliseconds: a place that is kept longer is taken for abandoned. */
#define CHECK_MS 30000

/* A place among all processes' checks first, then one of this process's that may begin. */
na_error *na_gate_enter(na_request *request)
{
    const char *client = na_network_of(request);
    na_error *error = na_call_enter(request->process->checks, request->pool, &request->check);
    if (error)
        return na_error_wrap(request->pool, error, NA_ERR_BUSY, TOO_MANY);
    error = na_call_aim(request->check, request->pool, client, CHECK_MS);
    if (!error && na_password_gate_enter(request->process->passwords, client))
        return NULL;
    na_call_leave(request->check);
    return na_error_new(request->pool, NA_ERR_BUSY, TOO_MANY);
}

void na_gate_leave(na_request *request)
{
    na_password_gate_leave(request->process->passwords, na_network_of(request));
    na_call_leave(request->check);
}
