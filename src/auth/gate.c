/* SPDX-License-Identifier: Apache-2.0 */
/* Limits password checks, which are slow by design, for a request's client. */
#include "auth/gate.h"

#include "auth/network.h"

#define TOO_MANY "too many passwords are being checked"

/* longest wait and check in milliseconds; after that, a place counts as abandoned */
#define CHECK_MS 30000

/* Takes a place among the checks of all processes first, then one in this process. */
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
