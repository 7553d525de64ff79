/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of clients that show a token or a password with each request. */
#include "httpd/request/access.h"

#include <string.h>

#include "auth/access_token.h"
#include "auth/basic.h"
#include "auth/bearer.h"
#include "auth/limit.h"
#include "auth/report.h"
#include "httpd/request/action.h"
#include "httpd/request/client.h"
#include "httpd/request/credentials.h"
#include "httpd/request/reach.h"
#include "httpd/request/url.h"

int na_is_way_open(request_rec *r, na_way way)
{
    static const int bits[] = {[NA_BY_BEARER] = NA_ACCEPT_SESSION,
                               [NA_BY_TOKEN] = NA_ACCEPT_PERSONAL,
                               [NA_BY_OAUTH] = NA_ACCEPT_OAUTH};
    const na_dir_conf *dir = na_dir_conf_of(r);
    if (na_is_endpoint(r))
        return way == NA_BY_COOKIE;
    if (way == NA_BY_COOKIE)
        return !(dir->accept_tokens & NA_ACCEPT_ONLY);
    if (way == NA_BY_PASSWORD)
        return dir->basic && ap_cstr_casecmp(dir->basic, "Off") != 0;
    return (dir->accept_tokens & bits[way]) != 0;
}

/* Another path can accept the tokens of other issuers. */
static const na_session *of_accepted_issuer(request_rec *r, const na_session *session)
{
    const apr_array_header_t *issuers = na_dir_conf_of(r)->issuers;
    const char *id = na_session_claim(session, NA_CLAIM_PROVIDER);
    for (int i = 0; issuers && i < issuers->nelts; i++)
        if (na_tenant_is_named(na_config_of(r), id, APR_ARRAY_IDX(issuers, i, const char *)))
            return session;
    if (!issuers)
        return session;
    na_state_of(r)->refusal = NA_REFUSED_CREDENTIALS;
    return NULL;
}

const na_session *na_within_reach(request_rec *r, const na_session *session)
{
    na_state *state = na_state_of(r);
    if (session && state->way == NA_BY_OAUTH)
        return of_accepted_issuer(r, session);
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
                 request->provider ? "CALLBACK_CREDENTIALS_HANDLER_ERROR" : "ACCESS_TOKEN", error);
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
    na_request request;
    na_request_begin(r, &request);
    request.action = "token";
    na_error *error = is_known ? NULL : na_limit_take(&request, NA_LIMIT_TOKEN, NULL);
    if (!error)
        error = na_access_token_is_well_formed(token)
                    ? na_access_token_load(request.config, request.sessions, visit, id, session)
                    : na_error_new(r->pool, NA_ERR_SESSION, "the token's checksum is wrong");
    error = settle_attempt(&request, error);
    na_state_of(r)->limit_wait = request.limit_wait;
    return error;
}

static na_error *load_token(request_rec *r, const na_visit *visit, const char *token,
                            const na_session **session)
{
    const na_sessions *sessions = na_sessions_of(r);
    const char *id = na_access_token_id(r->pool, token);
    int is_known;
    if (!sessions->users)
        return na_error_new(r->pool, NA_ERR_CONFIGURATION,
                            "NextAuthAcceptTokens personal requires NextAuthDatabase");
    *session = na_access_token_recent(sessions, visit, id, &is_known);
    return *session ? NULL : try_token(r, visit, token, id, is_known, session);
}

/* Expired tokens are common, and no attack; those that are not genuine are recorded. */
static na_error *settle_bearer(na_request *request, na_error *error)
{
    if (na_error_is(error, NA_ERR_OAUTH_CALLBACK) || na_error_is(error, NA_ERR_RATE_LIMITED))
        return record_attempt(request, error);
    if (na_error_is(error, NA_ERR_UNAVAILABLE))
        na_log_error(request, NA_LOG_WARNING, "ACCESS_TOKEN", error);
    return error;
}

static na_error *load_oauth(request_rec *r, const na_credentials *credentials,
                            const na_session **session)
{
    na_state *state = na_state_of(r);
    na_bearer shown = {.token = credentials->bearer,
                       .is_dpop = credentials->is_dpop,
                       .proof = apr_table_get(r->headers_in, "DPoP"),
                       .certificate = na_shown_certificate(r),
                       .method = r->method,
                       .url = na_requested_url(r),
                       .accepted = na_dir_conf_of(r)->issuers};
    na_request request;
    na_request_begin(r, &request);
    request.action = "token";
    na_error *error = settle_bearer(&request, na_bearer_load(&request, &shown, session));
    state->limit_wait = request.limit_wait;
    state->bearer_answer = shown.answer;
    state->is_dpop = shown.is_dpop;
    if (shown.nonce)
        apr_table_setn(r->err_headers_out, "DPoP-Nonce", shown.nonce);
    return error;
}

