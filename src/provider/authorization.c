/* SPDX-License-Identifier: Apache-2.0 */
/* Additional parameters of authorization requests. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/url.h"
#include "provider/provider.h"

#define FIELDS_MAX 64

/* The parameters that a page can add without visitorParams=. */
#define VISITOR_PARAMS "login_hint,prompt,ui_locales"

/* Set by the protocol: from other options, or for each sign-in. */
static const char *const reserved[] = {"client_id",      "redirect_uri", "response_type",
                                       "response_mode",  "state",        "nonce",
                                       "request",        "request_uri",  "code_challenge_method",
                                       "code_challenge", "dpop_jkt"};

/* Verified in the ID token, so only the administrator can set them. */
static const char *const demands[] = {"max_age", "acr_values", "hd"};

static int is_among(const char *const *names, apr_size_t count, const char *name)
{
    for (apr_size_t i = 0; i < count; i++)
        if (strcasecmp(names[i], name) == 0)
            return 1;
    return 0;
}

#define IS_AMONG(names, name) is_among(names, sizeof(names) / sizeof *(names), name)

na_error *na_provider_set_visitor_params(apr_pool_t *pool, na_provider *provider, const char *value)
{
    char *last, *list = apr_pstrdup(pool, value);
    apr_array_header_t *names = apr_array_make(pool, 3, sizeof(const char *));
    provider->visitor_params = names;
    if (strcmp(value, "none") == 0)
        return NULL;
    for (char *name = apr_strtok(list, ", ", &last); name; name = apr_strtok(NULL, ", ", &last)) {
        if (IS_AMONG(reserved, name) || IS_AMONG(demands, name))
            return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                                   "visitorParams= cannot have %s", name),
                                      IS_AMONG(demands, name)
                                          ? "set it in authorization.params="
                                          : "remove it, because the protocol depends on it");
        APR_ARRAY_PUSH(names, const char *) = name;
    }
    return NULL;
}

/* Configurations often repeat the default, `code`; `Assertion` is Azure DevOps' name for it. */
static int is_code(const char *response_type)
{
    return strcmp(response_type, "code") == 0 || strcmp(response_type, "Assertion") == 0;
}

static na_error *check_name(apr_pool_t *pool, const na_provider *provider, const char *option,
                            const apr_table_entry_t *field)
{
    if (!IS_AMONG(reserved, field->key) || strcasecmp(field->key, "response_mode") == 0 ||
        (strcasecmp(field->key, "response_type") == 0 && is_code(field->val)))
        return NULL;
    return na_error_with_hint(
        na_error_new(pool, NA_ERR_CONFIGURATION,
                     "provider '%s': %s cannot set %s, because the protocol depends on it",
                     provider->id, option, field->key),
        apr_pstrcat(pool, "remove ", field->key, NULL));
}

/* Providers differ in which of two equal parameters they use. */
static na_error *check_once(apr_pool_t *pool, const na_provider *provider,
                            const apr_table_t *of_url, const apr_table_t *fields)
{
    const apr_array_header_t *list = apr_table_elts(fields);
    for (int i = 0; i < list->nelts; i++) {
        const char *name = APR_ARRAY_IDX(list, i, const apr_table_entry_t).key;
        if (apr_table_get(of_url, name))
            return na_error_new(pool, NA_ERR_CONFIGURATION,
                                "provider '%s': %s is in both authorization= and "
                                "authorization.params=",
                                provider->id, name);
    }
    return NULL;
}

static na_error *check_names(apr_pool_t *pool, const na_provider *provider, const char *option,
                             const apr_table_t *fields)
{
    const apr_array_header_t *list = apr_table_elts(fields);
    for (int i = 0; i < list->nelts; i++)
        NA_TRY(
            check_name(pool, provider, option, &APR_ARRAY_IDX(list, i, const apr_table_entry_t)));
    return NULL;
}

static na_error *take_max_age(apr_pool_t *pool, na_provider *provider, const char *value)
{
    char *end;
    provider->max_auth_age = value ? strtol(value, &end, 10) : -1;
    if (!value || (*value && !*end && provider->max_auth_age >= 0 &&
                   provider->max_auth_age <= NA_AUTH_AGE_MAX))
        return NULL;
    return na_error_new(pool, NA_ERR_CONFIGURATION,
                        "provider '%s': invalid max_age=%s: expected seconds from 0 to %d",
                        provider->id, value, NA_AUTH_AGE_MAX);
}

/* Servers never receive fragments, and JWT responses are not supported. */
static na_error *take_response_mode(apr_pool_t *pool, na_provider *provider, const char *value)
{
    provider->form_post = value && strcmp(value, "form_post") == 0;
    return !value || provider->form_post || strcmp(value, "query") == 0
               ? NULL
               : na_error_new(
                     pool, NA_ERR_CONFIGURATION,
                     "provider '%s': invalid response_mode=%s: expected query or form_post",
                     provider->id, value);
}

/* As in Auth.js: a proxy knows from the state where to lead, and does not pass on forms. */
static void finish_redirect_proxy(apr_pool_t *pool, na_provider *provider)
{
    const char *url = provider->form_post ? NULL : provider->redirect_proxy;
    size_t len = url ? strlen(url) : 0;
    while (len && url[len - 1] == '/')
        len--;
    provider->redirect_proxy = url ? apr_pstrmemdup(pool, url, len) : NULL;
    provider->checks |= url ? NA_CHECK_STATE : 0;
}

/* Only an ID token states how and when a user signed in at the provider. */
static na_error *check_demands(apr_pool_t *pool, const na_provider *provider)
{
    const char *what = provider->max_auth_age >= 0 ? "max_age"
                       : provider->acr_values      ? "acr_values"
                       : provider->hosted_domain   ? "hd"
                                                   : NULL;
    if (!what || provider->type == NA_OIDC)
        return NULL;
    return na_error_with_hint(
        na_error_new(pool, NA_ERR_CONFIGURATION,
                     "provider '%s': %s cannot be verified without an ID token", provider->id,
                     what),
        apr_psprintf(pool, "remove %s, or use type=oidc", what));
}

/* Parameters come from authorization.params= and the query of authorization=, as in NextAuth. */
na_error *na_provider_finish_authorization(apr_pool_t *pool, na_provider *provider)
{
    const char *query =
        provider->authorization_url ? strchr(provider->authorization_url, '?') : NULL;
    apr_table_t *of_url = na_form_parse(pool, query ? query + 1 : NULL, FIELDS_MAX);
    apr_table_t *fields = na_form_parse(pool, provider->authorization_params, FIELDS_MAX);
    NA_TRY(check_names(pool, provider, "authorization=", of_url));
    NA_TRY(check_names(pool, provider, "authorization.params=", fields));
    NA_TRY(check_once(pool, provider, of_url, fields));
    provider->authorization_fields = fields;
    const apr_table_t *all = apr_table_overlay(pool, of_url, fields);
    NA_TRY(take_max_age(pool, provider, apr_table_get(all, "max_age")));
    NA_TRY(take_response_mode(pool, provider, apr_table_get(all, "response_mode")));
    finish_redirect_proxy(pool, provider);
    provider->acr_values = apr_table_get(all, "acr_values");
    provider->hosted_domain = apr_table_get(all, "hd");
    if (!provider->visitor_params)
        NA_TRY(na_provider_set_visitor_params(pool, provider, VISITOR_PARAMS));
    return check_demands(pool, provider);
}

int na_provider_is_reserved(const char *name)
{
    return IS_AMONG(reserved, name);
}
