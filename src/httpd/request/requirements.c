/* SPDX-License-Identifier: Apache-2.0 */
/* Require nextauth-role, -provider, -claim, -scope, -2fa, -acr, and -max-age; Require expr for the
 * endpoints. */
#include <string.h>

#include <ap_provider.h>
#include <apr_atomic.h>
#include <apr_strings.h>
#include <mod_auth.h>

#include "auth/fresh.h"
#include "httpd/module.h"

/* Parses the words of a Require line into a const char *const * that ends with NULL. */
static const char *parse_words(cmd_parms *cmd, const char *line, const void **parsed)
{
    apr_array_header_t *words = apr_array_make(cmd->pool, 4, sizeof(const char *));
    while (*line) {
        const char *word = ap_getword_conf(cmd->pool, &line);
        if (*word)
            APR_ARRAY_PUSH(words, const char *) = word;
    }
    if (!words->nelts)
        return "Require nextauth-role, nextauth-provider, nextauth-claim, and nextauth-scope "
               "require at least one value";
    APR_ARRAY_PUSH(words, const char *) = NULL;
    *parsed = words->elts;
    return NULL;
}

/* Parses NAME:VALUE words. A dot that is part of a name is escaped as in other directives. */
static const char *parse_claims(cmd_parms *cmd, const char *line, const void **parsed)
{
    const char *error = parse_words(cmd, line, parsed);
    for (const char **word = error ? NULL : (const char **)*parsed; word && *word; word++) {
        const char *colon = strchr(*word, ':');
        if (!colon || colon == *word)
            return apr_psprintf(cmd->pool,
                                "invalid Require nextauth-claim '%s': expected NAME:VALUE", *word);
        const char *name = apr_pstrmemdup(cmd->pool, *word, (apr_size_t)(colon - *word));
        *word = apr_pstrcat(cmd->pool, na_path_text(cmd->pool, name), colon, NULL);
    }
    return error;
}

/* RFC 6749 section 3.3; what else a line had would end up in a header. */
static const char *parse_scopes(cmd_parms *cmd, const char *line, const void **parsed)
{
    for (const char *p = line; *p; p++)
        if (*p < 0x20 || *p > 0x7e || *p == '"' || *p == '\\')
            return "invalid Require nextauth-scope: expected scopes without quotation marks and "
                   "backslashes";
    return parse_words(cmd, line, parsed);
}

/* Parses the most seconds since the second factor was given; 0 for any number. */
static const char *parse_factor(cmd_parms *cmd, const char *line, const void **parsed)
{
    apr_int64_t *seconds = apr_pcalloc(cmd->pool, sizeof *seconds);
    const char *word = ap_getword_conf(cmd->pool, &line);
    char *end = (char *)word;
    if (strncmp(word, "maxAge=", 7) == 0)
        *seconds = apr_strtoi64(word + 7, &end, 10);
    if (*line || *end || (*word && *seconds < 1))
        return "invalid Require nextauth-2fa: expected no value, or maxAge=SECONDS";
    *parsed = seconds;
    return NULL;
}

typedef int holds(const na_session *session, const char *word);

/* Only an access token has scopes: those of a provider in a session are of other APIs. */
static int has_scope(const na_session *session, const char *scope)
{
    return na_session_has(session, NA_CLAIM_SCOPE, scope);
}

/* `word` is NAME:VALUE; the name ends at the first colon. */
static int has_claim(const na_session *session, const char *word)
{
    size_t len = strcspn(word, ":");
    for (int i = 0; i < session->claim_count; i++) {
        const na_claim *claim = &session->claims[i];
        if (strlen(claim->name) == len && strncmp(claim->name, word, len) == 0 &&
            strcmp(claim->value, word + len + 1) == 0)
            return 1;
    }
    return 0;
}

/* Returns the session if it authenticated the request, because no other counts; NULL if none. */
static const na_session *session_of_user(request_rec *r)
{
    return r->ap_auth_type && strcmp(r->ap_auth_type, "NextAuth") == 0 ? na_session_of(r) : NULL;
}

static authz_status check_words(request_rec *r, const void *parsed, holds *hold)
{
    if (!r->user)
        return AUTHZ_DENIED_NO_USER;
    const na_session *session = session_of_user(r);
    for (const char *const *word = parsed; session && *word; word++)
        if (hold(session, *word))
            return AUTHZ_GRANTED;
    return AUTHZ_DENIED;
}

