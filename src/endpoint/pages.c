/* SPDX-License-Identifier: Apache-2.0 */
/* The error page, and the page after a link was sent. */
#include <apr_strings.h>

#include "endpoint/endpoints.h"
#include "auth/respond.h"
#include "base/error_codes.h"
#include "base/url.h"

/* v4 also accepts the code in the path: /error/AccessDenied. */
static const char *error_code(const na_request *request)
{
    const char *code = apr_table_get(request->query, "error");
    return code || request->config->dialect == NA_V5 ? code : request->provider_id;
}

na_error *na_get_error(na_request *request, na_response *response)
{
    const na_config *config = request->config;
    const char *code = error_code(request);
    const char *signin = apr_pstrcat(request->pool, config->base_url, "/signin", NULL);
    const char *title;
    int status;
    if (code && config->dialect == NA_V4 && na_error_code_of(code)->flags & NA_CODE_V4_SIGN_IN) {
        na_respond_redirect(request, response, 200,
                            na_url_add(request->pool, signin, "error", code));
        return NULL;
    }
    if (config->pages.error) {
        const char *page = config->pages.error;
        na_respond_redirect(request, response, 200,
                            code ? na_url_add(request->pool, page, "error", code) : page);
        return NULL;
    }
    const char *content = na_page_error(request->pool, request->language, code, config->home,
                                        signin, &title, &status);
    na_respond_page(request, response, status, title, content);
    return NULL;
}

/* v5 passes the provider and its type to the page, v4 nothing. */
static const char *page_with_query(const na_request *request)
{
    const char *page = request->config->pages.verify_request;
    return request->config->dialect == NA_V5 ? na_url_add_all(request->pool, page, request->query)
                                             : page;
}

na_error *na_get_verify_request(na_request *request, na_response *response)
{
    const na_config *config = request->config;
    if (config->pages.verify_request) {
        na_respond_redirect(request, response, 200, page_with_query(request));
        return NULL;
    }
    na_respond_page(request, response, 200, na_say(request->language, "Check your email"),
                    na_page_verify_request(request->pool, request->language, config->home));
    return NULL;
}
