/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters and demands of a path for the provider: NextAuthAuthorizationParam, and requirements
 * of the sign-in. */
#include "httpd/request/wishes.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "httpd/module.h"

static na_error *wrong(request_rec *r, const na_param *param, const char *why)
{
    return na_error_new(r->pool, NA_ERR_CONFIGURATION, "NextAuthAuthorizationParam %s: %s",
                        param->name, why);
}

static na_error *set_max_age(request_rec *r, const na_param *param, const char *value,
                             na_wishes *wishes)
{
    char *end;
    wishes->max_age = apr_strtoi64(value, &end, 10);
    return *end || wishes->max_age < 0 || wishes->max_age > NA_AUTH_AGE_MAX
               ? wrong(r, param, "the value is not a number of seconds up to a year")
               : NULL;
}

/* An empty value leaves the parameter out. Only an ID token states what the first two demand. */
static na_error *set_param(request_rec *r, const na_provider *provider, const na_param *param,
                           na_wishes *wishes, apr_table_t *params)
{
    const char *reason = NULL, *value = ap_expr_str_exec(r, param->expression, &reason);
    int is_max_age = strcasecmp(param->name, "max_age") == 0;
    int is_acr = strcasecmp(param->name, "acr_values") == 0;
    if (reason)
        return wrong(r, param, reason);
    if (!*value || ((is_max_age || is_acr) && provider->type != NA_OIDC))
        return NULL;
    wishes->are_demanded |= is_max_age || is_acr;
    if (is_max_age)
        return set_max_age(r, param, value, wishes);
    if (is_acr)
        wishes->acr_values = value;
    else
        apr_table_setn(params, param->name, value);
    return NULL;
}

static int is_for(const na_param *param, const na_provider *provider)
{
    return !param->provider || na_provider_is_named(provider, param->provider);
}

/*
 * A requirement counts more than a parameter. Without a session, it is only asked for, because
 * another requirement might admit the user, and not if parameters make demands, which are verified.
 */
static void add_demand(request_rec *r, na_wishes *wishes)
{
    const na_demand *demand = na_state_of(r)->demand;
    if (!demand || (wishes->are_demanded && !na_state_of(r)->is_weak))
        return;
    if (demand->acr_values)
        wishes->acr_values = demand->acr_values;
    if (demand->max_age >= 0 && (wishes->max_age < 0 || demand->max_age < wishes->max_age))
        wishes->max_age = demand->max_age;
    wishes->are_demanded = na_state_of(r)->is_weak;
}

static int has_wishes(request_rec *r)
{
    return na_dir_conf_of(r)->params || na_state_of(r)->demand;
}

static na_error *add_wishes(request_rec *r, const na_provider *provider, na_wishes *wishes,
                            apr_table_t *params)
{
    const apr_array_header_t *list = na_dir_conf_of(r)->params;
    for (int i = 0; list && i < list->nelts; i++) {
        const na_param *param = &APR_ARRAY_IDX(list, i, const na_param);
        if (is_for(param, provider))
            NA_TRY(set_param(r, provider, param, wishes, params));
    }
    if (provider->type == NA_OIDC)
        add_demand(r, wishes);
    return NULL;
}

/*
 * The page to which a sign-in with a form leads, as httpd would serve it to this browser, up to its
 * content: its configuration has the wishes, and nothing of them has to be carried over the sign-in
 * page. A link with another URL gains as little as one to that URL itself. NULL if it is not a page
 * of this site.
 */
static request_rec *look_up_page(request_rec *r, const char *url)
{
    const na_config *config = na_config_of(r);
    const char *own = apr_pstrcat(r->pool, config->origin, config->prefix, NULL);
    if (strncmp(url, own, strlen(own)) != 0 || url[strlen(own)] != '/')
        return NULL;
    const char *path = url + strlen(own);
    if (na_endpoint_path(config, apr_pstrmemdup(r->pool, path, strcspn(path, "?#"))))
        return NULL;
    return ap_sub_req_lookup_uri(apr_pstrmemdup(r->pool, path, strcspn(path, "#")), r, NULL);
}

na_error *na_wishes_of(void *data, const na_provider *provider, const char *url,
                       const na_wishes **wishes)
{
    request_rec *r = data, *page = url ? look_up_page(r, url) : NULL;
    *wishes = NULL;
    if (!has_wishes(r) && !(page && has_wishes(page)))
        return NULL;
    na_wishes *made = apr_pcalloc(r->pool, sizeof *made);
    apr_table_t *params = apr_table_make(r->pool, 4);
    *made = (na_wishes){.params = params, .max_age = -1};
    NA_TRY(add_wishes(r, provider, made, params));
    if (page)
        NA_TRY(add_wishes(page, provider, made, params));
    *wishes = made;
    return NULL;
}
