/* SPDX-License-Identifier: Apache-2.0 */
/* The session of a request, looked up once. */
#include <string.h>

#include "httpd/module.h"

static int accepts_tokens(const request_rec *r)
{
    return na_dir_conf_of(r)->accept_tokens == NA_ACCEPT_SESSION && !na_is_endpoint(r);
}

/* RFC 6750 section 2.1. The token can be percent-encoded, as for getToken(). NULL if none. */
static const char *bearer_token(request_rec *r)
{
    const char *header = apr_table_get(r->headers_in, "Authorization");
    if (!header || ap_cstr_casecmpn(header, "Bearer ", 7) != 0)
        return NULL;
    header += 7 + strspn(header + 7, " ");
    return *header ? na_percent_decode(r->pool, header, 0) : NULL;
}

/* A subrequest or internal redirect shares the session if it is in the same virtual host. */
static const na_state *state_before(const request_rec *r)
{
    const request_rec *before = r->main ? r->main : r->prev;
    if (!before || before->server != r->server)
        return NULL;
    const na_state *state = ap_get_module_config(before->request_config, &nextauth_module);
    return state && state->loaded && (!state->by_bearer || accepts_tokens(r)) ? state : NULL;
}

void na_visit_of(request_rec *r, na_visit *visit)
{
    *visit = (na_visit){.pool = r->pool,
                        .now = apr_time_now(), /* r->request_time is old if the client was slow */
                        .cookie_header = apr_table_get(r->headers_in, "Cookie"),
                        .binding = na_binding_of(r),
                        .client = {.address = r->useragent_ip,
                                   .user_agent = apr_table_get(r->headers_in, "User-Agent")}};
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
        state->by_bearer = before->by_bearer;
        return state->session = before->session;
    }
    na_visit_of(r, &visit);
    na_error *error =
        na_session_load(&na_server_conf_of(r->server)->sessions, &visit, &state->session);
    if (!state->session && !na_is_unavailable(error) && accepts_tokens(r) &&
        (visit.bearer = bearer_token(r))) {
        error = na_session_load(&na_server_conf_of(r->server)->sessions, &visit, &state->session);
        state->by_bearer = state->session != NULL;
    }
    state->unavailable = na_is_unavailable(error);
    if (error)
        log_session_error(r, error);
    return state->session;
}
