/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/dispatch.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/callback_url.h"
#include "auth/checks.h"
#include "auth/csrf.h"
#include "auth/endpoints.h"
#include "auth/limit.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "base/json.h"
#include "base/url.h"

/*
 * Cookies that a route sets where the browser has none yet. The form's token is set only by what
 * hands it out or shows a form: of two first requests at once the later would else undo the
 * earlier's form. What caches keep sets none at all.
 */
enum { SETS_NOTHING = 0, SETS_CALLBACK_URL = 1, SETS_CSRF = 2, SETS_BOTH = 3 };

static const struct route {
    const char *method;
    const char *action;
    na_action *run;
    int sets;
} routes[] = {
    {"GET", "providers", na_get_providers, SETS_NOTHING},
    {"GET", "session", na_get_session, SETS_CALLBACK_URL},
    {"POST", "session", na_post_session, SETS_CALLBACK_URL},
    {"GET", "csrf", na_get_csrf, SETS_BOTH},
    {"GET", "signin", na_get_signin, SETS_BOTH},
    {"POST", "signin", na_post_signin, SETS_CALLBACK_URL},
    {"GET", "signout", na_get_signout, SETS_BOTH},
    {"POST", "signout", na_post_signout, SETS_CALLBACK_URL},
    {"GET", "sessions", na_get_sessions, SETS_BOTH},
    {"POST", "sessions", na_post_sessions, SETS_CALLBACK_URL},
    {"GET", "signup", na_get_signup, SETS_BOTH},
    {"POST", "signup", na_post_signup, SETS_BOTH},
    {"GET", "reset-password", na_get_reset, SETS_BOTH},
    {"POST", "reset-password", na_post_reset, SETS_BOTH},
    {"GET", "set-password", na_get_set_password, SETS_BOTH},
    {"POST", "set-password", na_post_set_password, SETS_BOTH},
    {"GET", "account", na_get_account, SETS_BOTH},
    {"POST", "account", na_post_account, SETS_BOTH},
    {"GET", "confirm-email", na_confirm_email, SETS_BOTH},
    {"POST", "confirm-email", na_confirm_email, SETS_BOTH},
    {"GET", "callback", na_callback, SETS_CALLBACK_URL},
    {"POST", "callback", na_callback, SETS_CALLBACK_URL},
    {"GET", "verify-request", na_get_verify_request, SETS_CALLBACK_URL},
    {"GET", "error", na_get_error, SETS_CALLBACK_URL},
    {"POST", "_log", na_post_log, SETS_NOTHING},
};

/* v4 takes any path below an action for the action; Auth.js only where a provider may stand. */
static int has_stray_segment(const na_request *request)
{
    return request->config->dialect == NA_V5 && request->provider_id &&
           strcmp(request->action, "signin") != 0 && strcmp(request->action, "callback") != 0;
}

static const struct route *find_route(const na_request *request)
{
    if (has_stray_segment(request))
        return NULL;
    for (apr_size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strcmp(request->method, routes[i].method) == 0 &&
            strcmp(request->action, routes[i].action) == 0)
            return &routes[i];
    return NULL;
}

/*
 * Auth.js v5 tells the browser fewer things than v4, and sends some to the sign-in page.
 */
static const char *v5_error_url(na_request *request, const char *code)
{
    static const struct {
        const char *v4, *v5;
        int at_sign_in;
    } codes[] = {{NA_ERR_CREDENTIALS_SIGNIN, "CredentialsSignin&code=credentials", 1},
                 {NA_ERR_CALLBACK, "OAuthCallbackError", 1},
                 {NA_ERR_ACCOUNT_NOT_LINKED, "OAuthAccountNotLinked", 1},
                 {NA_ERR_MISSING_CSRF, "MissingCSRF", 1},
                 {NA_ERR_VERIFICATION, "Verification", 0},
                 {NA_ERR_ACCESS_DENIED, "AccessDenied", 0}};
    const na_config *config = request->config;
    const char *v5 = NA_ERR_CONFIGURATION, *page = config->pages.error;
    const char *fallback = "/error";
    for (apr_size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (strcmp(code, codes[i].v4) != 0)
            continue;
        v5 = codes[i].v5;
        page = codes[i].at_sign_in ? config->pages.sign_in : config->pages.error;
        fallback = codes[i].at_sign_in ? "/signin" : "/error";
    }
    if (!page)
        page = apr_pstrcat(request->pool, config->base_url, fallback, NULL);
    return apr_pstrcat(request->pool, page, strchr(page, '?') ? "&" : "?", "error=", v5, NULL);
}

