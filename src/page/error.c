/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/text.h"
#include "page/page.h"

static const struct {
    const char *code;
    int status;
    const char *title, *text;
} pages[] = {
    {"Configuration", 500, "Server error",
     "Sign-in is not working right now. If the problem continues, contact the site's "
     "administrator."},
    {"AccessDenied", 403, "Access denied", "You do not have permission to sign in."},
    {"Verification", 403, "Link no longer valid",
     "This link has expired or has already been used. Request a new one."},
    {"RateLimited", 429, "Too many attempts", "Wait a few minutes, then try again."},
};

static const char *button(apr_pool_t *pool, const char *url, const char *text)
{
    return apr_pstrcat(pool, "<a class=\"button\" href=\"", na_html(pool, url), "\">", text, "</a>",
                       NULL);
}

const char *na_page_error(apr_pool_t *pool, const char *code, const char *origin,
                          const char *signin_url, const char **title, int *status)
{
    for (apr_size_t i = 0; code && i < sizeof pages / sizeof *pages; i++) {
        if (strcasecmp(code, pages[i].code) != 0)
            continue;
        *title = pages[i].title;
        *status = pages[i].status;
        return apr_pstrcat(pool, "<h1>", *title, "</h1><p>", pages[i].text, "</p>",
                           button(pool, signin_url, "Sign in"), NULL);
    }
    *title = "Something went wrong";
    *status = 200;
    return apr_pstrcat(pool, "<h1>Something went wrong</h1><p>Please try again.</p>",
                       button(pool, origin, "Go to the home page"), NULL);
}

const char *na_page_verify_request(apr_pool_t *pool, const char *origin)
{
    return apr_pstrcat(
        pool,
        "<h1>Check your email</h1><p>If a link can be sent to the address you entered, "
        "it will arrive in a few minutes. If not, check your spam folder.</p>",
        button(pool, origin, "Go to the home page"), NULL);
}

const char *na_page_unavailable(void)
{
    return "<h1>Temporarily unavailable</h1><p>The site cannot complete this request right now. "
           "Wait "
           "a moment, then reload this page.</p>";
}

const char *na_page_too_many(apr_pool_t *pool, const char *wait, const char *signin_url)
{
    return apr_pstrcat(pool, "<h1>Too many attempts</h1><p>Wait ", wait,
                       ", then try again. If you are signed in elsewhere, you stay signed in.</p>",
                       button(pool, signin_url, "Sign in"), NULL);
}
