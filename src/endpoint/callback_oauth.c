/* SPDX-License-Identifier: Apache-2.0 */
/* The callback endpoint of OAuth 2.0 and OpenID Connect providers. */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "auth/checks.h"
#include "auth/redirect_proxy.h"
#include "auth/complete.h"
#include "auth/profile_subject.h"
#include "endpoint/endpoints.h"
#include "auth/replay.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "base/json.h"
#include "base/text.h"
#include "base/url.h"
#include "oauth/oauth.h"

#define SAID_MAX 200

/* Returns a parameter in the provider's words, for the log only. */
static const char *quote_parameter(na_request *request, const char *name)
{
    return na_one_line(request->pool, na_parameter(request, name), SAID_MAX);
}

/* Azure's issuers for several tenants have a placeholder for the tenant. */
static int has_tenants(const na_metadata *metadata)
{
    return metadata->issuer && strchr(metadata->issuer, '{');
}

/* RFC 9207 section 2.4: the response must come from the issuer that was asked. */
static na_error *check_iss(na_request *request, const na_metadata *metadata)
{
    const char *iss = na_parameter(request, "iss");
    if (!iss && !metadata->sends_iss)
        return NULL;
    if (!metadata->issuer || has_tenants(metadata))
        return NULL;
    return iss && strcmp(iss, metadata->issuer) == 0
               ? NULL
               : na_error_new(request->pool, NA_ERR_INVALID_CHECK,
                              "iss of the callback does not match the issuer");
}

/*
 * Returns when the user signed in by hand. A provider where the user is still signed in can answer
 * without asking: what says so is auth_time (Core 1.0 sections 2 and 3.1.3.7). If the provider can
 * name it and does not, the browser may have removed max_age from the request. Of a provider that
 * cannot, nothing more is known than that the user was there.
 */
static apr_int64_t time_of_proof(const na_request *request, const na_metadata *metadata,
                                 const na_tokens *tokens)
{
    apr_int64_t now = apr_time_sec(request->now);
    if (tokens->auth_time)
        return tokens->auth_time < now ? tokens->auth_time : now;
    return metadata->says_auth_time ? -1 : now;
}

static na_error *fetch_profile(na_request *request, const na_oauth *oauth, const na_checks *checks,
                               na_tokens *tokens, json_t **profile, na_subject *subject,
                               int *any_tenant)
{
    const char *code = na_parameter(request, "code");
    na_metadata metadata;
    NA_TRY(na_oauth_metadata(oauth, &metadata));
    *any_tenant = has_tenants(&metadata);
    NA_TRY(check_iss(request, &metadata));
    if (!code || !*code)
        return na_error_new(request->pool, NA_ERR_INVALID_CHECK, "missing code in the callback");
    NA_TRY(na_oauth_exchange(oauth, &metadata, code, checks->code_verifier, tokens));
    NA_TRY(na_oauth_profile(oauth, &metadata, tokens, checks, profile));
    subject->proved_at = time_of_proof(request, &metadata, tokens);
    return NULL;
}

/* One place covers all calls: once the code is used up, the sign-in must not fail for lack of a
 * place. */
static na_error *fetch_in_place(na_request *request, const na_checks *checks, na_tokens *tokens,
                                json_t **profile, na_subject *subject, int *any_tenant)
{
    na_oauth oauth;
    na_oauth_of_request(request, &oauth);
    NA_TRY(na_http_enter(oauth.http, request->pool, &oauth.place));
    na_error *error = fetch_profile(request, &oauth, checks, tokens, profile, subject, any_tenant);
    na_http_leave(oauth.place);
    return error;
}

/*
 * Apple posts the name of a new user with the callback, as JSON. The browser could change it, so
 * only the name is used.
 */
static void add_posted_name(const na_request *request, json_t *profile)
{
    const char *text = request->provider->form_user ? na_parameter(request, "user") : NULL;
    json_t *user, *name;
    if (!text || na_json_parse(request->pool, NA_ERR_CALLBACK, text, strlen(text), &user))
        return;
    name = json_object_get(user, "name");
    if (name)
        json_object_set_new(profile, "user", json_pack("{s:O}", "name", name));
}

/*
 * A sign-in that a page began directly, and whose cookies are gone or are those of another tab,
 * begins again at that page, which is open to a user who has signed in meanwhile.
 */
static na_error *take_checks(na_request *request, na_response *response, const char *state,
                             na_checks *checks, na_subject *subject, const char **way_back)
{
    na_error *error = na_checks_take(request, response, state, checks, &subject->initiator);
    if (!error)
        error = na_replay_take(request, checks);
    *way_back =
        na_error_is(error, NA_ERR_INVALID_CHECK) ? na_checks_way_back(request, state) : NULL;
    if (!*way_back)
        return error;
    na_log(request, NA_LOG_INFO, "OAUTH_CALLBACK", "back to the page, to begin again: %s",
           na_error_text(request->pool, error));
    na_respond_redirect(request, response, 200, *way_back);
    return NULL;
}

