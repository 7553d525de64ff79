/* SPDX-License-Identifier: Apache-2.0 */
/* The directives of directories that let clients without a browser in, as far as a site lacks what
 * they need, that ask for a second factor where there is none, or that lead to a provider.
 */
#include <string.h>

#include "httpd/config/build.h"
#include "httpd/config/sections.h"

/* Warns of a directive of a section, at its own place. */
static void warn_at(na_builder *b, const ap_directive_t *found, na_error *error, const char *hint)
{
    const na_directive at = {.directive = found->directive,
                             .file = found->filename,
                             .line = found->line_num};
    na_build_look_at(b, &at, found->directive);
    na_build_warn_aloud(b, na_error_with_hint(error, hint));
    na_build_look_at(b, NULL, NULL);
}

static void check_tokens(na_builder *b)
{
    const ap_directive_t *found = na_section_find(b->server, "NextAuthAcceptTokens", "personal");
    b->config->accepts_personal_tokens = found != NULL;
    if (found && !b->config->database && !na_build_is_wrong(b, NextAuthDatabase))
        warn_at(b, found,
                na_wrong(b, "personal access tokens require NextAuthDatabase: all are refused"),
                "set NextAuthDatabase, then run nextauthctl migrate");
}

static int is_issuer(const na_builder *b, const char *name)
{
    for (int i = 0; i < b->issuers->nelts; i++)
        if (na_provider_is_named(APR_ARRAY_IDX(b->issuers, i, const na_issuer *)->provider, name))
            return 1;
    return 0;
}

/* Warns of the first issuer that a path accepts and the site does not have: it accepts no token. */
static void check_issuers(na_builder *b)
{
    const ap_directive_t *found = na_section_find(b->server, "NextAuthAcceptTokens", "oauth");
    for (int i = 0; i < b->issuers->nelts; i++)
        b->config->has_resources |= APR_ARRAY_IDX(b->issuers, i, const na_issuer *)->publishes;
    if (!found || na_build_is_wrong(b, NextAuthTokenIssuer))
        return;
    if (!b->issuers->nelts)
        warn_at(b, found, na_wrong(b, "no authorization server is named: all tokens are refused"),
                "set NextAuthTokenIssuer");
    const char *line = found->args;
    while (b->issuers->nelts && *line) {
        const char *word = ap_getword_conf(b->pool, &line);
        if (ap_cstr_casecmpn(word, "oauth:", 6) != 0 || is_issuer(b, word + 6))
            continue;
        warn_at(b, found,
                na_wrong(b, "unknown token issuer '%s': all its tokens are refused", word + 6),
                "use the ID of a NextAuthTokenIssuer");
        return;
    }
}

static int has_passwords(const na_builder *b)
{
    for (int i = 0; i < b->config->providers->nelts; i++)
        if (APR_ARRAY_IDX(b->config->providers, i, const na_provider *)->type == NA_CREDENTIALS)
            return 1;
    return 0;
}

static void check_basic(na_builder *b)
{
    const ap_directive_t *found = na_section_find(b->server, "NextAuthBasic", "");
    if (!found || ap_cstr_casecmp(found->args, "Off") == 0)
        return;
    if (!has_passwords(b))
        warn_at(b, found, na_wrong(b, "no provider verifies passwords: all are refused"),
                "set NextAuthProvider credentials");
    if (b->config->session.two_factor == NA_TWO_FACTOR_REQUIRED)
        warn_at(b, found, na_wrong(b, "NextAuthTwoFactor is Required: all passwords are refused"),
                "set NextAuthAcceptTokens personal");
}

static void check_identity_key(na_builder *b)
{
    const ap_directive_t *found = na_section_find(b->server, "NextAuthPassIdentity", "jwt");
    if (found && !b->config->identity.keys && !na_build_is_wrong(b, NextAuthIdentityKey))
        warn_at(b, found, na_wrong(b, "no key signs the identity: all requests are refused"),
                "set NextAuthIdentityKey file:PATH");
}

