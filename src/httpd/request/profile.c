/* SPDX-License-Identifier: Apache-2.0 */
/* The profile of a request's user, fetched again at an interval. */
#include "httpd/request/profile.h"

#include "auth/renew_profile.h"
#include "httpd/request/action.h"
#include "httpd/request/tokens.h"

int na_bring_profile(request_rec *r)
{
    const na_config *config = na_config_of(r);
    na_state *state = na_state_of(r);
    na_request request;
    if (!state->session || state->way != NA_BY_COOKIE || !ap_is_initial_req(r) ||
        !na_profile_is_due(config, state->session, apr_time_now()))
        return OK;
    na_request_begin(r, &request);
    return na_profile_renew(&request, &state->session) ? OK : na_end_and_refuse(r, &request);
}