static na_error *complete_callback(na_request *request, na_response *response, const char *state)
{
    na_checks checks;
    na_tokens tokens;
    json_t *profile;
    const char *way_back;
    int any_tenant;
    na_subject subject = {.provider = request->provider};
    NA_TRY(take_checks(request, response, state, &checks, &subject, &way_back));
    if (way_back)
        return NULL;
    na_error *error = fetch_in_place(request, &checks, &tokens, &profile, &subject, &any_tenant);
    if (na_is_unavailable(error))
        na_replay_give_back(request, &checks);
    if (error)
        return error;
    add_posted_name(request, profile);
    NA_TRY(na_profile_subject(request, any_tenant, profile, &tokens, &subject));
    return na_complete_sign_in(request, response, &subject);
}

/* Returns the first parameter that is sent twice, which RFC 6749 section 3.1 forbids; NULL if none.
 */
static const char *repeated_parameter(const na_request *request)
{
    const apr_array_header_t *list =
        apr_table_elts(apr_table_overlay(request->pool, request->query, request->form));
    for (int i = 1; i < list->nelts; i++)
        for (int j = 0; j < i; j++)
            if (strcasecmp(APR_ARRAY_IDX(list, i, apr_table_entry_t).key,
                           APR_ARRAY_IDX(list, j, apr_table_entry_t).key) == 0)
                return APR_ARRAY_IDX(list, i, apr_table_entry_t).key;
    return NULL;
}

/*
 * response_mode=form_post: with a form of another site, the browser sends the sign-in cookies,
 * which are SameSite=None for that purpose, but neither the CSRF cookie nor the session cookie,
 * which identify the initiator.
 */
static int is_foreign_form(const na_request *request, const char *state)
{
    const char *csrf = request->config->cookies[NA_COOKIE_CSRF].name;
    return request->provider->form_post && strcmp(request->method, "POST") == 0 &&
           !na_cookies_get(request->cookies, csrf, 0) && na_checks_are_there(request, state);
}

/* Redirects to this URL: with that request the browser sends all cookies. A new CSRF cookie would
 * replace the browser's own. */
static void take_along(na_request *request, na_response *response)
{
    static const char *const names[] = {"state", "code", "iss", "error", "error_description",
                                        "user"}; /* the last one is Apple's */
    const char *url = apr_pstrcat(request->pool, request->config->base_url, "/callback/",
                                  request->provider->id, NULL);
    apr_size_t count = sizeof names / sizeof *names - !request->provider->form_user;
    for (apr_size_t i = 0; i < count; i++) {
        const char *value = apr_table_get(request->form, names[i]);
        if (value)
            url = na_url_add(request->pool, url, names[i], value);
    }
    response->set_cookies->nelts = 0;
    response->status = 303;
    response->location = url;
}

na_error *na_callback_oauth(na_request *request, na_response *response)
{
    const char *state = na_redirect_state(request), *code = na_parameter(request, "code");
    na_log(request, NA_LOG_DEBUG, "OAUTH_CALLBACK", "callback from the provider with %s, %s",
           state ? "a state" : "no state", code ? "a code" : "no code");
    const char *twice = repeated_parameter(request);
    if (twice) {
        na_checks_clear(request, response, state);
        return na_error_wrap(request->pool,
                             na_error_new(request->pool, NA_ERR_INVALID_CHECK,
                                          "duplicate parameter '%s' in the callback",
                                          na_one_line(request->pool, twice, SAID_MAX)),
                             NA_ERR_OAUTH_CALLBACK, "could not sign in with '%s'",
                             request->provider->id);
    }
    if (is_foreign_form(request, state)) {
        take_along(request, response);
        return NULL;
    }
    if (na_parameter(request, "error")) {
        na_checks_clear(request, response, state);
        return na_error_new(request->pool, NA_ERR_CALLBACK, "the provider returned %s (%s)",
                            quote_parameter(request, "error"),
                            quote_parameter(request, "error_description"));
    }
    int cookies = response->set_cookies->nelts;
    na_error *error = complete_callback(request, response, state);
    if (na_is_unavailable(error))
        response->set_cookies->nelts = cookies; /* so that the page can be reloaded */
    if (error && !na_error_is(error, NA_ERR_ACCESS_DENIED) && !na_error_is(error, NA_ERR_STEP_UP) &&
        !na_error_is(error, NA_ERR_ACCOUNT_NOT_LINKED) && !na_is_unavailable(error) &&
        !na_error_is(error, NA_ERR_CONFIGURATION))
        return na_error_wrap(request->pool, error, NA_ERR_OAUTH_CALLBACK,
                             "could not sign in with '%s'", request->provider->id);
    return error;
}
