/* SPDX-License-Identifier: Apache-2.0 */
/* Responses to requests that are not admitted. */
#include "httpd/request/refuse.h"

#include <string.h>

#include <apr_strings.h>
#include <mod_core.h>

#include "auth/callback_url.h"
#include "auth/long_url.h"
#include "auth/respond.h"
#include "base/json.h"
#include "base/url.h"
#include "httpd/module.h"
#include "httpd/request/access.h"
#include "httpd/request/action.h"
#include "httpd/request/client.h"
#include "httpd/request/direct.h"
#include "httpd/request/preserve.h"
#include "httpd/request/url.h"
#include "httpd/request/write.h"
#include "oauth/dpop_proof.h"
#include "oauth/resource.h"

static const char *sign_in_page(request_rec *r, const na_config *config)
{
    const char *page = config->pages.sign_in;
    if (!page)
        return apr_pstrcat(r->pool, config->base_url, "/signin", NULL);
    return *page == '/' ? apr_pstrcat(r->pool, config->origin, page, NULL) : page;
}

/* Returns that page, which leads to `url` after the sign-in. */
static const char *sign_in_url(request_rec *r, const na_config *config, const char *url)
{
    return na_url_add(r->pool, sign_in_page(r, config), "callbackUrl", url);
}

static void forbid_caching(request_rec *r)
{
    apr_table_setn(r->err_headers_out, "Cache-Control", "private, no-cache, no-store");
}

int na_redirect_to(request_rec *r, const char *url)
{
    int is_safe = r->method_number == M_GET;
    apr_table_setn(r->headers_out, "Location", url);
    forbid_caching(r);
    return is_safe ? HTTP_MOVED_TEMPORARILY : HTTP_SEE_OTHER;
}

int na_respond_to_script(request_rec *r, int status, json_t *body)
{
    r->status = status;
    ap_set_content_type(r, "application/json; charset=utf-8");
    ap_discard_request_body(r);
    if (!r->header_only)
        ap_rputs(na_json_dump(r->pool, body), r);
    return DONE;
}

/* ── challenges ────────────────────────────────────────────────────────────────────────────── */

/* Returns 1 if clients without a browser have a way in here, which they can be asked for. */
static int admits_plain_clients(request_rec *r)
{
    return na_is_way_open(r, NA_BY_TOKEN) || na_is_way_open(r, NA_BY_PASSWORD);
}

/*
 * A browser must not be asked by Basic: it would show a dialog of its own, even for a script, and
 * keep what is typed there until it is closed.
 */
static int may_ask_by_basic(request_rec *r)
{
    return admits_plain_clients(r) &&
           (na_is_plain_client(r) ||
            (na_dir_conf_of(r)->unauthenticated == NA_401 && !na_is_of_browser(r)));
}

void na_add_challenge(request_rec *r, const char *scheme, const char *further)
{
    forbid_caching(r);
    apr_table_addn(r->err_headers_out, "WWW-Authenticate",
                   apr_pstrcat(r->pool, scheme, " realm=\"", na_config_of(r)->origin, "\"", further,
                               NULL));
}

/* RFC 6750 section 3: without an error if the client showed nothing. */
static const char *bearer_error(const na_state *state)
{
    if (state->refusal == NA_REFUSED_SCOPE)
        return ", error=\"insufficient_scope\"";
    return state->refusal == NA_REFUSED_CREDENTIALS && state->way != NA_BY_PASSWORD &&
                   !state->is_dpop
               ? ", error=\"invalid_token\""
               : "";
}

/* RFC 9449 section 7.1. A client that showed no token can have one of either kind. */
static const char *dpop_error(const na_state *state)
{
    static const char *const errors[] = {[NA_BEARER_INVALID_TOKEN] = "invalid_token",
                                         [NA_BEARER_INVALID_PROOF] = "invalid_dpop_proof",
                                         [NA_BEARER_LACKS_NONCE] = "use_dpop_nonce"};
    return state->refusal == NA_REFUSED_CREDENTIALS && state->is_dpop ? errors[state->bearer_answer]
                                                                      : NULL;
}

