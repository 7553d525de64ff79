/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the sign-in page and the pages that ask for a confirmation. */
#include <apr_strings.h>

#include "base/error_codes.h"
#include "base/text.h"
#include "page/page.h"

static const char *message_of(const char *code)
{
    const char *message = na_error_code_of(code)->sign_in;
    return message ? message : "Unable to sign in. Please try again.";
}

const char *na_page_form_start(apr_pool_t *pool, const na_page_form *form, const char *path)
{
    return apr_pstrcat(pool, "<form method=\"post\" action=\"", na_html(pool, form->base_url), path,
                       "\"><input type=\"hidden\" name=\"csrfToken\" value=\"", form->csrf_token,
                       "\"><input type=\"hidden\" name=\"callbackUrl\" value=\"",
                       na_html(pool, form->callback_url), "\">", NULL);
}

static const char *oauth_form(apr_pool_t *pool, const na_page_form *form, const na_provider *p)
{
    return apr_pstrcat(pool,
                       na_page_form_start(pool, form, apr_pstrcat(pool, "/signin/", p->id, NULL)),
                       "<button class=\"provider\" id=\"signin-", p->id, "\">Sign in with ",
                       na_html(pool, p->name), "</button></form>", NULL);
}

static const char *credentials_form(apr_pool_t *pool, const na_page_form *form,
                                    const na_provider *p, const char *user)
{
    const char *label = p->in_database ? "Email" : "Username";
    return apr_pstrcat(
        pool, na_page_form_start(pool, form, apr_pstrcat(pool, "/callback/", p->id, NULL)),
        "<label for=\"username-", p->id, "\">", label, "</label><input id=\"username-", p->id,
        "\" name=\"username\" autocomplete=\"username\" autocapitalize=\"none\" "
        "spellcheck=\"false\" required value=\"",
        na_html(pool, user), "\"><label for=\"password-", p->id,
        "\">Password</label><input id=\"password-", p->id,
        "\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>"
        "<button id=\"signin-",
        p->id, "\">Sign in</button></form>", NULL);
}

static const char *email_form(apr_pool_t *pool, const na_page_form *form, const na_provider *p,
                              const char *user)
{
    return apr_pstrcat(pool,
                       na_page_form_start(pool, form, apr_pstrcat(pool, "/signin/", p->id, NULL)),
                       "<label for=\"email-", p->id, "\">Email</label><input id=\"email-", p->id,
                       "\" name=\"email\" " NA_PAGE_EMAIL " value=\"", na_html(pool, user),
                       "\"><button id=\"signin-", p->id, "\">Email me a link</button></form>",
                       NULL);
}

/* Returns the forms of one kind, one below the other: buttons, or those with fields. */
static const char *forms(apr_pool_t *pool, const na_page_form *form,
                         const apr_array_header_t *providers, int filled_in, const char *user)
{
    const char *html = "";
    for (int i = 0; i < providers->nelts; i++) {
        const na_provider *p = APR_ARRAY_IDX(providers, i, const na_provider *);
        int has_fields = p->type == NA_CREDENTIALS || p->type == NA_EMAIL;
        if (has_fields != filled_in)
            continue;
        const char *divider = filled_in && *html ? "<div class=\"or\">or</div>" : "";
        html = apr_pstrcat(pool, html, divider,
                           p->type == NA_CREDENTIALS ? credentials_form(pool, form, p, user)
                           : p->type == NA_EMAIL     ? email_form(pool, form, p, user)
                                                     : oauth_form(pool, form, p),
                           NULL);
    }
    return html;
}

static const char *offer_link(apr_pool_t *pool, const na_page_form *form, const char *path,
                              const char *text)
{
    return apr_pstrcat(pool, "<p class=\"soft\"><a href=\"", na_html(pool, form->base_url), path,
                       "\">", text, "</a></p>", NULL);
}

const char *na_page_signin(apr_pool_t *pool, const na_page_form *form,
                           const apr_array_header_t *providers, na_page_offers offers,
                           const char *error, const char *user)
{
    const char *by_oauth = forms(pool, form, providers, 0, NULL);
    const char *by_form = forms(pool, form, providers, 1, user);
    const char *alert = error ? apr_pstrcat(pool, "<p class=\"error\" role=\"alert\">",
                                            message_of(error), "</p>", NULL)
                              : "";
    const char *between = *by_oauth && *by_form ? "<div class=\"or\">or</div>" : "";
    const char *sign_up =
        offers.sign_up ? offer_link(pool, form, "/signup", "Create an account") : "";
    const char *reset =
        offers.reset ? offer_link(pool, form, "/reset-password", "Reset your password") : "";
    return apr_pstrcat(pool, "<h1>Sign in</h1>", alert, by_oauth, between, by_form, reset, sign_up,
                       NULL);
}

const char *na_page_signout(apr_pool_t *pool, const na_page_form *form)
{
    return apr_pstrcat(pool, "<h1>Sign out</h1><p>Are you sure you want to sign out?</p>",
                       na_page_form_start(pool, form, "/signout"),
                       "<button id=\"submitButton\">Sign out</button></form>", NULL);
}

const char *na_page_confirm(apr_pool_t *pool, const na_page_form *form, const char *provider_id,
                            const char *email, const char *token)
{
    return apr_pstrcat(pool, "<h1>Sign in</h1><p>Sign in as <strong>", na_html(pool, email),
                       "</strong>?</p>",
                       na_page_form_start(pool, form,
                                          apr_pstrcat(pool, "/callback/", provider_id, NULL)),
                       "<input type=\"hidden\" name=\"email\" value=\"", na_html(pool, email),
                       "\"><input type=\"hidden\" name=\"token\" value=\"", na_html(pool, token),
                       "\"><button id=\"confirmButton\">Sign in</button></form>", NULL);
}