static const char *v4_error_url(na_request *request, const char *code)
{
    if (strcmp(code, NA_ERR_INVALID_PROVIDER) == 0)
        code = NA_ERR_CONFIGURATION;
    const char *url =
        apr_pstrcat(request->pool, request->config->base_url, "/error?error=", code, NULL);
    if (strcmp(code, NA_ERR_CREDENTIALS_SIGNIN) == 0)
        url = apr_pstrcat(request->pool, url, "&provider=", request->provider->id, NULL);
    return url;
}

static int v4_status(const char *code)
{
    if (strcmp(code, NA_ERR_CREDENTIALS_SIGNIN) == 0)
        return 401;
    return strcmp(code, NA_ERR_ACCESS_DENIED) == 0 ? 403 : 200;
}

/* NextAuth's code of what went wrong. */
static const char *log_event_of(const na_request *request, const na_error *error)
{
    int is_callback = strcmp(request->action, "callback") == 0;
    na_provider_type type = request->provider ? request->provider->type : NA_OAUTH;
    if (is_callback && type == NA_CREDENTIALS)
        return "CALLBACK_CREDENTIALS_HANDLER_ERROR";
    if (is_callback && type == NA_EMAIL)
        return "CALLBACK_EMAIL_ERROR";
    if (is_callback)
        return na_error_is(error, NA_ERR_CALLBACK) ? "OAUTH_CALLBACK_HANDLER_ERROR"
                                                   : "OAUTH_CALLBACK_ERROR";
    if (strcmp(request->action, "signin") == 0)
        return type == NA_EMAIL ? "SIGNIN_EMAIL_ERROR" : "SIGNIN_OAUTH_ERROR";
    if (strcmp(request->action, "signout") == 0)
        return "SIGNOUT_ERROR";
    return strcmp(request->action, "session") == 0 ? "JWT_SESSION_ERROR" : "REQUEST_ERROR";
}

/* Nobody asked the provider yet: the sign-in can go on, and whoever floods the site fills no log.
 */
static int is_put_off(const na_request *request, const na_error *error)
{
    return request->provider && request->provider->type <= NA_OAUTH && !request->is_recorded &&
           na_error_is(error, NA_ERR_BUSY);
}

/*
 * A sign-in that failed, or what else was about to be done and recorded already; with a provider
 * that is not there nobody can have tried to sign in. What cannot be recorded is answered as a
 * success would be: whoever tries passwords learns nothing.
 */
static na_error *record_failure(na_request *request, na_error *error)
{
    int signs_in =
        strcmp(request->action, "callback") == 0 || strcmp(request->action, "signin") == 0;
    if ((!signs_in && !request->is_recorded) || na_error_is(error, NA_ERR_INVALID_PROVIDER) ||
        is_put_off(request, error))
        return error;
    na_error *unrecorded = na_record_failure(request, error);
    return unrecorded ? unrecorded : error;
}

/* 1 where it is the administrator's to fix; all else whoever visits can bring about. */
static int is_operators(const na_error *error)
{
    const char *code = na_error_telling_code(error);
    return strcmp(code, NA_ERR_CONFIGURATION) == 0 || strcmp(code, NA_ERR_OAUTH_SIGNIN) == 0 ||
           strcmp(code, NA_ERR_OAUTH_CALLBACK) == 0;
}

static void respond_error(na_request *request, na_response *response, const na_error *error)
{
    na_log_error(request, is_operators(error) ? NA_LOG_ERROR : NA_LOG_WARNING,
                 log_event_of(request, error), error);
    const char *url = na_speaks_v5(request) ? v5_error_url(request, error->code)
                                            : v4_error_url(request, error->code);
    na_keep_reference(request, response);
    na_respond_redirect(request, response, v4_status(error->code), url);
    if (response->body) /* Auth.js tells it in JSON alone */
        response->location = NULL;
}

static const char *sign_in_page(const na_request *request)
{
    const char *page = request->config->pages.sign_in;
    if (!page)
        return apr_pstrcat(request->pool, request->config->base_url, "/signin", NULL);
    return *page == '/' ? apr_pstrcat(request->pool, request->config->origin, page, NULL) : page;
}

/* Both clients of NextAuth look for `url`, and for its `error`, whatever the status is. */
static const char *url_of_error(const na_request *request, const char *code)
{
    return na_url_add(request->pool, sign_in_page(request), "error", code);
}

/*
 * A redirect would lead to where the same fails again. What is down tells the log itself, once, so
 * that those who only poll need not say it each time.
 */
