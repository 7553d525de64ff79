/* SPDX-License-Identifier: Apache-2.0 */
/* AuthType NextAuth: the user of a request. */
#include <string.h>

#include <apr_strings.h>
#include <mod_core.h>

#include "httpd/module.h"
#include "httpd/request/cors.h"
#include "httpd/request/profile.h"
#include "httpd/request/refuse.h"
#include "httpd/request/resend.h"
#include "httpd/request/step_up.h"
#include "httpd/request/tokens.h"

/* Kept in the state, because httpd evaluates AuthType each time and three hooks need it. */
static int is_nextauth(request_rec *r)
{
    na_state *state = na_state_of(r);
    if (!state->auth_type) {
        const char *type = ap_auth_type(r);
        state->auth_type = type && ap_cstr_casecmp(type, "NextAuth") == 0 ? 1 : -1;
    }
    return state->auth_type > 0;
}

int na_is_for_user(request_rec *r)
{
    return na_config_of(r) && !na_is_endpoint(r) && (na_state_of(r)->asked || is_nextauth(r));
}

/* ── signed in ─────────────────────────────────────────────────────────────────────────────── */

/* Returns 1 if the administrator assigned the username: in a password file or an authn provider. */
static int is_password_user(request_rec *r, const na_session *session)
{
    const apr_array_header_t *providers = na_config_of(r)->providers;
    const char *id = na_session_claim(session, NA_CLAIM_PROVIDER);
    int at = id && !na_session_claim(session, NA_CLAIM_DATABASE_USER)
                 ? na_provider_find(providers, id)
                 : -1;
    return at >= 0 && APR_ARRAY_IDX(providers, at, const na_provider *)->type == NA_CREDENTIALS;
}

/* Returns NULL unless the claim has exactly one value: of several, none can be the username. */
static const char *only_claim_value(const na_session *session, const char *claim)
{
    const char *value = NULL;
    for (int i = 0; i < session->claim_count; i++) {
        if (strcmp(session->claims[i].name, claim) != 0)
            continue;
        if (value)
            return NULL;
        value = session->claims[i].value;
    }
    return value;
}

/* Applies the pattern of NextAuthRemoteUser to a claim; NULL if it does not match. */
static const char *match_pattern(request_rec *r, const na_dir_conf *dir, const char *value)
{
    ap_regmatch_t matches[AP_MAX_REG_MATCH];
    if (!value || !dir->remote_user_pattern)
        return value;
    if (ap_regexec(dir->remote_user_pattern, value, AP_MAX_REG_MATCH, matches, 0))
        return NULL;
    return ap_pregsub(r->pool, dir->remote_user_form, value, AP_MAX_REG_MATCH, matches);
}

/*
 * The value for REMOTE_USER. If a claim is configured, no other claim replaces it, because its
 * value could be another user's name. A provider's user ID is qualified with the provider, because
 * it could look like an email address, or like a username in the password file.
 */
static const char *remote_user(request_rec *r, const na_session *session)
{
    const na_dir_conf *dir = na_dir_conf_of(r);
    if (dir->remote_user)
        return match_pattern(r, dir, only_claim_value(session, dir->remote_user));
    if (session->email)
        return session->email;
    return is_password_user(r, session) ? session->user
                                        : na_session_qualified_user(r->pool, session);
}

/*
 * Requests for protected pages also renew the session, because not every site calls the endpoints.
 * A client that shows a token or a password with each request does not accept cookies.
 */
static void keep_alive(request_rec *r, const na_config *config, const na_session *session)
{
    if (!ap_is_initial_req(r) || na_state_of(r)->way != NA_BY_COOKIE ||
        !na_session_is_due(&config->session, session, r->request_time))
        return;
    apr_array_header_t *set_cookies = apr_array_make(r->pool, 4, sizeof(char *));
    const na_sessions *sessions = na_sessions_of(r);
    na_renewal renewal;
    na_visit visit;
    na_visit_of(r, &visit);
    if (visit.client.is_passive)
        return;
    na_error *error = na_session_prepare(sessions, &visit, session, &renewal);
    if (!error)
        error = na_session_renew(sessions, &visit, session, &renewal, set_cookies);
    if (na_is_unavailable(error))
        return;
    if (error) {
        na_log_request(r, NA_LOG_WARNING, "SESSION_ERROR", "could not renew the session: %s",
                       na_error_text(r->pool, error));
        return;
    }
    for (int i = 0; i < set_cookies->nelts; i++)
        apr_table_addn(r->err_headers_out, "Set-Cookie", APR_ARRAY_IDX(set_cookies, i, char *));
    apr_table_mergen(r->err_headers_out, "Cache-Control", "private");
}

/*
 * Returns 0 if a value is too long to be passed on. An application that denies access by a value
 * must not receive requests without it.
 */
static int can_pass_identity(request_rec *r, const na_session *session)
{
    if (!session->too_long || na_dir_conf_of(r)->pass_identity == NA_PASS_NOTHING)
        return 1;
    na_log_request(r, NA_LOG_WARNING, "SESSION_ERROR",
                   "%s is longer than %d bytes and cannot be passed on: shorten it with "
                   "NextAuthClaim, or set NextAuthPassIdentity none",
                   session->too_long, NA_IDENTITY_MAX);
    return 0;
}