static authz_status check_role(request_rec *r, const char *line, const void *parsed)
{
    return check_words(r, parsed, na_session_has_role);
}

static authz_status check_provider(request_rec *r, const char *line, const void *parsed)
{
    if (!r->user)
        return AUTHZ_DENIED_NO_USER;
    const na_session *session = session_of_user(r);
    const char *id = session ? na_session_claim(session, NA_CLAIM_PROVIDER) : NULL;
    for (const char *const *word = parsed; id && *word; word++)
        if (na_tenant_is_named(na_config_of(r), id, *word))
            return AUTHZ_GRANTED;
    return AUTHZ_DENIED;
}

static authz_status check_claim(request_rec *r, const char *line, const void *parsed)
{
    return check_words(r, parsed, has_claim);
}

/* Any one is enough, as with roles. A client is told which scopes would do. */
static authz_status check_scope(request_rec *r, const char *line, const void *parsed)
{
    if (r->user && na_session_of(r) && na_state_of(r)->way != NA_BY_OAUTH)
        return AUTHZ_DENIED;
    authz_status status = check_words(r, parsed, has_scope);
    if (status == AUTHZ_DENIED)
        na_state_of(r)->lacks_scope = line;
    return status;
}

/* A user who is denied for that reason alone can be asked for it. */
static authz_status check_factor(request_rec *r, const char *line, const void *parsed)
{
    const apr_int64_t *most = parsed;
    if (!r->user)
        return AUTHZ_DENIED_NO_USER;
    const na_session *session = session_of_user(r);
    if (!session)
        return AUTHZ_DENIED;
    apr_int64_t age = apr_time_sec(r->request_time) - session->second_factor;
    if (session->second_factor && (!*most || age <= *most))
        return AUTHZ_GRANTED;
    na_state_of(r)->lacks_factor = 1;
    return AUTHZ_DENIED;
}

/* ── the sign-in at the provider ───────────────────────────────────────────────────────────── */

/* Less would expire before the browser is back from the provider. */
#define MAX_AGE_MIN 60

static int parse_age(const char *text, apr_int64_t *seconds)
{
    char *end;
    *seconds = apr_strtoi64(text, &end, 10);
    return *text && !*end && *seconds >= MAX_AGE_MIN && *seconds <= NA_AUTH_AGE_MAX;
}

/* The values become a part of a header and of a list. */
static int is_acr(const char *word)
{
    return *word && !na_has_control(word) && !strpbrk(word, " \"\\");
}

static const char *parse_acr(cmd_parms *cmd, const char *line, const void **parsed)
{
    na_demand *demand = apr_palloc(cmd->pool, sizeof *demand);
    *demand = (na_demand){.max_age = -1};
    while (*line) {
        const char *word = ap_getword_conf(cmd->pool, &line);
        int is_age = strncmp(word, "maxAge=", 7) == 0;
        if (is_age ? !parse_age(word + 7, &demand->max_age) : !is_acr(word))
            return "invalid Require nextauth-acr: expected VALUE … [maxAge=SECONDS], with 60 to "
                   "31536000 seconds, and values without spaces and quotation marks";
        if (!is_age)
            demand->acr_values = demand->acr_values
                                     ? apr_pstrcat(cmd->pool, demand->acr_values, " ", word, NULL)
                                     : word;
    }
    *parsed = demand;
    return demand->acr_values ? NULL : "Require nextauth-acr requires at least one value";
}

static const char *parse_max_age(cmd_parms *cmd, const char *line, const void **parsed)
{
    na_demand *demand = apr_pcalloc(cmd->pool, sizeof *demand);
    *parsed = demand;
    return parse_age(ap_getword_conf(cmd->pool, &line), &demand->max_age) && !*line
               ? NULL
               : "invalid Require nextauth-max-age: expected SECONDS from 60 to 31536000";
}

/*
 * A second factor says that the user is there, but not how the provider authenticated the user. An
 * access token of a provider has the time of the sign-in there (RFC 9068 section 2.2.1).
 */
static apr_int64_t time_of_sign_in(request_rec *r, const na_session *session,
                                   const na_demand *demand)
{
    int is_token = na_state_of(r)->way == NA_BY_OAUTH;
    const char *proved = na_session_claim(session, is_token ? NA_CLAIM_AUTH_TIME : NA_CLAIM_PROVED);
    if (!demand->acr_values && !is_token)
        return na_fresh_proved(session);
    return proved ? apr_atoi64(proved) : 0;
}

