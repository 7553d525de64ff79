/* SPDX-License-Identifier: Apache-2.0 */
/* Issues and verifies the sign-in cookies: state, PKCE, and nonce. */
#include "auth/checks.h"

#include <limits.h>
#include <string.h>

#include <apr_strings.h>

#include "auth/callback_url.h"
#include "auth/csrf.h"
#include "auth/initiator.h"
#include "auth/long_url.h"
#include "auth/redirect_proxy.h"
#include "auth/remember_me.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "base/crypto.h"
#include "base/json.h"

#define SUFFIX_LEN 8

static const na_cookie_id check_cookies[] = {NA_COOKIE_STATE, NA_COOKIE_PKCE, NA_COOKIE_NONCE};

static void log_step(void *request, const char *event, const char *text)
{
    na_log(request, NA_LOG_DEBUG, event, "%s", text);
}

static void log_warning(void *request, const char *event, const char *text)
{
    na_log(request, NA_LOG_WARNING, event, "%s", text);
}

void na_oauth_of_request(const na_request *request, na_oauth *oauth)
{
    int logs_steps = !request->server->is_dropped(request->server->data, NA_LOG_DEBUG);
    *oauth = (na_oauth){
        .pool = request->pool,
        .provider = request->provider,
        .http = request->http,
        .documents = request->process->documents,
        .now = request->now,
        .redirect_uri = na_redirect_uri(request),
        .nonces = request->provider->dpop_key ? apr_table_make(request->pool, 2) : NULL,
        .allow_http = request->config->http.allow_http,
        .keeps_claims = request->config->keeping.userinfo_interval > 0,
        .headers = request->config->http.trace_context
                       ? na_trace_headers(request->pool, request->trace)
                       : NULL,
        .step = logs_steps ? log_step : NULL,
        .warn = log_warning,
        .data = (void *)request,
    };
}

/*
 * Returns what is added to the names of a sign-in's cookies. Without a state, sign-ins cannot be
 * distinguished, and nothing is.
 */