/* RFC 9728 section 5.1: where a client learns who issues tokens for this path. */
static const char *metadata_of(request_rec *r)
{
    const na_config *config = na_config_of(r);
    const char *url =
        config->has_resources && na_is_way_open(r, NA_BY_OAUTH)
            ? na_resource_metadata_url(r->pool, config->issuers, na_dir_conf_of(r)->issuers,
                                       config->origin, r->uri)
            : NULL;
    return url ? apr_pstrcat(r->pool, ", resource_metadata=\"", url, "\"", NULL) : "";
}

static void add_dpop_challenge(request_rec *r)
{
    const char *error = dpop_error(na_state_of(r));
    na_add_challenge(r, "DPoP",
                     apr_pstrcat(r->pool, ", algs=\"" NA_DPOP_ALGS "\"", error ? ", error=\"" : "",
                                 error ? error : "", error ? "\"" : "", metadata_of(r), NULL));
}

/* RFC 7617 section 2.1: the charset. Clients take the first challenge that they know. */
static void add_challenges(request_rec *r)
{
    const na_state *state = na_state_of(r);
    int accepts_bearer = na_is_way_open(r, NA_BY_TOKEN) || na_is_way_open(r, NA_BY_BEARER) ||
                         na_is_way_open(r, NA_BY_OAUTH);
    apr_table_unset(r->err_headers_out, "WWW-Authenticate");
    if (may_ask_by_basic(r))
        na_add_challenge(r, "Basic", ", charset=\"UTF-8\"");
    else if (na_is_way_open(r, NA_BY_COOKIE))
        na_add_challenge(r, "NextAuth", "");
    if (accepts_bearer)
        na_add_challenge(r, "Bearer",
                         apr_pstrcat(r->pool, bearer_error(state), metadata_of(r), NULL));
    if (na_is_way_open(r, NA_BY_OAUTH))
        add_dpop_challenge(r);
}

/* ── responses ─────────────────────────────────────────────────────────────────────────────── */

/* A subrequest cannot send a body, and an administrator's ErrorDocument takes precedence. */
static int respond_401(request_rec *r, const na_config *config)
{
    int can_sign_in = na_is_way_open(r, NA_BY_COOKIE);
    const char *url = can_sign_in ? sign_in_url(r, config, na_requested_url(r)) : NULL;
    add_challenges(r);
    forbid_caching(r);
    if (r->main || ap_response_code_string(r, ap_index_of_response(HTTP_UNAUTHORIZED)))
        return HTTP_UNAUTHORIZED;
    json_t *body =
        na_json_own(r->pool, json_pack("{s:s, s:s, s:s*}", "error", "Unauthorized", "message",
                                       "Authentication required.", "signinUrl", url));
    return na_respond_to_script(r, HTTP_UNAUTHORIZED, body);
}

/*
 * A subrequest gets 401, because modules take a redirect for permission: mod_autoindex would list
 * the file, and RewriteCond -U would match. If the main request was authorized and the subrequest
 * is its only content (mod_dir), httpd turns the 401 into a redirect to the sign-in page.
 */
static int refuse_subrequest(request_rec *r, const na_config *config, int redirect)
{
    request_rec *outer = r->main;
    if (redirect && !outer->main && na_state_of(outer)->is_authorized)
        ap_custom_response(outer, HTTP_UNAUTHORIZED,
                           sign_in_url(outer, config, na_requested_url(outer)));
    return respond_401(r, config);
}

/* Builds a page from which the user can sign in at `url` in another tab, and then continue here. */
typedef const char *in_tab_page(apr_pool_t *pool, const na_language *language, const char *url);

static int respond_in_tab(request_rec *r, const char *title, in_tab_page *build, const char *url)
{
    na_request request;
    na_response response = {.set_cookies = apr_array_make(r->pool, 1, sizeof(char *))};
    add_challenges(r);
    if (ap_response_code_string(r, ap_index_of_response(HTTP_UNAUTHORIZED)))
        return HTTP_UNAUTHORIZED;
    na_request_begin(r, &request);
    request.action = NA_RESEND_PAGE + 1;
    na_respond_page(&request, &response, HTTP_UNAUTHORIZED, na_say(request.language, title),
                    build(r->pool, request.language, url));
    ap_discard_request_body(r);
    na_write_response(r, &response);
    return DONE;
}

/* Returns 1 if a form carries the URL through the sign-in: there is no provider and no email that
 * would have to. */
