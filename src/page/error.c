/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the pages about errors. */
#include <apr_strings.h>

#include "base/error_codes.h"
#include "base/text.h"
#include "page/page.h"

static const char *link_button(apr_pool_t *pool, const char *url, const char *text)
{
    return apr_pstrcat(pool, "<a class=\"button\" href=\"", na_html(pool, url), "\">", text, "</a>",
                       NULL);
}

const char *na_page_error(apr_pool_t *pool, const char *code, const char *origin,
                          const char *signin_url, const char **title, int *status)
{
    const na_error_code *known = code ? na_error_code_of_page(code) : NULL;
    if (known) {
        *title = known->page_title;
        *status = known->page_status;
        return apr_pstrcat(pool, "<h1>", *title, "</h1><p>", known->page_text, "</p>",
                           link_button(pool, signin_url, "Sign in"), NULL);
    }
    *title = "Something went wrong";
    *status = 200;
    return apr_pstrcat(pool, "<h1>Something went wrong</h1><p>Please try again.</p>",
                       link_button(pool, origin, "Go to the home page"), NULL);
}

const char *na_page_verify_request(apr_pool_t *pool, const char *origin)
{
    return apr_pstrcat(
        pool,
        "<h1>Check your email</h1><p>If a link can be sent to the address you entered, "
        "it will arrive in a few minutes. If not, check your spam folder.</p>",
        link_button(pool, origin, "Go to the home page"), NULL);
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
                       link_button(pool, signin_url, "Sign in"), NULL);
}