static const char *suffix_of(apr_pool_t *pool, const char *state)
{
    if (!state || strlen(state) < SUFFIX_LEN ||
        strspn(state, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") <
            SUFFIX_LEN)
        return "";
    return apr_pstrcat(pool, ".", apr_pstrmemdup(pool, state, SUFFIX_LEN), NULL);
}

/* ── the cookies of one sign-in ────────────────────────────────────────────────────────────── */

/* Arrays by na_cookie_id. */
typedef struct flow {
    const na_cookie *cookies;
    const na_keyring *rings;
    const char *names[NA_COOKIE_COUNT];
    int checks;
    int is_foreign;
} flow;

static const int check_bits[NA_COOKIE_COUNT] = {[NA_COOKIE_STATE] = NA_CHECK_STATE,
                                                [NA_COOKIE_PKCE] = NA_CHECK_PKCE,
                                                [NA_COOKIE_NONCE] = NA_CHECK_NONCE};

static const char *value_of(const na_request *request, const flow *f, na_cookie_id id)
{
    return na_cookies_get(request->cookies, f->names[id], 0);
}

/* The cookie that also has the callback URL and the initiator. */
static na_cookie_id first_of(int checks)
{
    return checks & NA_CHECK_STATE ? NA_COOKIE_STATE : NA_COOKIE_PKCE;
}

static flow own_flow(const na_request *request, const char *state)
{
    const na_config *config = request->config;
    flow f = {config->cookies, config->check_rings, {NULL}, request->provider->checks, 0};
    const char *suffix = suffix_of(request->pool, state);
    for (int i = 0; i < 3; i++)
        f.names[check_cookies[i]] =
            apr_pstrcat(request->pool, config->cookies[check_cookies[i]].name, suffix, NULL);
    return f;
}

/*
 * Auth.js issues the cookies that the application's configuration names, by default only PKCE: each
 * one that is present is verified, and the state if the callback has one.
 */
static flow foreign_flow(const na_request *request, const na_foreign_checks *foreign,
                         const char *state)
{
    flow f = {foreign->cookies, foreign->rings, {NULL}, state ? NA_CHECK_STATE : 0, 1};
    for (int i = 0; i < 3; i++) {
        na_cookie_id id = check_cookies[i];
        f.names[id] = foreign->cookies[id].name;
        if (value_of(request, &f, id))
            f.checks |= check_bits[id];
    }
    return f;
}

static int is_flow_present(const na_request *request, const flow *f)
{
    return (f->checks & (NA_CHECK_STATE | NA_CHECK_PKCE)) &&
           value_of(request, f, first_of(f->checks));
}

static flow find_flow(const na_request *request, const char *state)
{
    const na_config *config = request->config;
    flow own = own_flow(request, state);
    if (is_flow_present(request, &own))
        return own;
    for (int i = 0; i < config->foreign_count; i++) {
        flow foreign = foreign_flow(request, &config->foreign_checks[i], state);
        if (is_flow_present(request, &foreign))
            return foreign;
    }
    return own;
}

static void clear_flow(na_request *request, na_response *response, const flow *f)
{
    for (int i = 0; i < 3; i++) {
        na_cookie_id id = check_cookies[i];
        if (value_of(request, f, id))
            na_set_cookie(response, na_cookie_clear(request->pool, &f->cookies[id], f->names[id]));
    }
}

int na_checks_are_there(const na_request *request, const char *state)
{
    const flow f = find_flow(request, state);
    return is_flow_present(request, &f);
}

/* ── the state of a direct sign-in ─────────────────────────────────────────────────────────── */

/*
 * Pages can begin any number of sign-ins at once, as when a browser restores its tabs.
 * The cookies must not exceed what servers accept, so their suffix is one of a few, and a later
 * sign-in can replace an earlier one; and one cookie has all that is to be verified. The way back,
 * encrypted in the state, then leads to the page again. It also helps if the cookies have expired,
 * or if two tabs got a CSRF cookie at once.
 */
#define DIRECT_STATE "direct-"
#define DIRECT_SLOTS 4

/* Most bytes of a state with a way back: some providers of OAuth 2.0 limit it to 500. */
#define OIDC_STATE_MAX 2000
#define OAUTH_STATE_MAX 500

/* Seconds for which a way back leads there. */
#define WAY_BACK_MAX_AGE 86400

#define CLAIM_WAY_BACK "wayBack"

static int is_slot_taken(const na_request *request, int slot)
{
    const char *name = apr_psprintf(request->pool, "%s." DIRECT_STATE "%d",
                                    request->config->cookies[NA_COOKIE_STATE].name, slot);
    return na_cookies_get(request->cookies, name, 0) != NULL;
}

/* Begins anywhere, because requests that are made at once know nothing of each other. */
static int free_slot(const na_request *request, const char *random)
{
    int first = (unsigned char)random[0] % DIRECT_SLOTS, slot = first;
    while (is_slot_taken(request, slot) && (slot = (slot + 1) % DIRECT_SLOTS) != first)
        ;
    return slot;
}

static const char *new_state(const na_request *request)
{
    const char *random = na_random_base64url(request->pool, 32);
    return request->is_direct ? apr_psprintf(request->pool, DIRECT_STATE "%d%s",
                                             free_slot(request, random), random)
                              : random;
}

/* Adds the way back, unless the state would become too long. */
static na_error *add_way_back(const na_request *request, const char **state)
{
    size_t max = request->provider->type == NA_OIDC ? OIDC_STATE_MAX : OAUTH_STATE_MAX;
    char *token;
    if (!request->is_direct || !*state || strlen(request->callback_url) > max ||
        na_redirect_is_elsewhere(request)) /* whose state is long already */
        return NULL;
    json_t *claims =
        na_json_own(request->pool,
                    json_pack("{s:s, s:s, s:s}", CLAIM_WAY_BACK, request->callback_url, "provider",
                              request->provider->id, NA_CLAIM_SITE, request->config->session.site));
    NA_TRY(na_keyring_seal(request->pool, &request->config->check_rings[NA_COOKIE_STATE], claims,
                           request->now, WAY_BACK_MAX_AGE, &token));
    const char *with = apr_pstrcat(request->pool, *state, ".", token, NULL);
    if (strlen(with) <= max)
        *state = with;
    return NULL;
}

static int is_direct_state(const char *state)
{
    return state && strncmp(state, DIRECT_STATE, strlen(DIRECT_STATE)) == 0;
}

static const char *way_back_of(const char *state)
{
    return is_direct_state(state) ? strchr(state, '.') : NULL;
}

/* Returns the state as the cookie has it. */
static const char *without_way_back(apr_pool_t *pool, const char *state)
{
    const char *way_back = way_back_of(state);
    return way_back ? apr_pstrmemdup(pool, state, (apr_size_t)(way_back - state)) : state;
}

const char *na_checks_way_back(const na_request *request, const char *state)
{
    const char *way_back = way_back_of(state), *site, *provider;
    na_claims claims;
    if (!way_back || na_keyring_read(request->pool, &request->config->check_rings[NA_COOKIE_STATE],
                                     na_bytes_of(way_back + 1), request->now, &claims))
        return NULL;
    site = na_claims_text(&claims, NA_CLAIM_SITE);
    provider = na_claims_text(&claims, "provider");
    return site && strcmp(site, request->config->session.site) == 0 && provider &&
                   strcmp(provider, request->provider->id) == 0
               ? na_safe_redirect(request->pool, request->config,
                                  na_claims_text(&claims, CLAIM_WAY_BACK))
               : NULL;
}

/* ── issuing them ──────────────────────────────────────────────────────────────────────────── */

/* Browsers send a host's older cookies first (RFC 6265 section 5.4). */
static void make_room(na_request *request, na_response *response)
{
    const char *start =
        apr_pstrcat(request->pool, request->config->cookies[NA_COOKIE_STATE].name, ".", NULL);
    const char *name;
    int flows = 0, at = INT_MAX;
    while ((name = na_cookies_last(request->cookies, start, &at))) {
        if (++flows < NA_FLOWS_MAX)
            continue;
        const flow oldest = own_flow(request, name + strlen(start));
        clear_flow(request, response, &oldest);
    }
}

/*
 * The callback verifies what the path demanded when the sign-in began. It comes from the cookie
 * alone, which the browser cannot change.
 */
#define CLAIM_ACR_VALUES "acrValues"
#define CLAIM_MAX_AGE "maxAge"

static void put_wishes(const na_wishes *wishes, json_t *claims)
{
    if (!wishes || !wishes->are_demanded)
        return;
    if (wishes->acr_values)
        json_object_set_new(claims, CLAIM_ACR_VALUES, json_string(wishes->acr_values));
    json_object_set_new(claims, CLAIM_MAX_AGE, json_integer(wishes->max_age));
}

static const na_wishes *take_wishes(apr_pool_t *pool, const na_claims *claims)
{
    const char *max_age = na_claims_text(claims, CLAIM_MAX_AGE);
    if (!max_age)
        return NULL;
    na_wishes *wishes = apr_pcalloc(pool, sizeof *wishes);
    wishes->acr_values = na_claims_text(claims, CLAIM_ACR_VALUES);
    wishes->max_age = apr_atoi64(max_age);
    wishes->are_demanded = 1;
    return wishes;
}

#define CLAIM_VERIFIER "codeVerifier"
#define CLAIM_NONCE "nonce"

static void put_together(const na_checks *checks, json_t *claims)
{
    if (checks->code_verifier)
        json_object_set_new(claims, CLAIM_VERIFIER, json_string(checks->code_verifier));
    if (checks->nonce)
        json_object_set_new(claims, CLAIM_NONCE, json_string(checks->nonce));
}

static na_error *put_check(na_request *request, na_response *response, const flow *f,
                           na_cookie_id id, const na_checks *checks, const char *value)
{
    char *token;
    json_t *claims = na_json_own(request->pool, json_pack("{s:s, s:s}", "value", value, "provider",
                                                          request->provider->id));
    json_object_set_new(claims, NA_CLAIM_SITE, json_string(request->config->session.site));
    if (id == first_of(f->checks)) {
        if (is_direct_state(checks->state))
            put_together(checks, claims);
        put_wishes(checks->wishes, claims);
        json_object_set_new(claims, "callbackUrl",
                            json_string(na_callback_url_carried(request, NA_CALLBACK_URL_CARRIED)));
        if (na_remember_me_said(request))
            json_object_set_new(claims, NA_REMEMBER_ME, json_string(na_remember_me_said(request)));
        NA_TRY(na_initiator_put(request, claims));
    }
    na_cookie cookie = f->cookies[id];
    if (request->provider->form_post)
        cookie.same_site = "None"; /* the form comes from the provider's site */
    NA_TRY(na_keyring_seal(request->pool, &f->rings[id], claims, request->now, NA_CHECKS_MAX_AGE,
                           &token));
    na_set_cookie(response,
                  na_cookie_write(request->pool, &cookie, f->names[id], token, NA_CHECKS_MAX_AGE,
                                  request->now + apr_time_from_sec(NA_CHECKS_MAX_AGE)));
    return NULL;
}

static na_error *put_checks(na_request *request, na_response *response, na_checks *checks)
{
    const flow f = own_flow(request, checks->state);
    if (checks->state)
        NA_TRY(put_check(request, response, &f, NA_COOKIE_STATE, checks, checks->state));
    if (is_direct_state(checks->state))
        return add_way_back(request, &checks->state);
    if (checks->code_verifier)
        NA_TRY(put_check(request, response, &f, NA_COOKIE_PKCE, checks, checks->code_verifier));
    return checks->nonce ? put_check(request, response, &f, NA_COOKIE_NONCE, checks, checks->nonce)
                         : NULL;
}

na_error *na_checks_make(na_request *request, na_response *response, na_checks *checks)
{
    int wanted = request->provider->checks;
    *checks = (na_checks){0};
    const char *page = request->is_direct ? NULL : na_long_url_of(request, request->callback_url);
    NA_TRY(
        request->server->wishes(request->server->data, request->provider, page, &checks->wishes));
    na_csrf_hand_out(request, response); /* identifies the browser */
    make_room(request, response);
    if (wanted & NA_CHECK_STATE)
        checks->state = new_state(request);
    if (wanted & NA_CHECK_PKCE)
        checks->code_verifier = na_random_base64url(request->pool, 32);
    if (wanted & NA_CHECK_NONCE)
        checks->nonce = na_random_base64url(request->pool, 32);
    NA_TRY(put_checks(request, response, checks));
    return na_redirect_wrap(request, NA_CHECKS_MAX_AGE, &checks->state);
}

/* ── taking them back ──────────────────────────────────────────────────────────────────────── */

/* A cookie issued for one provider must not be accepted for another. */
static na_error *open_check(na_request *request, const flow *f, na_cookie_id id, const char *cookie,
                            const char **value, na_claims *claims)
{
    const char *name = f->cookies[id].name;
    na_error *error =
        na_keyring_read(request->pool, &f->rings[id], na_bytes_of(cookie), request->now, claims);
    if (error)
        return na_error_wrap(request->pool, error, NA_ERR_INVALID_CHECK, "cookie %s is unusable",
                             name);
    const char *provider = na_claims_text(claims, "provider");
    const char *site = na_claims_text(claims, NA_CLAIM_SITE);
    const na_session_config *ours = &request->config->session;
    *value = na_claims_text(claims, "value");
    if (site && f->is_foreign) /* only our own first cookie names the initiator */
        return na_error_new(
            request->pool, NA_ERR_INVALID_CHECK,
            "cookie %s was not issued by Auth.js, but by this module under another name", name);
    if (site ? strcmp(site, ours->site) != 0 : ours->refuse_unbound)
        return na_error_new(request->pool, NA_ERR_INVALID_CHECK,
                            "cookie %s was issued for another site", name);
    if (!*value || !provider || strcmp(provider, request->provider->id) != 0)
        return na_error_new(request->pool, NA_ERR_INVALID_CHECK,
                            "cookie %s was issued for another provider", name);
    return NULL;
}

/* Takes the one of several cookies that can be decrypted and equals `expected` (NULL if unknown).
 */
static na_error *take_check(na_request *request, const flow *f, na_cookie_id id,
                            const char *expected, const char **value, na_claims *claims)
{
    const char *cookie, *name = f->cookies[id].name;
    na_error *error = NULL;
    for (int i = 0; (cookie = na_cookies_get(request->cookies, f->names[id], i)); i++) {
        error = open_check(request, f, id, cookie, value, claims);
        if (!error && (!expected || na_equal_secret(expected, *value)))
            return NULL;
        if (!error)
            error =
                na_error_new(request->pool, NA_ERR_INVALID_CHECK, "cookie %s does not match", name);
    }
    return error ? error
                 : na_error_new(request->pool, NA_ERR_INVALID_CHECK,
                                "missing cookie %s: it has expired, was already used, or is in "
                                "another browser",
                                name);
}

/* A check that the provider's options demand must be there. */
static na_error *take_together(na_request *request, const flow *f, const char *state,
                               na_checks *checks, na_claims *claims)
{
    NA_TRY(take_check(request, f, NA_COOKIE_STATE, state, &checks->state, claims));
    checks->code_verifier = na_claims_text(claims, CLAIM_VERIFIER);
    checks->nonce = na_claims_text(claims, CLAIM_NONCE);
    return (f->checks & NA_CHECK_PKCE && !checks->code_verifier) ||
                   (f->checks & NA_CHECK_NONCE && !checks->nonce)
               ? na_error_new(request->pool, NA_ERR_INVALID_CHECK,
                              "cookie %s was issued before the provider's checks= changed",
                              f->cookies[NA_COOKIE_STATE].name)
               : NULL;
}

/*
 * A link of another site can name the cookies of a sign-in that is under way, because their suffix
 * is one of a few or empty, but it cannot have its state.
 */
static int is_of_another(const na_request *request, const flow *f, const char *state)
{
    const char *cookie, *value;
    na_claims claims;
    for (int i = 0; (cookie = na_cookies_get(request->cookies, f->names[NA_COOKIE_STATE], i));
         i++) {
        if (na_keyring_read(request->pool, &f->rings[NA_COOKIE_STATE], na_bytes_of(cookie),
                            request->now, &claims))
            continue; /* it is of no use to any */
        value = na_claims_text(&claims, "value");
        if (!state || !value || !na_equal_secret(state, value))
            return 1;
    }
    return 0;
}

void na_checks_clear(na_request *request, na_response *response, const char *state)
{
    state = without_way_back(request->pool, state);
    const flow f = find_flow(request, state);
    if (f.checks & NA_CHECK_STATE && !is_of_another(request, &f, state))
        clear_flow(request, response, &f);
}

static na_error *take_checks(na_request *request, const flow *f, const char *state,
                             na_checks *checks, na_claims *first)
{
    na_claims claims[NA_COOKIE_COUNT];
    const char **values[NA_COOKIE_COUNT] = {[NA_COOKIE_STATE] = &checks->state,
                                            [NA_COOKIE_PKCE] = &checks->code_verifier,
                                            [NA_COOKIE_NONCE] = &checks->nonce};
    if (!f->is_foreign && is_direct_state(state))
        return take_together(request, f, state, checks, first);
    for (int i = 0; i < 3; i++) {
        na_cookie_id id = check_cookies[i];
        if (f->checks & check_bits[id])
            NA_TRY(take_check(request, f, id, id == NA_COOKIE_STATE ? state : NULL, values[id],
                              &claims[id]));
    }
    *first = claims[first_of(f->checks)];
    return NULL;
}

na_error *na_checks_take(na_request *request, na_response *response, const char *state,
                         na_checks *checks, na_initiator *initiator)
{
    na_claims claims;
    state = without_way_back(request->pool, state);
    const flow f = find_flow(request, state);
    *checks = (na_checks){0};
    if ((f.checks & NA_CHECK_STATE) && !state)
        return na_error_new(request->pool, NA_ERR_INVALID_CHECK, "missing state in the callback");
    na_error *error = take_checks(request, &f, state, checks, &claims);
    if (!error || !is_of_another(request, &f, state))
        clear_flow(request, response, &f);
    NA_TRY(error);
    checks->began = apr_time_from_sec(claims.iat);
    checks->wishes = take_wishes(request->pool, &claims);
    NA_TRY(na_initiator_take(request, &claims, initiator));
    na_remember_me_take(request, na_claims_text(&claims, NA_REMEMBER_ME));
    const char *url =
        na_safe_redirect(request->pool, request->config, na_claims_text(&claims, "callbackUrl"));
    request->callback_url = url ? url : request->callback_url;
    return NULL;
}