static na_error *load_bearer(request_rec *r, na_visit *visit, const char *token,
                             const na_session **session)
{
    visit->bearer = token;
    return na_session_load(na_sessions_of(r), visit, session);
}

/* Returns the provider whose passwords are accepted: the one that is named, else the first. */
static const na_provider *password_provider(request_rec *r)
{
    const apr_array_header_t *providers = na_config_of(r)->providers;
    const char *id = na_dir_conf_of(r)->basic;
    for (int i = 0; i < providers->nelts; i++) {
        const na_provider *provider = APR_ARRAY_IDX(providers, i, const na_provider *);
        if (provider->type == NA_CREDENTIALS &&
            (ap_cstr_casecmp(id, "On") == 0 || strcmp(id, provider->id) == 0))
            return provider;
    }
    return NULL;
}

static na_error *try_password(request_rec *r, const na_provider *provider,
                              const na_credentials *credentials, const char *key,
                              const na_session **session)
{
    na_request request;
    na_request_begin(r, &request);
    request.action = "basic";
    request.provider = provider;
    request.provider_id = provider->id;
    na_error *error =
        na_basic_load(&request, credentials->user, credentials->password, key, session);
    error = settle_attempt(&request, error);
    na_state_of(r)->limit_wait = request.limit_wait;
    return error;
}

static na_error *load_password(request_rec *r, const na_visit *visit,
                               const na_credentials *credentials, const na_session **session)
{
    const na_provider *provider = password_provider(r);
    if (!provider)
        return na_error_new(r->pool, NA_ERR_CONFIGURATION,
                            "NextAuthBasic %s: no provider verifies passwords",
                            na_dir_conf_of(r)->basic);
    const char *key =
        na_basic_key(r->pool, na_config_of(r), provider, credentials->user, credentials->password);
    *session = na_basic_recent(na_sessions_of(r), visit, key);
    return *session ? NULL : try_password(r, provider, credentials, key, session);
}

/* Returns the personal access token of the credentials, which can be the password; else NULL. */
static const char *token_of(const na_credentials *credentials)
{
    const char *token = credentials->bearer ? credentials->bearer : credentials->password;
    return !credentials->is_dpop && na_access_token_is_meant(token) ? token : NULL;
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

static na_way way_of(request_rec *r, const na_credentials *credentials)
{
    if (token_of(credentials))
        return NA_BY_TOKEN;
    if (!credentials->bearer)
        return NA_BY_PASSWORD;
    if (credentials->is_dpop)
        return NA_BY_OAUTH;
    return na_is_way_open(r, NA_BY_OAUTH) && !(na_is_way_open(r, NA_BY_BEARER) &&
                                               na_keyring_is_form(r->pool, credentials->bearer))
               ? NA_BY_OAUTH
               : NA_BY_BEARER;
}

/*
 * A browser adds a password that it knows to every request, also to one that a page of another site
 * sends; a token in Bearer, only the page itself can add.
 */
static int is_forged(request_rec *r, const na_credentials *credentials)
{
    return credentials->password && na_is_foreign(r);
}

static na_error *load_session(request_rec *r, na_visit *visit, const na_credentials *credentials,
                              const na_session **session)
{
    switch (na_state_of(r)->way) {
    case NA_BY_TOKEN:
        return load_token(r, visit, token_of(credentials), session);
    case NA_BY_PASSWORD:
        return load_password(r, visit, credentials, session);
    case NA_BY_OAUTH:
        return load_oauth(r, credentials, session);
    default:
        return load_bearer(r, visit, credentials->bearer, session);
    }
}

static int is_any_way_open(request_rec *r)
{
    return na_is_way_open(r, NA_BY_TOKEN) || na_is_way_open(r, NA_BY_BEARER) ||
           na_is_way_open(r, NA_BY_OAUTH) || na_is_way_open(r, NA_BY_PASSWORD);
}

void na_load_by_credentials(request_rec *r, na_visit *visit, na_error **error)
{
    na_state *state = na_state_of(r);
    na_credentials credentials;
    if (!is_any_way_open(r) || !na_credentials_of(r, &credentials) ||
        !na_is_way_open(r, way_of(r, &credentials)) || is_forged(r, &credentials))
        return;
    state->way = way_of(r, &credentials);
    *error = load_session(r, visit, &credentials, &state->session);
    if (*error)
        state->session = NULL;
    if (*error && !na_is_unavailable(*error))
        refuse_credentials(r, *error);
}