static void check_passed_tokens(na_builder *b)
{
    const ap_directive_t *found = na_section_find(b->server, "NextAuthPassTokens", "");
    if (found && ap_cstr_casecmp(found->args, "none") != 0 && !b->config->keeping.is_on)
        warn_at(b, found, na_wrong(b, "NextAuthKeepTokens is Off: there are no tokens to pass on"),
                "set NextAuthKeepTokens On");
}

/* A session has no second factor while it is off. */
static void check_second_factor(na_builder *b)
{
    const ap_directive_t *found = na_section_find(b->server, "Require", "nextauth-2fa");
    if (found && b->config->session.two_factor == NA_TWO_FACTOR_OFF)
        warn_at(b, found, na_wrong(b, "NextAuthTwoFactor is Off: no session meets it"),
                "set NextAuthTwoFactor Optional");
}

/* Returns 1 if session records are first of all in a cache of mod_socache_dbm. */
static int is_in_dbm(const na_store_plan *stores)
{
    return strcmp(APR_ARRAY_IDX(stores->names, 0, const char *), "socache") == 0 &&
           stores->socache && strncmp(stores->socache, "dbm", 3) == 0;
}

/* A form waits in the session store. */
static void check_posts(na_builder *b)
{
    const ap_directive_t *found = na_section_find(b->server, "NextAuthPreservePost", "On");
    b->config->preserves_posts = found != NULL;
    if (!found || na_build_is_wrong(b, NextAuthSessionStore))
        return;
    if (!b->plan->stores.names)
        warn_at(b, found, na_wrong(b, "there is no session store: no form is kept"),
                "set NextAuthSessionStore");
    else if (is_in_dbm(&b->plan->stores))
        warn_at(b, found,
                na_wrong(b,
                         "the session store is dbm, whose values are too small: no form is kept"),
                "use another provider with NextAuthSOCache, or NextAuthSessionStore redis");
}

static int has_openid(const na_builder *b)
{
    for (int i = 0; i < b->config->providers->nelts; i++)
        if (APR_ARRAY_IDX(b->config->providers, i, const na_provider *)->type == NA_OIDC)
            return 1;
    return 0;
}

/* Only an ID token, or an access token of a provider, states it. */
static void check_acr(na_builder *b)
{
    const ap_directive_t *found = na_section_find(b->server, "Require", "nextauth-acr");
    if (found && !has_openid(b) && !na_section_find(b->server, "NextAuthAcceptTokens", "oauth") &&
        !na_build_is_wrong(b, NextAuthProvider))
        warn_at(b, found, na_wrong(b, "no provider is of OpenID Connect: no session meets it"),
                "add a provider with type=oidc");
}

static int is_initiated(const apr_array_header_t *providers)
{
    for (int i = 0; i < providers->nelts; i++)
        if (APR_ARRAY_IDX(providers, i, const na_provider *)->is_initiated)
            return 1;
    return 0;
}

/* The result of an expression is known with the request only. */
static void check_sign_in_with(void *data, const ap_directive_t *found)
{
    na_builder *b = data;
    if (ap_cstr_casecmp(found->directive, "NextAuthSignInWith") != 0)
        return;
    const char *line = found->args, *id = ap_getword_conf(b->pool, &line);
    const na_provider *provider = na_provider_configured(b->config->providers, id);
    if (strchr(id, '%') || strcmp(id, "page") == 0)
        return;
    if (!provider)
        warn_at(b, found, na_wrong(b, "unknown provider '%s': the sign-in page is shown", id),
                "use the ID of a NextAuthProvider, or page");
    else if (provider->type > NA_OAUTH)
        warn_at(b, found, na_wrong(b, "provider '%s' has a form: the sign-in page is shown", id),
                "use a provider of OpenID Connect or OAuth 2.0, or page");
}

void na_build_finish_access(na_builder *b)
{
    b->config->has_direct =
        is_initiated(b->config->providers) || na_section_find(b->server, "NextAuthSignInWith", "");
    na_tenant_choose_direct(b->config);
    check_tokens(b);
    check_issuers(b);
    check_basic(b);
    check_second_factor(b);
    check_acr(b);
    check_posts(b);
    check_passed_tokens(b);
    check_identity_key(b);
    if (!na_build_is_wrong(b, NextAuthProvider))
        na_sections_each(b->server, check_sign_in_with, b);
}
