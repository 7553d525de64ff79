/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of the provider that applications receive. */
#include "httpd/request/tokens.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/renew_tokens.h"
#include "auth/session.h"
#include "base/json.h"
#include "httpd/request/action.h"
#include "httpd/request/credentials.h"
#include "httpd/request/refuse.h"

void na_request_of_session(request_rec *r, na_request *request)
{
    na_credentials credentials;
    na_request_begin(r, request);
    if (na_state_of(r)->way == NA_BY_BEARER && na_credentials_of(r, &credentials))
        request->visit.bearer = credentials.bearer;
}

/* ── bringing them ─────────────────────────────────────────────────────────────────────────── */

static int passes_tokens(request_rec *r)
{
    int pass = na_dir_conf_of(r)->pass_tokens;
    return pass && pass != NA_PASS_NO_TOKEN;
}

const na_state *na_state_before(request_rec *r)
{
    const request_rec *before = r->main ? r->main : r->prev;
    return before ? ap_get_module_config(before->request_config, &nextauth_module) : NULL;
}

/* Shows the application, and the rules of the location, that the user has to sign in again. */
static void mark_session(request_rec *r)
{
    na_state *state = na_state_of(r);
    const na_session *session = state->session;
    json_t *claims;
    na_error *error =
        na_json_parse_sealed(r->pool, NA_ERR_SESSION, na_bytes_of(session->claims_json), &claims);
    if (!error) {
        json_object_set_new(claims, NA_CLAIM_ERROR, json_string(NA_REFRESH_TOKEN_ERROR));
        error = na_session_change(r->pool, session, claims,
                                  na_config_of(r)->session.identity_claims, &state->session);
    }
    if (error)
        na_log_request(r, NA_LOG_WARNING, "SESSION_ERROR", "could not mark the session: %s",
                       na_error_text(r->pool, error));
}

int na_end_and_refuse(request_rec *r, na_request *request)
{
    na_state *state = na_state_of(r);
    na_response response = {.set_cookies = apr_array_make(r->pool, 4, sizeof(char *))};
    na_error *error = na_request_end_session(request, &response);
    if (error)
        na_log_request(r, NA_LOG_WARNING, "SESSION_ERROR", "could not end the session: %s",
                       na_error_text(r->pool, error));
    for (int i = 0; i < response.set_cookies->nelts; i++)
        apr_table_addn(r->err_headers_out, "Set-Cookie",
                       APR_ARRAY_IDX(response.set_cookies, i, char *));
    state->session = NULL;
    return na_refuse_unauthenticated(r);
}

static int bring_tokens(request_rec *r, na_state *state)
{
    const na_state *before = na_state_before(r);
    na_kept_tokens *kept = apr_palloc(r->pool, sizeof *kept);
    na_request request;
    int found;
    if (state->has_brought || !state->session)
        return OK;
    state->has_brought = 1;
    if (before && before->has_brought && before->session == state->session) {
        state->tokens = before->tokens;
        return OK;
    }
    na_request_of_session(r, &request);
    na_error *error = na_tokens_renew(&request, state->session, kept, &found);
    if (error) {
        na_log_request(r, na_is_unavailable(error) ? NA_LOG_INFO : NA_LOG_WARNING, "SESSION_ERROR",
                       "the provider's tokens are unknown: %s", na_error_text(r->pool, error));
        return na_refuse_unavailable(r);
    }
    if (!found)
        return OK;
    if (kept->is_refused && request.config->keeping.ends_refused)
        return na_end_and_refuse(r, &request);
    if (kept->is_refused)
        mark_session(r);
    else
        state->tokens = kept;
    return OK;
}

int na_bring_tokens(request_rec *r)
{
    return passes_tokens(r) ? bring_tokens(r, na_state_of(r)) : OK;
}

/* ── passing them on ───────────────────────────────────────────────────────────────────────── */

/* RFC 6750 section 2.1. A value is passed as a whole or not at all. */
static int can_pass(request_rec *r, const char *name, const char *token)
{
    if (!token || !*token)
        return 0;
    for (const char *c = token; *c; c++)
        if (*c <= ' ' || *c >= 0x7f) {
            na_log_request(r, NA_LOG_WARNING, "SESSION_ERROR",
                           "the provider's %s has characters that no header can have", name);
            return 0;
        }
    if (strlen(token) <= NA_IDENTITY_MAX)
        return 1;
    na_log_request(r, NA_LOG_WARNING, "SESSION_ERROR",
                   "the provider's %s is longer than %d bytes and is not passed on", name,
                   NA_IDENTITY_MAX);
    return 0;
}

