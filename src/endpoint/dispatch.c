/* SPDX-License-Identifier: Apache-2.0 */
/* Routes requests to the endpoints, and turns errors into responses. */
#include "endpoint/dispatch.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/callback_url.h"
#include "auth/checks.h"
#include "auth/redirect_proxy.h"
#include "auth/csrf.h"
#include "auth/direct.h"
#include "endpoint/endpoints.h"
#include "auth/limit.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "base/error_codes.h"
#include "base/json.h"
#include "base/url.h"

/*
 * Cookies that a route sets if the browser has none yet. Only routes that issue the CSRF token or
 * show a form set its cookie: otherwise, the second of two simultaneous first requests would
 * invalidate the form of the first. Responses that can be cached set none.
 */
enum { SETS_NOTHING = 0, SETS_CALLBACK_URL = 1, SETS_CSRF = 2, SETS_BOTH = 3 };

/* Values of `csrf` for routes without a page to which a form without its CSRF token leads. */
#define NO_FORM NULL   /* the route changes nothing */
#define BY_ITSELF NULL /* the action verifies the token itself */
#define NO_COOKIE NULL /* the action reads no cookie: no browser can be made to misuse its own */

/* A provider's type as a bit; 0 in a route means any type. */
#define OF(type) (1 << (type))

static const struct route {
    const char *method;
    const char *action;
    na_action *run;
    const char *csrf; /* where a form without its token leads (na_refuse_csrf) */
    int sets;
    int types;
} routes[] = {
    {"GET", "providers", na_get_providers, NO_FORM, SETS_NOTHING, 0},
    {"GET", "session", na_get_session, NO_FORM, SETS_CALLBACK_URL, 0},
    {"POST", "session", na_post_session, BY_ITSELF, SETS_CALLBACK_URL, 0},
    {"GET", "jwks", na_get_jwks, NO_FORM, SETS_NOTHING, 0},
    {"GET", "csrf", na_get_csrf, NO_FORM, SETS_BOTH, 0},
    {"GET", "signin", na_get_signin, NO_FORM, SETS_BOTH, 0},
    {"POST", "signin", na_post_signin, "/signin?csrf=true", SETS_CALLBACK_URL, 0},
    {"GET", "initiate", na_get_initiate, NO_FORM, SETS_NOTHING, OF(NA_OIDC)},
    {"POST", "initiate", na_post_initiate, NO_COOKIE, SETS_NOTHING, OF(NA_OIDC)},
    {"GET", "sign-in-again", na_get_sign_in_again, NO_FORM, SETS_BOTH, 0},
    {"GET", "signout", na_get_signout, NO_FORM, SETS_BOTH, 0},
    {"POST", "signout", na_post_signout, "/signout?csrf=true", SETS_CALLBACK_URL, 0},
    {"GET", "signout-callback", na_get_signout_callback, NO_FORM, SETS_NOTHING, 0},
    {"POST", "backchannel-logout", na_post_backchannel_logout, NO_COOKIE, SETS_NOTHING, 0},
    {"GET", "frontchannel-logout", na_get_frontchannel_logout, NO_FORM, SETS_NOTHING, 0},
    {"GET", "sessions", na_get_sessions, NO_FORM, SETS_BOTH, 0},
    {"POST", "sessions", na_post_sessions, "/sessions", SETS_CALLBACK_URL, 0},
    {"GET", "two-factor", na_get_two_factor, NO_FORM, SETS_BOTH, 0},
    {"POST", "two-factor", na_post_two_factor, "/two-factor", SETS_BOTH, 0},
    {"GET", "two-factor-setup", na_get_two_factor_setup, NO_FORM, SETS_BOTH, 0},
    {"POST", "two-factor-setup", na_post_two_factor_setup, "/two-factor-setup", SETS_BOTH, 0},
    {"GET", "tokens", na_get_tokens, NO_FORM, SETS_BOTH, 0},
    {"POST", "tokens", na_post_tokens, "/tokens", SETS_BOTH, 0},
    {"GET", "signup", na_get_signup, NO_FORM, SETS_BOTH, 0},
    {"POST", "signup", na_post_signup, "/signup", SETS_BOTH, 0},
    {"GET", "reset-password", na_get_reset, NO_FORM, SETS_BOTH, 0},
    {"POST", "reset-password", na_post_reset, "/reset-password", SETS_BOTH, 0},
    {"GET", "set-password", na_get_set_password, NO_FORM, SETS_BOTH, 0},
    {"POST", "set-password", na_post_set_password, BY_ITSELF, SETS_BOTH, 0},
    {"GET", "account", na_get_account, NO_FORM, SETS_BOTH, 0},
    {"POST", "account", na_post_account, "/account", SETS_BOTH, 0},
    {"GET", "account-data", na_get_account_data, NO_FORM, SETS_NOTHING, 0},
    {"GET", "confirm-email", na_confirm_email, NO_FORM, SETS_BOTH, 0},
    {"POST", "confirm-email", na_confirm_email, BY_ITSELF, SETS_BOTH, 0},
    {"POST", "device-authorization", na_post_device_authorization, NO_COOKIE, SETS_NOTHING, 0},
    {"GET", "device", na_get_device, NO_FORM, SETS_BOTH, 0},
    {"POST", "device", na_post_device, "/device", SETS_BOTH, 0},
    {"POST", "token", na_post_token, NO_COOKIE, SETS_NOTHING, 0},
    {"POST", "revoke", na_post_revoke, NO_COOKIE, SETS_NOTHING, 0},
    {"GET", "callback", na_callback, NO_FORM, SETS_CALLBACK_URL, 0},
    {"POST", "callback", na_callback_credentials, "/signin?csrf=true", SETS_CALLBACK_URL,
     OF(NA_CREDENTIALS)},
    {"POST", "callback", na_callback_webauthn, "/signin?csrf=true", SETS_CALLBACK_URL,
     OF(NA_WEBAUTHN)},
    {"GET", "webauthn-options", na_get_webauthn_options, NO_FORM, SETS_NOTHING, OF(NA_WEBAUTHN)},
    {"GET", "passkeys", na_get_passkeys, NO_FORM, SETS_BOTH, 0},
    {"POST", "passkeys", na_post_passkeys, "/passkeys", SETS_BOTH, 0},
    {"GET", "passkey.js", na_get_passkey_script, NO_FORM, SETS_NOTHING, 0},
    {"POST", "callback", na_callback, BY_ITSELF, SETS_CALLBACK_URL, 0},
    {"GET", "verify-request", na_get_verify_request, NO_FORM, SETS_CALLBACK_URL, 0},
    {"GET", "return", na_get_return, NO_FORM, SETS_NOTHING, 0},
    {"GET", "resend-form", na_get_resend_form, NO_FORM, SETS_NOTHING, 0},
    {"GET", "error", na_get_error, NO_FORM, SETS_CALLBACK_URL, 0},
    {"POST", "_log", na_post_log, BY_ITSELF, SETS_NOTHING, 0},
};

