/* SPDX-License-Identifier: Apache-2.0 */
/* The URL to which a sign-in or sign-out finally leads. */
#include "auth/callback_url.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/callbacks.h"
#include "auth/long_url.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "base/url.h"

/* httpd's limit of a request line (LimitRequestLine). */
#define URL_MAX 8190

/* Browsers drop a cookie whose name and value have more bytes (RFC 6265 section 6.1). */
#define COOKIE_MAX 4096

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
 * Browsers percent-encode blanks and non-ASCII characters in the URLs they open, but can pass them
 * to a page unencoded. Control characters and backslashes remain, to be refused.
 */
static const char *encode_path(apr_pool_t *pool, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = apr_palloc(pool, strlen(text) * 3 + 1), *p = out;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c != ' ' && c < 0x80) {
            *p++ = (char)c;
            continue;
        }
        *p++ = '%';
        *p++ = digits[c >> 4];
        *p++ = digits[c & 15];
    }
    *p = '\0';
    return out;
}

/* The path begins after "scheme://host". */
static const char *with_encoded_path(apr_pool_t *pool, const char *text)
{
    const char *authority = strstr(text, "://");
    size_t start = authority ? (size_t)(authority - text) + 3 : 0;
    start += strcspn(text + start, "/?#");
    return apr_pstrcat(pool, apr_pstrmemdup(pool, text, start), encode_path(pool, text + start),
                       NULL);
}

/*
 * Origins are compared as parsed, and the result is composed of the parsed parts, so that no
 * browser can find another host in it than the one compared here.
 */
const char *na_safe_redirect(apr_pool_t *pool, const na_config *config, const char *text)
{
    na_url url;
    if (!text || strlen(text) > URL_MAX)
        return NULL;
    if (*text == '/' && text[1] != '/' && text[1] != '\\')
        text = apr_pstrcat(pool, config->origin, text, NULL);
    text = with_encoded_path(pool, text);
    if (strlen(text) > URL_MAX || !na_url_parse(pool, text, &url) ||
        !is_allowed_origin(config, url.origin))
        return NULL;
    return apr_pstrcat(pool, url.origin, url.path, NULL);
}

/* Returns the first of several cookies that is allowed, else the first. */
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
    const char *wanted = asked ? na_callback_redirect(request, asked) : current;
    const char *url = na_safe_redirect(request->pool, config, wanted);
    request->callback_url = url ? url : config->home;
    if (current && strcmp(current, request->callback_url) == 0)
        return;
    int fits = strlen(cookie->name) + 1 +
                   strlen(na_percent_encode(request->pool, request->callback_url)) <=
               COOKIE_MAX;
    if (fits)
        na_set_cookie(response, na_cookie_write(request->pool, cookie, cookie->name,
                                                request->callback_url, -1, 0));
    else if (current)
        na_set_cookie(response, na_cookie_clear(request->pool, cookie, cookie->name));
}

void na_callback_url_forget(const na_request *request, na_response *response, const char *url)
{
    const na_cookie *cookie = &request->config->cookies[NA_COOKIE_CALLBACK_URL];
    const char *current = current_of(request);
    if (current && strcmp(current, url) == 0)
        na_set_cookie(response, na_cookie_clear(request->pool, cookie, cookie->name));
}

const char *na_callback_url_carried(na_request *request, size_t max)
{
    const char *shorter;
    if (strlen(request->callback_url) <= max)
        return request->callback_url;
    na_error *error = na_long_url_keep(request, request->callback_url, &shorter);
    if (!error)
        return shorter;
    na_log(request, NA_LOG_INFO, "SIGNIN",
           "callbackUrl has %d bytes; this way to sign in supports at most %d and leads to the "
           "home page: %s",
           (int)strlen(request->callback_url), (int)max, na_error_text(request->pool, error));
    return request->config->home;
}