static void respond_unavailable(na_request *request, na_response *response, const na_error *error)
{
    json_t *body = na_json_own(request->pool,
                               json_pack("{s:s, s:s, s:s*, s:s}", "error", NA_ERR_UNAVAILABLE,
                                         "message", "Temporarily unavailable. Please try again.",
                                         "reference", request->origin.request_id, "url",
                                         url_of_error(request, NA_ERR_UNAVAILABLE)));
    int is_told = na_error_is(error, NA_ERR_UNAVAILABLE) && !request->wants_html &&
                  strcmp(request->method, "GET") == 0;
    na_log_error(request, is_told ? NA_LOG_INFO : NA_LOG_WARNING, log_event_of(request, error),
                 error);
    if (request->wants_html)
        na_respond_page(request, response, 503, "Temporarily unavailable", na_page_unavailable());
    else
        na_respond_json(request, response, 503, body);
    response->retry_after = NA_RETRY_AFTER;
}

static const char *wait_in_words(apr_pool_t *pool, long seconds)
{
    long number = seconds < 90 ? seconds : (seconds + 59) / 60;
    const char *unit = seconds < 90 ? "second" : "minute";
    return apr_psprintf(pool, "%ld %s%s", number, unit, number == 1 ? "" : "s");
}

/* A refusal is recorded once within the time of the limit: who goes on trying fills no log. */
static na_error *record_limited(na_request *request, const na_error *error)
{
    if (!request->is_limit_news)
        return NULL;
    if (request->attempted == NA_EVENT_SIGN_IN && strcmp(request->action, "callback") != 0)
        request->attempted = NA_EVENT_LINK_SENT;
    return na_record_failure(request, error);
}

static void respond_limited(na_request *request, na_response *response, const na_error *error)
{
    const char *wait = wait_in_words(request->pool, request->limit_wait);
    const char *text = apr_psprintf(request->pool, "Too many attempts. Try again in %s.", wait);
    json_t *body = na_json_own(request->pool,
                               json_pack("{s:s, s:s, s:i, s:s}", "error", NA_ERR_RATE_LIMITED,
                                         "message", text, "retryAfter", (int)request->limit_wait,
                                         "url", url_of_error(request, NA_ERR_RATE_LIMITED)));
    na_log_error(request, request->is_limit_news ? NA_LOG_WARNING : NA_LOG_INFO,
                 log_event_of(request, error), error);
    if (request->wants_html)
        na_respond_page(request, response, 429, "Too many attempts",
                        na_page_too_many(request->pool, wait, sign_in_page(request)));
    else
        na_respond_json(request, response, 429, body);
    response->retry_after = (int)request->limit_wait;
}

static void respond_unknown(na_request *request, na_response *response)
{
    response->status = 400;
    if (request->config->dialect == NA_V5) {
        response->content_type = "application/json";
        response->body = "\"Bad request.\"";
        return;
    }
    response->content_type = "text/plain; charset=utf-8";
    response->body = apr_pstrcat(request->pool, "Error: This action with HTTP ", request->method,
                                 " is not supported by NextAuth.js", NULL);
}

static const na_provider *find_provider(const na_request *request)
{
    const apr_array_header_t *providers = request->config->providers;
    int at = request->provider_id ? na_provider_find(providers, request->provider_id) : -1;
    return at < 0 ? NULL : APR_ARRAY_IDX(providers, at, const na_provider *);
}

static int is_limited(const na_error *error)
{
    return na_error_is(error, NA_ERR_RATE_LIMITED);
}

void na_dispatch(na_request *request, na_response *response)
{
    const struct route *route = find_route(request);
    if (!route) {
        respond_unknown(request, response);
        return;
    }
    request->provider = find_provider(request);
    na_csrf(request);
    if (route->sets & SETS_CSRF)
        na_csrf_hand_out(request, response);
    if (route->sets & SETS_CALLBACK_URL)
        na_callback_url(request, response);
    na_error *error = route->run(request, response);
    if (na_is_unavailable(error))
        na_limit_give_back(request);
    na_error *limited = is_limited(error) ? error : NULL;
    if (error)
        error = limited ? record_limited(request, error) : record_failure(request, error);
    if (limited && !error)
        respond_limited(request, response, limited);
    else if (na_is_unavailable(error))
        respond_unavailable(request, response, error);
    else if (error)
        respond_error(request, response, error);
}

na_error *na_callback(na_request *request, na_response *response)
{
    if (!request->provider)
        return na_error_new(request->pool, NA_ERR_INVALID_PROVIDER,
                            "a callback of an unknown provider");
    if (request->provider->type == NA_EMAIL)
        return na_callback_email(request, response);
    if (request->provider->type == NA_CREDENTIALS)
        return na_callback_credentials(request, response);
    NA_TRY(na_checks_are_there(request, na_parameter(request, "state"))
               ? na_limit_take(request, NA_LIMIT_CALLBACK, NULL)
               : na_limit_take_stray(request, NA_LIMIT_CALLBACK));
    return na_callback_oauth(request, response);
}

/* v4's client reports its own errors here; they are no more than what anybody may say. */
na_error *na_post_log(na_request *request, na_response *response)
{
    response->status = 200;
    return NULL;
}
