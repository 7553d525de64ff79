/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "auth/action.h"
#include "base/url.h"

#define URL_MAX 2048

static int is_allowed_origin(const na_config *config, const char *origin)
{
    if (strcmp(origin, config->origin) == 0)
        return 1;
    for (int i = 0; i < config->redirect_origins->nelts; i++)
        if (strcmp(origin, APR_ARRAY_IDX(config->redirect_origins, i, const char *)) == 0)
            return 1;
    return 0;
}

/*
 * Origins are compared as parsed, and the answer is put together anew from the parts, so that no
 * browser can read another host out of it than was compared here.
 */
const char *na_safe_redirect(apr_pool_t *pool, const na_config *config, const char *text)
{
    na_url url;
    if (!text || strlen(text) > URL_MAX)
        return NULL;
    if (*text == '/' && text[1] != '/' && text[1] != '\\')
        text = apr_pstrcat(pool, config->origin, text, NULL);
    if (!na_url_parse(pool, text, &url) || !is_allowed_origin(config, url.origin))
        return NULL;
    return apr_pstrcat(pool, url.origin, url.path, NULL);
}

/* Of several cookies the first that may be gone to; else the first. */
static const char *current_of(const na_request *request)
{
    const char *name = request->config->cookies[NA_COOKIE_CALLBACK_URL].name, *value;
    for (int i = 0; (value = na_cookies_get(request->cookies, name, i)); i++)
        if (na_safe_redirect(request->pool, request->config, value))
            return value;
    return na_cookies_get(request->cookies, name, 0);
}

void na_callback_url(na_request *request, na_response *response)
{
    const na_config *config = request->config;
    const na_cookie *cookie = &config->cookies[NA_COOKIE_CALLBACK_URL];
    const char *current = current_of(request);
    const char *asked = na_parameter(request, "callbackUrl");
    const char *url = na_safe_redirect(request->pool, config, asked ? asked : current);
    request->callback_url = url ? url : config->home;
    if (!current || strcmp(current, request->callback_url) != 0)
        na_set_cookie(response, na_cookie_write(request->pool, cookie, cookie->name,
                                                request->callback_url, -1, 0));
}