static int meets(request_rec *r, const na_session *session, const na_demand *demand)
{
    apr_int64_t since = apr_time_sec(r->request_time) - demand->max_age;
    const char *acr = na_session_claim(session, NA_CLAIM_ACR);
    return (!demand->acr_values || na_is_word_of(acr, demand->acr_values)) &&
           (demand->max_age < 0 || time_of_sign_in(r, session, demand) >= since);
}

/* Is also called before the user is known, so that the first sign-in asks for what is required. */
static authz_status check_demand(request_rec *r, const char *line, const void *parsed)
{
    na_state *state = na_state_of(r);
    if (!r->user) {
        state->demand = parsed;
        return AUTHZ_DENIED_NO_USER;
    }
    const na_session *session = session_of_user(r);
    if (!session)
        return AUTHZ_DENIED;
    if (meets(r, session, parsed))
        return AUTHZ_GRANTED;
    state->demand = parsed;
    state->is_weak = 1;
    return AUTHZ_DENIED;
}

/* ── Require expr ──────────────────────────────────────────────────────────────────────────── */

static const authz_provider *httpd_expr;

/* Set once httpd has parsed a `Require expr`, which .htaccess files can have, too. */
static apr_uint32_t is_expr_required;

int na_is_expr_required(void)
{
    return apr_atomic_read32(&is_expr_required) != 0;
}

/*
 * An endpoint must be reachable without a session, so an expression that asks for one is left
 * undecided there. AUTHZ_DENIED_NO_USER does that: httpd evaluates the other requirements, such as
 * a client IP address, in any order, and na_check_authz opens the endpoint.
 */
static authz_status check_expr(request_rec *r, const char *line, const void *parsed)
{
    if (!na_is_endpoint(r))
        return httpd_expr->check_authorization(r, line, parsed);
    na_state *state = na_state_of(r);
    state->asked = 0;
    authz_status status = httpd_expr->check_authorization(r, line, parsed);
    return state->asked && status != AUTHZ_GENERAL_ERROR ? AUTHZ_DENIED_NO_USER : status;
}

static const char *parse_expr(cmd_parms *cmd, const char *line, const void **parsed)
{
    apr_atomic_set32(&is_expr_required, 1);
    return httpd_expr->parse_require_line(cmd, line, parsed);
}

static const authz_provider expr_requirement = {check_expr, parse_expr};

void na_wrap_require_expr(apr_pool_t *pconf)
{
    const authz_provider *found =
        ap_lookup_provider(AUTHZ_PROVIDER_GROUP, "expr", AUTHZ_PROVIDER_VERSION);
    if (!found || found == &expr_requirement)
        return;
    httpd_expr = found;
    ap_register_auth_provider(pconf, AUTHZ_PROVIDER_GROUP, "expr", AUTHZ_PROVIDER_VERSION,
                              &expr_requirement, AP_AUTH_INTERNAL_PER_CONF);
}

/* ── registration ──────────────────────────────────────────────────────────────────────────── */

static const authz_provider role_requirement = {check_role, parse_words};
static const authz_provider provider_requirement = {check_provider, parse_words};
static const authz_provider claim_requirement = {check_claim, parse_claims};
static const authz_provider scope_requirement = {check_scope, parse_scopes};
static const authz_provider factor_requirement = {check_factor, parse_factor};
static const authz_provider acr_requirement = {check_demand, parse_acr};
static const authz_provider age_requirement = {check_demand, parse_max_age};

void na_register_requirements(apr_pool_t *pool)
{
    static const struct {
        const char *name;
        const authz_provider *provider;
    } requirements[] = {{"nextauth-role", &role_requirement},
                        {"nextauth-provider", &provider_requirement},
                        {"nextauth-claim", &claim_requirement},
                        {"nextauth-scope", &scope_requirement},
                        {"nextauth-2fa", &factor_requirement},
                        {"nextauth-acr", &acr_requirement},
                        {"nextauth-max-age", &age_requirement}};
    for (apr_size_t i = 0; i < sizeof requirements / sizeof *requirements; i++)
        ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, requirements[i].name,
                                  AUTHZ_PROVIDER_VERSION, requirements[i].provider,
                                  AP_AUTH_INTERNAL_PER_CONF);
}