static int is_usable_name(request_rec *r, const char *user)
{
    const char *claim = na_dir_conf_of(r)->remote_user;
    if (user && *user && !na_has_control(user) && !na_has_blank_ends(user))
        return 1;
    na_log_request(r, NA_LOG_WARNING, "SESSION_ERROR",
                   "cannot use claim '%s' of the session as REMOTE_USER: it must have one value%s, "
                   "without control characters and surrounding spaces",
                   claim ? claim : "email",
                   na_dir_conf_of(r)->remote_user_pattern ? " that matches the pattern" : "");
    return 0;
}

/* Makes the session's user the user of the request. Returns OK, or the status of a refusal. */
static int adopt_session(request_rec *r)
{
    const na_config *config = na_config_of(r);
    int status = config->keeping.userinfo_interval ? na_bring_profile(r) : OK;
    if (status == OK)
        status = na_bring_tokens(r);
    if (status != OK)
        return status;
    const na_session *session = na_state_of(r)->session;
    const char *user = remote_user(r, session);
    if (!is_usable_name(r, user) || !can_pass_identity(r, session))
        return na_refuse_forbidden(r);
    r->user = (char *)user;
    r->ap_auth_type = (char *)"NextAuth";
    keep_alive(r, config, session);
    na_remember_former(r, session);
    return OK;
}

int na_check_authn(request_rec *r)
{
    if (na_is_endpoint(r)) { /* httpd requires a user here; na_check_authz removes it */
        r->user = (char *)"";
        return OK;
    }
    if (!is_nextauth(r))
        return DECLINED;
    if (!na_site_config_of(r)) {
        na_log_request(r, NA_LOG_ERROR, "CONFIGURATION_ERROR",
                       "AuthType NextAuth requires NextAuthEngine On in this virtual host");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (!na_config_of(r))
        return na_refuse_host(r);
    const na_session *session = na_session_of(r);
    if (na_state_of(r)->unavailable)
        return na_refuse_unavailable(r);
    if (session)
        return adopt_session(r);
    if (na_dir_conf_of(r)->unauthenticated == NA_PASS && !na_state_of(r)->refusal) {
        r->user = (char *)"";
        r->ap_auth_type = (char *)"NextAuth";
        return OK;
    }
    return na_refuse_unauthenticated(r);
}

static int run_access_checkers(request_rec *r, na_state *state)
{
    state->authorizing = 1;
    int result = ap_run_access_checker_ex(r);
    state->authorizing = 0;
    return result;
}

/* The requirements can have been true of claims that are replaced now. */
static int adopt_evaluated(request_rec *r, na_state *state)
{
    const na_session *evaluated = state->session;
    int status = adopt_session(r);
    return status != OK || state->session == evaluated ? status : run_access_checkers(r, state);
}

/*
 * httpd evaluates `Require expr` before it authenticates. If such an expression asked for a session
 * and there was none, signing in can help; if there was one, its user becomes the request's. To see
 * that, this hook runs the others, which httpd does once more if they decline. The endpoints stay
 * open if only a session, or the lack of one, denies access: see requirements.c.
 */
int na_check_access_ex(request_rec *r)
{
    int is_endpoint = na_is_endpoint(r);
    if (!na_site_config_of(r) || (!is_endpoint && !is_nextauth(r)))
        return DECLINED;
    if (!na_config_of(r))
        return na_refuse_host(r);
    na_state *state = na_state_of(r);
    if (state->authorizing)
        return DECLINED;
    if (na_dir_conf_of(r)->cors && na_answer_cors(r) == DONE)
        return DONE;
    if (is_endpoint || (!state->asked && !na_is_expr_required()))
        return DECLINED;
    int result = run_access_checkers(r, state);
    if (state->asked && state->unavailable)
        return na_refuse_unavailable(r);
    if (result == OK && state->session)
        return adopt_evaluated(r, state);
    if (result == HTTP_FORBIDDEN && state->asked && !state->session)
        return na_refuse_unauthenticated(r);
    return result;
}

/*
 * The endpoints need no user; requirements without one, such as a client IP address, were met
 * before. A signed-in user who lacks permission gets 403, not the sign-in page.
 */
int na_check_authz(request_rec *r)
{
    if (na_is_endpoint(r)) {
        r->user = NULL;
        return OK;
    }
    na_state *state = na_state_of(r);
    if (state->authorizing || !is_nextauth(r))
        return DECLINED;
    state->authorizing = 1;
    int result = ap_run_auth_checker(r);
    state->authorizing = 0;
    if ((result == HTTP_UNAUTHORIZED || result == HTTP_FORBIDDEN) && state->lacks_factor)
        return na_refuse_without_factor(r);
    if ((result == HTTP_UNAUTHORIZED || result == HTTP_FORBIDDEN) && state->lacks_scope)
        return na_refuse_without_scope(r);
    if ((result == HTTP_UNAUTHORIZED || result == HTTP_FORBIDDEN) && state->is_weak)
        return na_refuse_weak(r);
    if (result != HTTP_UNAUTHORIZED)
        return result;
    return state->session ? na_refuse_forbidden(r) : na_refuse_unauthenticated(r);
}
