/* SPDX-License-Identifier: Apache-2.0 */
/* The session of a request, looked up once. */
#include <string.h>

#include "httpd/module.h"
#include "httpd/request/access.h"

/*
 * A subrequest or internal redirect shares the session if it is in the same virtual host, and the
 * way in which it was shown is open there.
 */
static const na_state *state_before(request_rec *r)
{
    const request_rec *before = r->main ? r->main : r->prev;
    if (!before || before->server != r->server)
        return NULL;
    const na_state *state = ap_get_module_config(before->request_config, &nextauth_module);
    return state && state->loaded && na_is_way_open(r, state->way) ? state : NULL;
}

/* Spelled out, because most requests come with a cookie to a path that accepts it. */
static int takes_cookies(request_rec *r)
{
    return !(na_dir_conf_of(r)->accept_tokens & NA_ACCEPT_ONLY) || na_is_way_open(r, NA_BY_COOKIE);
}

/* An outage is logged as a warning where it is detected, so not for each request. */
static void log_session_error(request_rec *r, const na_error *error)
{
    if (!na_is_unavailable(error))
        na_log_request(r, NA_LOG_INFO, "JWT_SESSION_ERROR", "session refused: %s",
                       na_error_text(r->pool, error));
    else
        na_log_request(r, na_error_is(error, NA_ERR_UNAVAILABLE) ? NA_LOG_INFO : NA_LOG_WARNING,
                       "SESSION_ERROR", "could not look up the session: %s",
                       na_error_text(r->pool, error));
}

const na_session *na_session_of(request_rec *r)
{
    na_state *state = na_state_of(r);
    na_visit visit;
    if (state->loaded || !na_config_of(r))
        return state->session;
    state->loaded = 1;
    const na_state *before = state_before(r);
    if (before) {
        state->unavailable = before->unavailable;
        state->way = before->way;
        state->refusal = before->refusal;
        state->bearer_answer = before->bearer_answer;
        state->is_dpop = before->is_dpop;
        state->limit_wait = before->limit_wait;
        return state->session = na_within_reach(r, before->session);
    }
    na_visit_of(r, &visit);
    na_error *error = NULL;
    if (takes_cookies(r))
        error = na_session_load(na_sessions_of(r), &visit, &state->session);
    if (!state->session && !na_is_unavailable(error))
        na_load_by_credentials(r, &visit, &error);
    state->unavailable = na_is_unavailable(error);
    if (error)
        log_session_error(r, error);
    return state->session = na_within_reach(r, state->session);
}