/* Pages with a form set the CSRF cookie; errors are shown by those that lead elsewhere. */
int na_endpoint_has_page(const char *action)
{
    static const char *const formless[] = {"error", "verify-request", "callback", "resend-form"};
    for (apr_size_t i = 0; i < sizeof formless / sizeof *formless; i++)
        if (strcmp(action, formless[i]) == 0)
            return 1;
    for (apr_size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (routes[i].sets & SETS_CSRF && routes[i].run != na_get_csrf &&
            strcmp(action, routes[i].action) == 0)
            return 1;
    return 0;
}

/* v4 accepts any path below an action; Auth.js only if it can be a provider. */
static int has_stray_segment(const na_request *request)
{
    static const char *const with_provider[] = {
        "signin",           "initiate",           "callback",
        "webauthn-options", "backchannel-logout", "frontchannel-logout",
        "signout-callback"};
    int is_with = request->config->dialect != NA_V5 || !request->provider_id;
    for (apr_size_t i = 0; i < sizeof with_provider / sizeof *with_provider; i++)
        is_with |= strcmp(request->action, with_provider[i]) == 0;
    return !is_with;
}

static int fits_provider(const struct route *route, const na_provider *provider)
{
    return !route->types || (provider && route->types & OF(provider->type));
}

static const struct route *find_route(const na_request *request)
{
    if (has_stray_segment(request))
        return NULL;
    for (apr_size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strcmp(request->method, routes[i].method) == 0 &&
            strcmp(request->action, routes[i].action) == 0 &&
            fits_provider(&routes[i], request->provider))
            return &routes[i];
    return NULL;
}

/* Auth.js v5 reveals fewer error codes to the browser than v4, and sends some to the sign-in page.
 */
static const char *v5_error_url(na_request *request, const char *code)
{
    const na_config *config = request->config;
    const na_error_code *row = na_error_code_of(code);
    int is_sign_in = (row->flags & NA_CODE_V5_SIGN_IN) != 0;
    const char *page = is_sign_in ? config->pages.sign_in : config->pages.error;
    if (!page)
        page =
            apr_pstrcat(request->pool, config->base_url, is_sign_in ? "/signin" : "/error", NULL);
    return apr_pstrcat(request->pool, page, strchr(page, '?') ? "&" : "?",
                       "error=", row->v5 ? row->v5 : NA_ERR_CONFIGURATION, NULL);
}

static const char *v4_error_url(na_request *request, const char *code)
{
    int is_hidden = (na_error_code_of(code)->flags & NA_CODE_V4_HIDDEN) != 0;
    const char *url = apr_pstrcat(request->pool, request->config->base_url,
                                  "/error?error=", is_hidden ? NA_ERR_CONFIGURATION : code, NULL);
    if (strcmp(code, NA_ERR_CREDENTIALS_SIGNIN) == 0)
        url = apr_pstrcat(request->pool, url, "&provider=", request->provider->id, NULL);
    return url;
}

/* A page of this module that began the sign-in shows the error, and leads on as before. */
static const char *own_error_url(na_request *request, const char *code)
{
    const char *page = apr_pstrcat(request->pool, request->config->base_url, request->page, NULL);
    return na_url_add(request->pool,
                      na_url_add(request->pool, page, "callbackUrl", request->callback_url),
                      "error", code);
}

/* Returns NextAuth's name for the log of this error. */
static const char *log_event_of(const na_request *request, const na_error *error)
{
    int is_callback = strcmp(request->action, "callback") == 0;
    na_provider_type type = request->provider ? request->provider->type : NA_OAUTH;
    if (is_callback && type == NA_CREDENTIALS)
        return "CALLBACK_CREDENTIALS_HANDLER_ERROR";
    if (is_callback && type == NA_EMAIL)
        return "CALLBACK_EMAIL_ERROR";
    if (is_callback && type == NA_WEBAUTHN)
        return "CALLBACK_WEBAUTHN_ERROR";
    if (is_callback)
        return na_error_is(error, NA_ERR_CALLBACK) ? "OAUTH_CALLBACK_HANDLER_ERROR"
                                                   : "OAUTH_CALLBACK_ERROR";
    if (strcmp(request->action, "signin") == 0)
        return type == NA_EMAIL ? "SIGNIN_EMAIL_ERROR" : "SIGNIN_OAUTH_ERROR";
    if (strncmp(request->action, "signout", strlen("signout")) == 0)
        return "SIGNOUT_ERROR";
    return strcmp(request->action, "session") == 0 ? "JWT_SESSION_ERROR" : "REQUEST_ERROR";
}

/* Returns 1 if the provider was not called yet: the sign-in can continue, and a flood of such
 * requests does not fill the logs.
 */
static int is_put_off(const na_request *request, const na_error *error)
{
    return request->provider && request->provider->type <= NA_OAUTH && !request->is_recorded &&
           na_error_is(error, NA_ERR_BUSY);
}

/*
 * Records a failed sign-in, or another action that was recorded before it failed. No user can
 * sign in with an unknown provider. If the record cannot be written, the response is the same as
 * for a success, so that an attacker who tries passwords learns nothing.
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

/* Returns NA_LOG_ERROR for what the administrator must fix; any visitor can cause the others. */
static na_level level_of(const na_error *error)
{
    unsigned flags = na_error_code_of(na_error_telling_code(error))->flags;
    return flags & NA_CODE_ADMINISTRATORS ? NA_LOG_ERROR : NA_LOG_WARNING;
}

static void respond_error(na_request *request, na_response *response, const na_error *error)
{
    na_log_error(request, level_of(error), log_event_of(request, error), error);
    const char *url = request->page           ? own_error_url(request, error->code)
                      : na_speaks_v5(request) ? v5_error_url(request, error->code)
                                              : v4_error_url(request, error->code);
    na_keep_reference(request, response);
    if (na_error_code_of(error->code)->flags & NA_CODE_V4_SIGN_IN)
        na_keep_attempt(request, response);
    na_respond_redirect(request, response, na_error_code_of(error->code)->v4_status, url);
    if (response->body) /* Auth.js has the URL only in the JSON */
        response->location = NULL;
}

static const char *sign_in_page(const na_request *request)
{
    const char *page = request->config->pages.sign_in;
    if (!page)
        return apr_pstrcat(request->pool, request->config->base_url, "/signin", NULL);
    return *page == '/' ? apr_pstrcat(request->pool, request->config->origin, page, NULL) : page;
}

/* Both clients of NextAuth read `url` and its `error`, whatever the status is. */
static const char *url_of_error(const na_request *request, const char *code)
{
    return na_url_add(request->pool, sign_in_page(request), "error", code);
}

/*
 * A redirect would lead to a page that fails in the same way. An outage is logged once where it is
 * noticed, so requests that only poll log it at a lower level.
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
        na_respond_page(request, response, 503,
                        na_say(request->language, "Temporarily unavailable"),
                        na_page_unavailable(request->pool, request->language));
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

/* Records a refusal once within the time of the limit, so that further attempts do not fill the
 * log. */
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
        na_respond_page(request, response, 429, na_say(request->language, "Too many attempts"),
                        na_page_too_many(request->pool, request->language, request->limit_wait,
                                         sign_in_page(request)));
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
    return request->provider_id
               ? na_provider_named(request->config->providers, request->provider_id)
               : NULL;
}