static int is_carried_by_forms(request_rec *r, const char *page, const char *url)
{
    const na_config *config = na_config_of(r);
    for (int i = 0; i < config->providers->nelts; i++)
        if (APR_ARRAY_IDX(config->providers, i, const na_provider *)->type != NA_CREDENTIALS)
            return 0;
    return config->session.two_factor == NA_TWO_FACTOR_OFF &&
           strlen(na_url_add(r->pool, page, "callbackUrl", url)) <
               (size_t)r->server->limit_req_line;
}

/* Replaces a long URL by a shorter one that leads to it. Returns 0 if the sign-in would lose it. */
static int shorten_url(request_rec *r, const char *page, const char **url)
{
    na_request request;
    if (strlen(*url) <= NA_CALLBACK_URL_CARRIED)
        return 1;
    na_request_begin(r, &request);
    na_error *error = na_long_url_keep(&request, *url, url);
    if (!error || is_carried_by_forms(r, page, *url))
        return 1;
    na_log_request(r, NA_LOG_INFO, "SIGNIN", "no sign-in for a URL of %d bytes: %s",
                   (int)strlen(*url), na_error_text(r->pool, error));
    return 0;
}

static int respond_too_long(request_rec *r, const char *page)
{
    return respond_in_tab(r, NA_TEXT("This address is too long"), na_page_url_lost, page);
}

/*
 * Redirects to a page on which a user proves something, and which leads back to the request, whole:
 * what cannot be kept is not lost without a word.
 */
int na_lead_to(request_rec *r, const char *page)
{
    const char *url = na_requested_url(r);
    na_preserved post = na_preserve_post(r, &url);
    if (post == NA_POST_LOST)
        return respond_in_tab(r, NA_TEXT("The form was not sent"), na_page_form_lost, page);
    if (post == NA_POST_NONE && !shorten_url(r, page, &url))
        return respond_too_long(r, page);
    return na_redirect_to(r, na_url_add(r->pool, page, "callbackUrl", url));
}

/* Browsers do not show a prefetched error, but ask again when the user opens the page. */
int na_wants_redirect(request_rec *r)
{
    na_unauthenticated how = na_dir_conf_of(r)->unauthenticated;
    if (!na_is_way_open(r, NA_BY_COOKIE))
        return 0; /* a sign-in would not help */
    if (how == NA_REDIRECT || how == NA_401)
        return how == NA_REDIRECT;
    return na_is_page_load(r) && !na_is_prefetch(r) &&
           !(admits_plain_clients(r) && na_is_plain_client(r));
}

/* The page of a browser that keeps coming back without a session says so. */
static const char *sign_in_page_after(request_rec *r, const na_config *config, na_direct direct)
{
    const char *page = sign_in_page(r, config);
    if (direct != NA_DIRECT_TOO_MANY)
        return page;
    na_log_request(r, NA_LOG_INFO, "SIGNIN",
                   "this browser began several sign-ins within a minute and has no session: "
                   "showing the sign-in page");
    return na_url_add(r->pool, page, "error", "SessionRequired");
}

/* Leads to the provider if there is one to go to, else to the sign-in page. */
static int redirect_to_sign_in(request_rec *r, const na_config *config)
{
    const na_provider *provider = na_direct_provider(r);
    na_direct direct = NA_DIRECT_GO;
    const char *url = na_requested_url(r);
    if (provider && !shorten_url(r, sign_in_page(r, config), &url))
        return respond_too_long(r, sign_in_page(r, config));
    if (provider && na_sign_in_directly(r, provider, url, &direct))
        return DONE;
    na_log_request(r, NA_LOG_DEBUG, NULL, "not signed in: redirecting to the sign-in page");
    return na_lead_to(r, sign_in_page_after(r, config, direct));
}

static int ask_to_sign_in(request_rec *r)
{
    const na_config *config = na_config_of(r);
    int redirect = na_wants_redirect(r);
    if (redirect && !r->main)
        return redirect_to_sign_in(r, config);
    na_log_request(r, NA_LOG_DEBUG, NULL, "not signed in: responding with 401");
    return r->main ? refuse_subrequest(r, config, redirect) : respond_401(r, config);
}

static int respond_429(request_rec *r)
{
    apr_table_setn(r->err_headers_out, "Retry-After",
                   apr_ltoa(r->pool, na_state_of(r)->limit_wait));
    forbid_caching(r);
    return HTTP_TOO_MANY_REQUESTS;
}

