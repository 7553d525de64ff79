/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of clients that show a token or a password with each request. */
#include "httpd/request/access.h"

#include "auth/access_token.h"
#include "auth/limit.h"
#include "auth/report.h"
#include "httpd/request/action.h"
#include "httpd/request/credentials.h"
#include "httpd/request/reach.h"

int na_is_way_open(request_rec *r, na_way way)
{
    int accepts = na_is_endpoint(r) ? 0 : na_dir_conf_of(r)->accept_tokens;
    if (way == NA_BY_TOKEN)
        return (accepts & NA_ACCEPT_PERSONAL) != 0;
    return way == NA_BY_BEARER && (accepts & NA_ACCEPT_SESSION) != 0;
}

const na_session *na_within_reach(request_rec *r, const na_session *session)
{
    na_state *state = na_state_of(r);
    if (!session || state->way != NA_BY_TOKEN ||
        na_is_within_scope(r, na_session_claim(session, NA_CLAIM_TOKEN_SCOPE)))
        return session;
    na_log_request(r, NA_LOG_INFO, "ACCESS_TOKEN", "the token's scope does not cover %s %s",
                   r->method, na_one_line(r->pool, r->uri, 200));
    state->refusal = NA_REFUSED_SCOPE;
    return NULL;
}

/* ── attempts ──────────────────────────────────────────────────────────────────────────────── */

/* Records an attempt that failed; one that is refused by a limit once within the limit's time. */
static na_error *record_attempt(na_request *request, na_error *error)
{
    int is_limited = na_error_is(error, NA_ERR_RATE_LIMITED);
    na_log_error(request, is_limited && !request->is_limit_news ? NA_LOG_INFO : NA_LOG_WARNING,
                 "ACCESS_TOKEN", error);
    if (is_limited && !request->is_limit_news)
        return error;
    na_error *unrecorded = na_record_failure(request, error);
    return unrecorded ? unrecorded : error;
}

/* Counts the attempt, and takes that back if it succeeds or was not made. */
static na_error *settle_attempt(na_request *request, na_error *error)
{
    if (!error || na_is_unavailable(error))
        na_limit_give_back(request);
    return error && !na_is_unavailable(error) ? record_attempt(request, error) : error;
}

/* ── kinds of credentials ──────────────────────────────────────────────────────────────────── */

static na_error *try_token(request_rec *r, const na_visit *visit, const char *token, const char *id,
                           int is_known, const na_session **session)
{
    const na_server_conf *conf = na_server_conf_of(r->server);
    na_request request;
    na_request_begin(r, &request);
    request.action = "token";
    na_error *error = is_known ? NULL : na_limit_take(&request, NA_LIMIT_TOKEN, NULL);
    if (!error)
        error = na_access_token_is_well_formed(token)
                    ? na_access_token_load(conf->config, &conf->sessions, visit, id, session)
                    : na_error_new(r->pool, NA_ERR_SESSION, "the token's checksum is wrong");
    error = settle_attempt(&request, error);
    na_state_of(r)->limit_wait = request.limit_wait;
    return error;
}

static na_error *load_token(request_rec *r, const na_visit *visit, const char *token,
                            const na_session **session)
{
    const na_sessions *sessions = &na_server_conf_of(r->server)->sessions;
    const char *id = na_access_token_id(r->pool, token);
    int is_known;
    if (!sessions->users)
        return na_error_new(r->pool, NA_ERR_CONFIGURATION,
                            "NextAuthAcceptTokens personal requires NextAuthDatabase");
    *session = na_access_token_recent(sessions, visit, id, &is_known);
    return *session ? NULL : try_token(r, visit, token, id, is_known, session);
}

static na_error *load_bearer(request_rec *r, na_visit *visit, const char *token,
                             const na_session **session)
{
    visit->bearer = token;
    return na_session_load(&na_server_conf_of(r->server)->sessions, visit, session);
}

/* Returns the personal access token of the credentials, which can be the password; else NULL. */
static const char *token_of(const na_credentials *credentials)
{
    const char *token = credentials->bearer ? credentials->bearer : credentials->password;
    return na_access_token_is_meant(token) ? token : NULL;
}

/* Where no sign-in is required, a bearer token can be one of the application. */
static void refuse_credentials(request_rec *r, const na_error *error)
{
    na_state *state = na_state_of(r);
    if (state->way == NA_BY_BEARER && na_dir_conf_of(r)->unauthenticated == NA_PASS)
        return;
    state->session = NULL;
    state->refusal =
        na_error_is(error, NA_ERR_RATE_LIMITED) ? NA_REFUSED_RATE : NA_REFUSED_CREDENTIALS;
}

void na_load_by_credentials(request_rec *r, na_visit *visit, na_error **error)
{
    na_state *state = na_state_of(r);
    na_credentials credentials;
    if ((!na_is_way_open(r, NA_BY_TOKEN) && !na_is_way_open(r, NA_BY_BEARER)) ||
        !na_credentials_of(r, &credentials))
        return;
    const char *token = token_of(&credentials);
    na_way way = token ? NA_BY_TOKEN : credentials.bearer ? NA_BY_BEARER : NA_BY_COOKIE;
    if (way == NA_BY_COOKIE || !na_is_way_open(r, way))
        return;
    state->way = way;
    *error = token ? load_token(r, visit, token, &state->session)
                   : load_bearer(r, visit, credentials.bearer, &state->session);
    if (*error)
        state->session = NULL;
    if (*error && !na_is_unavailable(*error))
        refuse_credentials(r, *error);
}
