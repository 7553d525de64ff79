/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the page on which a user who is signed in signs in again. */
#include <apr_strings.h>

#include "base/text.h"
#include "base/url.h"
#include "page/page.h"

/* The user's name is there for password managers, and cannot be changed. */
static const char *password_fields(apr_pool_t *pool, const na_language *l, const na_page_way *way)
{
    const char *id = way->provider->id;
    const na_kit_field username = {.label = way->provider->in_database ? na_say(l, "Email address")
                                                                       : na_say(l, "Username"),
                                   .name = "username",
                                   .id = apr_pstrcat(pool, "username-", id, NULL),
                                   .attributes = "autocomplete=\"username\" dir=\"auto\" readonly",
                                   .value = way->name};
    const na_kit_field password = {.label = na_say(l, "Password"),
                                   .name = "password",
                                   .id = apr_pstrcat(pool, "password-", id, NULL),
                                   .attributes = NA_KIT_PASSWORD NA_KIT_FOCUS};
    return apr_pstrcat(pool, na_kit_field_of(pool, &username), na_kit_field_of(pool, &password),
                       na_kit_button(pool, NA_KIT_PRIMARY, na_say(l, "Sign in"), NULL), NULL);
}

static const char *fields_of(apr_pool_t *pool, const na_language *l, const na_page_way *way)
{
    if (way->provider->type == NA_CREDENTIALS)
        return password_fields(pool, l, way);
    if (way->provider->type != NA_EMAIL)
        return na_page_provider_button(pool, l, way->provider);
    return apr_pstrcat(pool, na_kit_hidden(pool, "email", way->name),
                       na_kit_button(pool, NA_KIT_QUIET, na_say(l, "Email me a link to sign in"),
                                     NULL),
                       NULL);
}

/* Without script, the divider is not shown either. */
static const char *passkey_form(apr_pool_t *pool, const na_page_form *form, const na_page_way *way,
                                const char *before)
{
    const na_page_passkey_use use = {way->provider,
                                     apr_pstrcat(pool, "/callback/", way->provider->id, NULL),
                                     "authenticate", NULL};
    return na_page_passkey_button(pool, form, &use,
                                  apr_pstrcat(pool, na_kit_hidden(pool, "again", "true"), before,
                                              NULL));
}

static const char *way_form(apr_pool_t *pool, const na_page_form *form, const na_page_way *way,
                            const char *before)
{
    const char *path =
        apr_pstrcat(pool, way->provider->type == NA_CREDENTIALS ? "/callback/" : "/signin/",
                    way->provider->id, NULL);
    if (way->provider->type == NA_WEBAUTHN)
        return passkey_form(pool, form, way, before);
    const char *html = na_kit_form(pool, form, path,
                                   apr_pstrcat(pool, na_kit_hidden(pool, "again", "true"),
                                               fields_of(pool, form->language, way), NULL));
    return apr_pstrcat(pool, before, html, NULL);
}

static const char *second_factor_link(apr_pool_t *pool, const na_page_form *form)
{
    const char *url = na_url_add(pool, apr_pstrcat(pool, form->base_url, "/two-factor", NULL),
                                 "callbackUrl", form->callback_url);
    return na_kit_link_button(pool, NA_KIT_QUIET, url,
                              na_say(form->language, "Use your second factor"));
}

const char *na_page_sign_in_again(apr_pool_t *pool, const na_page_form *form, const char *reason,
                                  const char *problem, int has_second_factor,
                                  const apr_array_header_t *ways)
{
    const na_language *l = form->language;
    const char *forms = has_second_factor ? second_factor_link(pool, form) : "";
    for (int i = 0; i < ways->nelts; i++)
        forms = apr_pstrcat(pool, forms,
                            way_form(pool, form, &APR_ARRAY_IDX(ways, i, na_page_way),
                                     *forms ? na_page_or(pool, l) : ""),
                            NULL);
    if (!*forms)
        forms = apr_pstrcat(pool, na_kit_text(pool, na_say(l, "Sign out, then sign in as usual.")),
                            na_kit_link_button(pool, NA_KIT_PRIMARY,
                                               apr_pstrcat(pool, form->base_url, "/signout", NULL),
                                               na_say(l, "Sign out")),
                            NULL);
    return apr_pstrcat(
        pool, na_kit_heading(pool, na_say(l, "Sign in again")), na_kit_alert(pool, problem),
        na_kit_text(pool, reason),
        na_kit_text(pool, na_say(l, "This protects you if another person uses this browser.")),
        forms, NULL);
}