int na_refuse_unauthenticated(request_rec *r)
{
    switch (na_state_of(r)->refusal) {
    case NA_REFUSED_RATE:
        return respond_429(r);
    case NA_REFUSED_SCOPE:
        na_add_challenge(r, "Bearer", bearer_error(na_state_of(r)));
        return na_refuse_forbidden(r);
    case NA_REFUSED_CREDENTIALS:
        return respond_401(r, na_config_of(r));
    default:
        return ask_to_sign_in(r);
    }
}

/* RFC 9110 section 15.5.20. */
int na_refuse_host(request_rec *r)
{
    na_log_request(
        r, NA_LOG_INFO, "HOST",
        "refused host '%s': NextAuthURL does not list it, or no provider is for its tenant",
        na_one_line(r->pool, r->hostname ? r->hostname : "", NA_HOST_LEN_MAX));
    forbid_caching(r);
    return HTTP_MISDIRECTED_REQUEST;
}

/* If the session could not be looked up, signing in would not help, and would lose the page. */
int na_refuse_unavailable(request_rec *r)
{
    apr_table_setn(r->err_headers_out, "Retry-After", APR_STRINGIFY(NA_RETRY_AFTER));
    forbid_caching(r);
    return HTTP_SERVICE_UNAVAILABLE;
}

/* Signing out first keeps the accounts of two people apart, and leads back here. */
static void respond_403_page(request_rec *r, const na_session *session, na_response *response)
{
    na_request request;
    na_request_begin(r, &request);
    request.action = NA_PAGE_FORBIDDEN;
    const na_config *config = request.config;
    const char *user = session->email ? session->email : na_session_claim(session, "name");
    const char *sign_out = apr_pstrcat(r->pool, config->base_url, "/signout", NULL);
    na_respond_page(&request, response, HTTP_FORBIDDEN, na_say(request.language, "Access denied"),
                    na_page_forbidden(r->pool, request.language, user,
                                      na_url_add(r->pool, sign_out, "callbackUrl",
                                                 na_requested_url(r)),
                                      config->home));
}

/* Scripts get httpd's response, and an administrator's ErrorDocument takes precedence. */
int na_refuse_forbidden(request_rec *r)
{
    const na_session *session = na_state_of(r)->session;
    forbid_caching(r);
    if (r->main || !session || !na_is_page_load(r) ||
        ap_response_code_string(r, ap_index_of_response(HTTP_FORBIDDEN)))
        return HTTP_FORBIDDEN;
    na_response response = {.set_cookies = apr_array_make(r->pool, 1, sizeof(char *))};
    respond_403_page(r, session, &response);
    ap_discard_request_body(r);
    na_write_response(r, &response);
    return DONE;
}

/* RFC 6750 section 3.1. */
int na_refuse_without_scope(request_rec *r)
{
    na_add_challenge(r, na_state_of(r)->is_dpop ? "DPoP" : "Bearer",
                     apr_pstrcat(r->pool, ", error=\"insufficient_scope\", scope=\"",
                                 na_state_of(r)->lacks_scope, "\"", NULL));
    return na_refuse_forbidden(r);
}

int na_refuse_without_factor(request_rec *r)
{
    const na_config *config = na_config_of(r);
    const char *page = apr_pstrcat(r->pool, config->base_url, "/two-factor", NULL);
    const char *url = na_url_add(r->pool, page, "callbackUrl", na_requested_url(r));
    na_log_request(r, NA_LOG_DEBUG, NULL, "the session is without a second factor");
    if (config->session.two_factor == NA_TWO_FACTOR_OFF || r->main ||
        ap_response_code_string(r, ap_index_of_response(HTTP_FORBIDDEN)))
        return na_refuse_forbidden(r);
    if (na_wants_redirect(r) && na_state_of(r)->way == NA_BY_COOKIE)
        return na_lead_to(r, page);
    forbid_caching(r);
    return na_respond_to_script(r, HTTP_FORBIDDEN,
                                na_json_own(r->pool, json_pack("{s:s, s:s, s:s}", "error",
                                                               "SecondFactorRequired", "message",
                                                               "A second factor is required.",
                                                               "twoFactorUrl", url)));
}