static void pass_value(request_rec *r, const char *env, const char *header, const char *value)
{
    int pass = na_dir_conf_of(r)->pass_identity;
    if (!pass || (pass & NA_PASS_ENV))
        apr_table_setn(r->subprocess_env, env, value);
    if (!pass || (pass & NA_PASS_HEADERS))
        apr_table_setn(r->headers_in, header, value);
}

static void pass_access_token(request_rec *r, const na_kept_tokens *kept)
{
    pass_value(r, "NEXTAUTH_ACCESS_TOKEN", "X-NextAuth-Access-Token", kept->access_token);
    if (kept->expires_at)
        pass_value(r, "NEXTAUTH_ACCESS_TOKEN_EXPIRES", "X-NextAuth-Access-Token-Expires",
                   apr_psprintf(r->pool, "%" APR_INT64_T_FMT, kept->expires_at));
}

void na_pass_tokens(request_rec *r)
{
    na_state *state = na_state_of(r);
    const na_kept_tokens none = {0}, *kept = state->tokens ? state->tokens : &none;
    int pass = na_dir_conf_of(r)->pass_tokens;
    int has_access = can_pass(r, "access token", kept->access_token);
    const char *error = na_session_claim(state->session, NA_CLAIM_ERROR);
    if (error && strcmp(error, NA_REFRESH_TOKEN_ERROR) == 0)
        pass_value(r, "NEXTAUTH_ERROR", "X-NextAuth-Error", NA_REFRESH_TOKEN_ERROR);
    if ((pass & NA_PASS_ACCESS) && has_access)
        pass_access_token(r, kept);
    if ((pass & NA_PASS_REFRESH) && can_pass(r, "refresh token", kept->refresh_token))
        pass_value(r, "NEXTAUTH_REFRESH_TOKEN", "X-NextAuth-Refresh-Token", kept->refresh_token);
    if ((pass & NA_PASS_ID) && can_pass(r, "ID token", kept->id_token))
        pass_value(r, "NEXTAUTH_ID_TOKEN", "X-NextAuth-ID-Token", kept->id_token);
    if (!(pass & NA_PASS_BEARER))
        return;
    apr_table_unset(r->headers_in, "Authorization");
    state->shows_bearer = has_access;
    if (has_access)
        apr_table_setn(r->headers_in, "Authorization",
                       apr_pstrcat(r->pool, "Bearer ", kept->access_token, NULL));
}

/* ── taking them away ──────────────────────────────────────────────────────────────────────── */

/* httpd adds a prefix to a variable's name at each internal redirect. */
static int is_token_variable(const char *name)
{
    static const char *const names[] = {"NEXTAUTH_ACCESS_TOKEN", "NEXTAUTH_ACCESS_TOKEN_EXPIRES",
                                        "NEXTAUTH_JWT", "NEXTAUTH_REFRESH_TOKEN",
                                        "NEXTAUTH_ID_TOKEN"};
    static const char prefix[] = "REDIRECT_";
    while (strncmp(name, prefix, strlen(prefix)) == 0)
        name += strlen(prefix);
    for (apr_size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return 1;
    return 0;
}

static void strip_variables(request_rec *r)
{
    const apr_array_header_t *list = apr_table_elts(r->subprocess_env);
    for (int i = list->nelts - 1; i >= 0; i--) {
        const char *name = APR_ARRAY_IDX(list, i, apr_table_entry_t).key;
        if (is_token_variable(name)) {
            apr_table_unset(r->subprocess_env, name);
            i = list->nelts; /* all entries of that name have been removed */
        }
    }
}

/* A request between them can have ended before Authorization was removed there. */
void na_strip_tokens(request_rec *r)
{
    for (request_rec *by = r; by; by = by->main ? by->main : by->prev) {
        const na_state *before = na_state_before(by);
        if (before && before->shows_bearer)
            apr_table_unset(r->headers_in, "Authorization");
    }
    strip_variables(r);
}
