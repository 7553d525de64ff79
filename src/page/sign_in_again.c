/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the page on which a user who is signed in signs in again. */
#include <apr_strings.h>

#include "base/text.h"
#include "page/page.h"

#define AGAIN "<input type=\"hidden\" name=\"again\" value=\"true\">"

/* The user's name is there for password managers, and cannot be changed. */
static const char *password_fields(apr_pool_t *pool, const na_page_way *way)
{
    const char *id = way->provider->id;
    return apr_pstrcat(pool, "<label for=\"username-", id, "\">",
                       way->provider->in_database ? "Email" : "Username",
                       "</label><input id=\"username-", id,
                       "\" name=\"username\" autocomplete=\"username\" readonly value=\"",
                       na_html(pool, way->name), "\"><label for=\"password-", id,
                       "\">Password</label><input id=\"password-", id,
                       "\" name=\"password\" type=\"password\" autocomplete=\"current-password\" "
                       "required><button>Sign in</button>",
                       NULL);
}

static const char *way_form(apr_pool_t *pool, const na_page_form *form, const na_page_way *way)
{
    const na_provider *provider = way->provider;
    int has_password = provider->type == NA_CREDENTIALS;
    const char *path =
        apr_pstrcat(pool, has_password ? "/callback/" : "/signin/", provider->id, NULL);
    const char *fields =
        has_password ? password_fields(pool, way)
        : provider->type == NA_EMAIL
            ? apr_pstrcat(pool, "<input type=\"hidden\" name=\"email\" value=\"",
                          na_html(pool, way->name),
                          "\"><button class=\"quiet\">Email me a link</button>", NULL)
            : apr_pstrcat(pool, "<button class=\"provider\" id=\"signin-", provider->id,
                          "\">Sign in with ", na_html(pool, provider->name), "</button>", NULL);
    return apr_pstrcat(pool, na_page_form_start(pool, form, path), AGAIN, fields, "</form>", NULL);
}

const char *na_page_sign_in_again(apr_pool_t *pool, const na_page_form *form, const char *reason,
                                  const char *problem, const apr_array_header_t *ways)
{
    const char *alert = problem ? apr_pstrcat(pool, "<p class=\"error\" role=\"alert\">",
                                              na_html(pool, problem), "</p>", NULL)
                                : "";
    const char *forms = "";
    for (int i = 0; i < ways->nelts; i++)
        forms = apr_pstrcat(pool, forms, i ? "<div class=\"or\">or</div>" : "",
                            way_form(pool, form, &APR_ARRAY_IDX(ways, i, na_page_way)), NULL);
    if (!ways->nelts)
        forms =
            apr_pstrcat(pool, "<p>Sign out, then sign in as usual.</p><a class=\"button\" href=\"",
                        na_html(pool, form->base_url), "/signout\">Sign out</a>", NULL);
    return apr_pstrcat(pool, "<h1>Sign in again</h1>", alert, "<p>", reason,
                       " This protects you if another person uses this browser.</p>", forms, NULL);
}
