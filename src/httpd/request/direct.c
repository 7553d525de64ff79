/* SPDX-License-Identifier: Apache-2.0 */
/* Begins a sign-in at a provider in place of a protected page. */
#include "httpd/request/direct.h"

#include <string.h>

#include "base/text.h"
#include "endpoint/dispatch.h"
#include "httpd/module.h"
#include "httpd/request/action.h"
#include "httpd/request/client.h"
#include "httpd/request/write.h"

#define PAGE "page"

/* most characters of an unknown provider's ID in the log */
#define ID_SAID_MAX 64

static const na_provider *named_provider(request_rec *r, const ap_expr_info_t *expression)
{
    const char *reason = NULL, *id = ap_expr_str_exec(r, expression, &reason);
    if (!reason && (!*id || strcmp(id, PAGE) == 0))
        return NULL;
    const na_provider *provider = reason ? NULL : na_provider_named(na_config_of(r)->providers, id);
    if (provider && provider->type <= NA_OAUTH)
        return provider;
    na_log_request(r, NA_LOG_ERROR, "CONFIGURATION_ERROR",
                   "NextAuthSignInWith: %s '%s': showing the sign-in page",
                   reason ? "could not evaluate the expression" : "no OAuth or OIDC provider",
                   na_one_line(r->pool, reason ? reason : id, ID_SAID_MAX));
    return NULL;
}

const na_provider *na_direct_provider(request_rec *r)
{
    const ap_expr_info_t *expression = na_dir_conf_of(r)->sign_in_with;
    if (r->method_number != M_GET || !na_is_shown_in_tab(r)) /* a form would be lost */
        return NULL;
    return expression ? named_provider(r, expression) : na_config_of(r)->direct_provider;
}

/* The query belongs to the page: no parameter of it reaches the provider. */
static void begin_request(request_rec *r, const na_provider *provider, const char *url,
                          na_request *request)
{
    na_request_begin(r, request);
    request->action = "signin";
    request->provider = provider;
    request->provider_id = provider->id;
    request->query = apr_table_make(r->pool, 1);
    request->wants_return = 0;
    request->is_direct = 1;
    apr_table_t *form = apr_table_make(r->pool, 1);
    apr_table_setn(form, "callbackUrl", url);
    request->form = form;
}

static void begin_sign_in(request_rec *r, na_request *request)
{
    na_response response = {.status = 200,
                            .set_cookies = apr_array_make(r->pool, 8, sizeof(char *))};
    na_log_request(r, NA_LOG_DEBUG, NULL, "redirecting to provider '%s'", request->provider->id);
    na_dispatch_direct(request, &response);
    ap_discard_request_body(r);
    na_write_response(r, &response);
}

int na_sign_in_directly(request_rec *r, const na_provider *provider, const char *url,
                        na_direct *direct)
{
    na_request request;
    begin_request(r, provider, url, &request);
    *direct = na_direct_is_due(&request);
    if (*direct != NA_DIRECT_GO)
        return 0;
    begin_sign_in(r, &request);
    return 1;
}

int na_step_up_directly(request_rec *r, const na_provider *provider, const char *url)
{
    na_request request;
    begin_request(r, provider, url, &request);
    request.page = NA_PAGE_AGAIN;
    if (na_direct_is_due(&request) == NA_DIRECT_TOO_MANY)
        return 0;
    begin_sign_in(r, &request);
    return 1;
}
