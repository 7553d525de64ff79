/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/checks.h"

#include <limits.h>
#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"

#define MAX_AGE 900
#define SUFFIX_LEN 8

static const na_cookie_id check_cookies[] = {NA_COOKIE_STATE, NA_COOKIE_PKCE, NA_COOKIE_NONCE};

static void log_step(void *request, const char *event, const char *text)
{
    na_log(request, NA_LOG_DEBUG, event, "%s", text);
}

void na_oauth_of_request(const na_request *request, na_oauth *oauth)
{
    *oauth = (na_oauth){
        .pool = request->pool,
        .provider = request->provider,
        .http = request->http,
        .documents = request->process->documents,
        .now = request->now,
        .redirect_uri = apr_pstrcat(request->pool, request->config->base_url, "/callback/",
                                    request->provider->id, NULL),
        .allow_http = request->config->http.allow_http,
        .headers = request->config->http.trace_context
                       ? na_trace_headers(request->pool, request->trace)
                       : NULL,
        .step = log_step,
        .data = (void *)request,
    };
}

/* Without a state there is nothing to tell sign-ins apart by. */
static const char *cookie_name(const na_request *request, na_cookie_id id, const char *state)
{
    const char *name = request->config->cookies[id].name;
    if (!state || strlen(state) < SUFFIX_LEN ||
        strspn(state, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") <
            SUFFIX_LEN)
        return name;
    return apr_psprintf(request->pool, "%s.%.*s", name, SUFFIX_LEN, state);
}

void na_checks_clear(na_request *request, na_response *response, const char *state)
{
    for (int i = 0; i < 3; i++) {
        na_cookie_id id = check_cookies[i];
        const char *name = cookie_name(request, id, state);
        if (na_cookies_get(request->cookies, name, 0))
            na_set_cookie(response,
                          na_cookie_clear(request->pool, &request->config->cookies[id], name));
    }
}

/* Browsers send a host's older cookies first (RFC 6265 section 5.4). */
static void make_room(na_request *request, na_response *response)
{
    const char *start =
        apr_pstrcat(request->pool, request->config->cookies[NA_COOKIE_STATE].name, ".", NULL);
    const char *name;
    int flows = 0, at = INT_MAX;
    while ((name = na_cookies_last(request->cookies, start, &at)))
        if (++flows >= NA_FLOWS_MAX)
            na_checks_clear(request, response, name + strlen(start));
}

static na_error *put(na_request *request, na_response *response, na_cookie_id id, const char *state,
                     const char *value)
{
    const na_config *config = request->config;
    char *token;
    json_t *claims = na_json_own(request->pool, json_pack("{s:s, s:s}", "value", value, "provider",
                                                          request->provider->id));
    if (id == NA_COOKIE_STATE)
        json_object_set_new(claims, "callbackUrl", json_string(request->callback_url));
    NA_TRY(na_keyring_seal(request->pool, &config->check_rings[id], claims, request->now, MAX_AGE,
                           &token));
    na_set_cookie(response, na_cookie_write(request->pool, &config->cookies[id],
                                            cookie_name(request, id, state), token, MAX_AGE,
                                            request->now + apr_time_from_sec(MAX_AGE)));
    return NULL;
}

na_error *na_checks_make(na_request *request, na_response *response, na_checks *checks)
{
    int wanted = request->provider->checks;
    *checks = (na_checks){0};
    make_room(request, response);
    if (wanted & NA_CHECK_STATE) {
        checks->state = na_random_base64url(request->pool, 32);
        NA_TRY(put(request, response, NA_COOKIE_STATE, checks->state, checks->state));
    }
    if (wanted & NA_CHECK_PKCE) {
        checks->code_verifier = na_random_base64url(request->pool, 32);
        NA_TRY(put(request, response, NA_COOKIE_PKCE, checks->state, checks->code_verifier));
    }
    if (wanted & NA_CHECK_NONCE) {
        checks->nonce = na_random_base64url(request->pool, 32);
        NA_TRY(put(request, response, NA_COOKIE_NONCE, checks->state, checks->nonce));
    }
    return NULL;
}

/* A check made for one provider must not pass for another. */
static na_error *open_check(na_request *request, na_cookie_id id, const char *cookie,
                            const char **value, json_t **claims)
{
    const char *name = request->config->cookies[id].name;
    na_error *error = na_keyring_open(request->pool, &request->config->check_rings[id],
                                      na_bytes_of(cookie), request->now, claims);
    if (error)
        return na_error_wrap(request->pool, error, NA_INVALID_CHECK, "cookie %s is unusable", name);
    const char *provider = na_json_string(*claims, "provider");
    *value = na_json_string(*claims, "value");
    if (!*value || !provider || strcmp(provider, request->provider->id) != 0)
        return na_error_new(request->pool, NA_INVALID_CHECK,
                            "cookie %s was made for another provider", name);
    return NULL;
}

/* Of several cookies the one that opens; with `expected` (may be NULL), the one that is that. */
static na_error *take(na_request *request, na_cookie_id id, const char *state, const char *expected,
                      const char **value, json_t **claims)
{
    const char *cookie, *name = cookie_name(request, id, state);
    na_error *error = na_error_new(request->pool, NA_INVALID_CHECK,
                                   "cookie %s is missing: expired, used already, or another "
                                   "browser",
                                   request->config->cookies[id].name);
    for (int i = 0; (cookie = na_cookies_get(request->cookies, name, i)); i++) {
        error = open_check(request, id, cookie, value, claims);
        if (!error && (!expected || na_equal_secret(expected, *value)))
            return NULL;
        if (!error)
            error = na_error_new(request->pool, NA_INVALID_CHECK, "%s is not this sign-in's",
                                 request->config->cookies[id].name);
    }
    return error;
}

static na_error *take_state(na_request *request, const char *state, const char **expected)
{
    json_t *claims;
    if (!state)
        return na_error_new(request->pool, NA_INVALID_CHECK, "the callback has no state");
    NA_TRY(take(request, NA_COOKIE_STATE, state, state, expected, &claims));
    const char *url =
        na_safe_redirect(request->pool, request->config, na_json_string(claims, "callbackUrl"));
    request->callback_url = url ? url : request->callback_url;
    return NULL;
}

na_error *na_checks_take(na_request *request, na_response *response, const char *state,
                         na_checks *checks)
{
    int wanted = request->provider->checks;
    json_t *claims;
    *checks = (na_checks){0};
    na_checks_clear(request, response, state);
    if (wanted & NA_CHECK_STATE)
        NA_TRY(take_state(request, state, &checks->state));
    if (wanted & NA_CHECK_PKCE)
        NA_TRY(take(request, NA_COOKIE_PKCE, state, NULL, &checks->code_verifier, &claims));
    if (wanted & NA_CHECK_NONCE)
        NA_TRY(take(request, NA_COOKIE_NONCE, state, NULL, &checks->nonce, &claims));
    return NULL;
}