static int is_limited(const na_error *error)
{
    return na_error_is(error, NA_ERR_RATE_LIMITED);
}

/* Turns an action's error, or NULL, into the response. */
static void conclude(na_request *request, na_response *response, na_error *error)
{
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

void na_dispatch_direct(na_request *request, na_response *response)
{
    na_csrf(request); /* its cookie identifies the browser */
    na_callback_url(request, response);
    na_direct_count(request, response);
    conclude(request, response, na_start_at_provider(request, response));
}

void na_dispatch(na_request *request, na_response *response)
{
    request->provider = find_provider(request);
    const struct route *route = find_route(request);
    if (!route) {
        respond_unknown(request, response);
        return;
    }
    if (route->sets & SETS_CALLBACK_URL && apr_table_get(request->form, "again"))
        request->page = NA_PAGE_AGAIN; /* shows errors, and leads on from there */
    na_csrf(request);
    if (route->sets & SETS_CSRF)
        na_csrf_hand_out(request, response);
    if (route->sets & SETS_CALLBACK_URL)
        na_callback_url(request, response);
    na_error *error = route->csrf && !request->csrf_verified
                          ? na_refuse_csrf(request, response, route->csrf)
                          : route->run(request, response);
    conclude(request, response, error);
}

na_error *na_callback(na_request *request, na_response *response)
{
    if (!request->provider)
        return na_error_new(request->pool, NA_ERR_INVALID_PROVIDER,
                            "unknown provider in a callback");
    if (request->provider->type == NA_EMAIL)
        return na_callback_email(request, response);
    if (request->provider->type > NA_OAUTH)
        return na_error_new(request->pool, NA_ERR_INVALID_PROVIDER,
                            "a callback of provider '%s' requires POST", request->provider->id);
    int is_other;
    NA_TRY(na_redirect_forward(request, response, &is_other));
    if (is_other)
        return NULL;
    NA_TRY(na_checks_are_there(request, na_redirect_state(request))
               ? na_limit_take(request, NA_LIMIT_CALLBACK, NULL)
               : na_limit_take_stray(request, NA_LIMIT_CALLBACK));
    return na_callback_oauth(request, response);
}

/* v4's client reports its own errors here. They are ignored because anyone can send them. */
na_error *na_post_log(na_request *request, na_response *response)
{
    response->status = 200;
    return NULL;
}
