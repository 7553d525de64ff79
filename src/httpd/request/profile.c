/* SPDX-License-Identifier: Apache-2.0 */
/* The profile of a request's user, fetched again at an interval. */
#include "httpd/request/profile.h"

#include "auth/renew_profile.h"
#include "httpd/request/action.h"
#include "httpd/request/tokens.h"

/* Returns 1 if the request that this one came from did it. Otherwise, this one does. */
static int is_settled_before(request_rec *r, na_state *state)
{
    const na_state *before = na_state_before(r);
    state->has_fetched = 1;
    return before && before->has_fetched && before->session == state->session;
}

/* The tokens of other ways have claims of their own. */
static int has_profile(const na_state *state)
{
    return state->session && (state->way == NA_BY_COOKIE || state->way == NA_BY_BEARER);
}

int na_bring_profile(request_rec *r)
{
    const na_config *config = na_config_of(r);
    na_state *state = na_state_of(r);
    na_request request;
    if (!has_profile(state) || is_settled_before(r, state) ||
        !na_profile_is_due(config, state->session, apr_time_now()))
        return OK;
    na_request_of_session(r, &request);
    if (state->way == NA_BY_BEARER && !request.visit.bearer)
        return OK; /* the request before this one had it, and Authorization was removed */
    return na_profile_renew(&request, &state->session) ? OK : na_end_and_refuse(r, &request);
}
