/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the sign-in page and the pages that ask for a confirmation. */
#include <apr_strings.h>

#include "base/error_codes.h"
#include "base/text.h"
#include "page/page.h"

static const char *message_of(const na_language *language, const char *code)
{
    const char *message = na_error_code_of(code)->sign_in;
    return message ? na_say(language, message)
                   : na_say(language, "Unable to sign in. Please try again.");
}

static const char *id_of(apr_pool_t *pool, const char *prefix, const na_provider *p)
{
    return apr_pstrcat(pool, prefix, p->id, NULL);
}

/* A letter in a circle: the logos of providers are theirs. */
static const char *mark_of(apr_pool_t *pool, const na_provider *p)
{
    int len = na_utf8_sequence(p->name);
    return apr_pstrcat(pool, "<span class=\"mark\" aria-hidden=\"true\">",
                       na_html(pool, apr_pstrmemdup(pool, p->name, (apr_size_t)len)), "</span>",
                       NULL);
}

/* `attributes` are further ones of the button, as HTML. */
static const char *provider_button(apr_pool_t *pool, const na_language *language,
                                   const na_provider *provider, const char *attributes)
{
    const char *text =
        na_say_with(pool, language, "Sign in with {name}", "name", provider->name, NULL);
    return apr_pstrcat(pool, "<button class=\"provider\" id=\"signin-", provider->id, "\"",
                       attributes, ">", mark_of(pool, provider), na_html(pool, text), "</button>",
                       NULL);
}

const char *na_page_provider_button(apr_pool_t *pool, const na_language *language,
                                    const na_provider *provider)
{
    return provider_button(pool, language, provider, "");
}

static const char *oauth_form(apr_pool_t *pool, const na_page_form *form, const na_provider *p)
{
    return na_kit_form(pool, form, id_of(pool, "/signin/", p),
                       na_page_provider_button(pool, form->language, p));
}

static int is_oauth(const na_provider *p)
{
    return p->type != NA_CREDENTIALS && p->type != NA_EMAIL && p->type != NA_WEBAUTHN;
}

/* If users are asked whether to stay signed in, one box is for the buttons of all providers. */
static const char *oauth_forms_with_box(apr_pool_t *pool, const na_page_form *form,
                                        const apr_array_header_t *providers)
{
    const char *first = NULL, *html = na_kit_remember_me(pool, form, "remember");
    for (int i = 0; i < providers->nelts; i++) {
        const na_provider *p = APR_ARRAY_IDX(providers, i, const na_provider *);
        const char *path = id_of(pool, "/signin/", p);
        if (!is_oauth(p))
            continue;
        first = first ? first : path;
        html = apr_pstrcat(pool, html,
                           provider_button(pool, form->language, p,
                                           apr_pstrcat(pool, " formaction=\"",
                                                       na_html(pool, form->base_url), path, "\"",
                                                       NULL)),
                           NULL);
    }
    return first ? na_kit_form(pool, form, first, html) : "";
}

static const char *username_attributes(apr_pool_t *pool, const na_provider *p, int has_passkeys)
{
    return apr_pstrcat(pool, has_passkeys ? NA_KIT_USERNAME_OR_PASSKEY : NA_KIT_USERNAME,
                       p->in_database ? " inputmode=\"email\"" : "", NULL);
}

/* Returns the error of the provider's own form, to be shown beside its field; NULL if none. */
static const char *error_at(const na_language *language, const na_provider *p,
                            const na_page_attempt *attempt)
{
    return attempt->error && attempt->provider_id && strcmp(attempt->provider_id, p->id) == 0
               ? message_of(language, attempt->error)
               : NULL;
}

/* The form that sends links finds providers by their domains as well, in place of one of its own.
 */
static int has_domain_form(const apr_array_header_t *providers)
{
    int has_domains = 0;
    for (int i = 0; i < providers->nelts; i++)
        has_domains |= na_provider_is_of_domains(APR_ARRAY_IDX(providers, i, const na_provider *));
    return has_domains && !na_provider_of_type(providers, NA_EMAIL);
}

static int is_domain_error(const na_page_attempt *attempt)
{
    return attempt->error && strcmp(attempt->error, NA_ERR_EMAIL_DOMAIN) == 0;
}

static int is_shown_at_field(const apr_array_header_t *providers, const na_page_attempt *attempt)
{
    if (is_domain_error(attempt))
        return has_domain_form(providers);
    int at = attempt->provider_id ? na_provider_find(providers, attempt->provider_id) : -1;
    const na_provider *p = at < 0 ? NULL : APR_ARRAY_IDX(providers, at, const na_provider *);
    return p && (p->type == NA_CREDENTIALS || p->type == NA_EMAIL);
}

/* The form that failed has the focus. */
static const char *credentials_form(apr_pool_t *pool, const na_page_form *form,
                                    const na_provider *p, const na_page_attempt *attempt,
                                    int has_passkeys, na_kit_style style)
{
    const na_language *l = form->language;
    const char *error = error_at(l, p, attempt);
    const na_kit_field username = {.label = p->in_database ? na_say(l, "Email address")
                                                           : na_say(l, "Username"),
                                   .name = "username",
                                   .id = id_of(pool, "username-", p),
                                   .attributes = username_attributes(pool, p, has_passkeys),
                                   .value = attempt->user};
    const na_kit_field password = {.label = na_say(l, "Password"),
                                   .name = "password",
                                   .id = id_of(pool, "password-", p),
                                   .attributes =
                                       error ? NA_KIT_PASSWORD NA_KIT_FOCUS : NA_KIT_PASSWORD,
                                   .error = error};
    return na_kit_form(pool, form, id_of(pool, "/callback/", p),
                       apr_pstrcat(pool, na_kit_field_of(pool, &username),
                                   na_kit_field_of(pool, &password),
                                   na_kit_remember_me(pool, form, id_of(pool, "remember-", p)),
                                   na_kit_button_with_id(pool, style, id_of(pool, "signin-", p),
                                                         na_say(l, "Sign in")),
                                   NULL));
}

static const char *email_attributes(apr_pool_t *pool, const char *error, int has_passkeys)
{
    return apr_pstrcat(pool, has_passkeys ? NA_KIT_EMAIL_OR_PASSKEY : NA_KIT_EMAIL,
                       error ? NA_KIT_FOCUS : "", NULL);
}

static const char *email_form(apr_pool_t *pool, const na_page_form *form, const na_provider *p,
                              const na_page_attempt *attempt, int has_passkeys, na_kit_style style)
{
    const na_language *l = form->language;
    const char *error = error_at(l, p, attempt);
    const na_kit_field email = {.label = na_say(l, "Email address"),
                                .name = "email",
                                .id = id_of(pool, "email-", p),
                                .attributes = email_attributes(pool, error, has_passkeys),
                                .error = error,
                                .value = attempt->user};
    return na_kit_form(pool, form, id_of(pool, "/signin/", p),
                       apr_pstrcat(pool, na_kit_field_of(pool, &email),
                                   na_kit_remember_me(pool, form, id_of(pool, "remember-", p)),
                                   na_kit_button_with_id(pool, style, id_of(pool, "signin-", p),
                                                         na_say(l, "Email me a link to sign in")),
                                   NULL));
}

const char *na_page_or(apr_pool_t *pool, const na_language *language)
{
    return apr_pstrcat(pool, "<div class=\"or\">", na_html(pool, na_say(language, "or")), "</div>",
                       NULL);
}

/* The email address finds the provider. */
static const char *domain_form(apr_pool_t *pool, const na_page_form *form,
                               const na_page_attempt *attempt)
{
    const na_language *l = form->language;
    const char *error = is_domain_error(attempt) ? message_of(l, attempt->error) : NULL;
    const na_kit_field email = {.label = na_say(l, "Email address"),
                                .name = "email",
                                .id = "email-domain",
                                .attributes = email_attributes(pool, error, 0),
                                .error = error,
                                .value = attempt->user};
    return na_kit_form(pool, form, "/signin",
                       apr_pstrcat(pool, na_kit_field_of(pool, &email),
                                   na_kit_remember_me(pool, form, "remember-domain"),
                                   na_kit_button_with_id(pool, NA_KIT_PRIMARY, "signin-domain",
                                                         na_say(l, "Continue")),
                                   NULL));
}

/* Returns the forms of one kind, one below the other: buttons, or those with fields. */
static const char *forms(apr_pool_t *pool, const na_page_form *form,
                         const apr_array_header_t *providers, int filled_in,
                         const na_page_attempt *attempt)
{
    const char *html = "";
    int has_passkeys = na_provider_of_type(providers, NA_WEBAUTHN) != NULL;
    int is_below = has_domain_form(providers);
    for (int i = 0; i < providers->nelts; i++) {
        const na_provider *p = APR_ARRAY_IDX(providers, i, const na_provider *);
        int has_fields = p->type == NA_CREDENTIALS || p->type == NA_EMAIL;
        if (has_fields != filled_in || p->type == NA_WEBAUTHN || na_provider_is_of_domains(p))
            continue;
        /* The first form counts. */
        na_kit_style style = *html || is_below ? NA_KIT_QUIET : NA_KIT_PRIMARY;
        html = apr_pstrcat(pool, html, filled_in && *html ? na_page_or(pool, form->language) : "",
                           p->type == NA_CREDENTIALS
                               ? credentials_form(pool, form, p, attempt, has_passkeys, style)
                           : p->type == NA_EMAIL
                               ? email_form(pool, form, p, attempt, has_passkeys, style)
                               : oauth_form(pool, form, p),
                           NULL);
    }
    return html;
}

/* Below everything else: where no script runs, nothing is missing in between. */
static const char *by_passkey(apr_pool_t *pool, const na_page_form *form,
                              const na_provider *provider, int is_alone)
{
    if (!provider)
        return "";
    const na_page_passkey_use use = {provider, id_of(pool, "/callback/", provider), "authenticate",
                                     NULL};
    return na_page_passkey_button(
        pool, form, &use,
        apr_pstrcat(pool, is_alone ? "" : na_page_or(pool, form->language),
                    na_kit_remember_me(pool, form, id_of(pool, "remember-", provider)), NULL));
}

const char *na_page_signin(apr_pool_t *pool, const na_page_form *form,
                           const apr_array_header_t *providers, na_page_offers offers,
                           const na_page_attempt *attempt)
{
    const na_language *l = form->language;
    const char *by_domain = has_domain_form(providers) ? domain_form(pool, form, attempt) : "";
    const char *by_oauth = form->remember == NA_UNSAID
                               ? forms(pool, form, providers, 0, attempt)
                               : oauth_forms_with_box(pool, form, providers);
    const char *by_form = forms(pool, form, providers, 1, attempt);
    int has_alert = attempt->error && !is_shown_at_field(providers, attempt);
    const char *alert = has_alert ? na_kit_alert(pool, message_of(l, attempt->error)) : "";

    const char *after_domain = *by_domain && (*by_oauth || *by_form) ? na_page_or(pool, l) : "";
    const char *between = *by_oauth && *by_form ? na_page_or(pool, l) : "";
    const char *passkey = by_passkey(pool, form, na_provider_of_type(providers, NA_WEBAUTHN),
                                     !*by_domain && !*by_oauth && !*by_form);
    const char *links = apr_pstrcat(
        pool,
        offers.reset
            ? na_kit_link(pool, form, "/reset-password", na_say(l, "Forgot your password?"))
            : "",
        offers.sign_up ? na_kit_link(pool, form, "/signup", na_say(l, "Create an account")) : "",
        NULL);
    return apr_pstrcat(pool, na_kit_heading(pool, na_say(l, "Sign in")), alert, by_domain,
                       after_domain, by_oauth, between, by_form, passkey,
                       na_kit_links(pool, form, links), NULL);
}

const char *na_page_signout(apr_pool_t *pool, const na_page_form *form)
{
    const na_language *l = form->language;
    return apr_pstrcat(pool, na_kit_heading(pool, na_say(l, "Sign out")),
                       na_kit_text(pool, na_say(l, "Are you sure you want to sign out?")),
                       na_kit_form(pool, form, "/signout",
                                   na_kit_button_with_id(pool, NA_KIT_PRIMARY, "submitButton",
                                                         na_say(l, "Sign out"))),
                       na_kit_link_button(pool, NA_KIT_QUIET, form->callback_url,
                                          na_say(l, "Stay signed in")),
                       NULL);
}

const char *na_page_confirm(apr_pool_t *pool, const na_page_form *form, const char *provider_id,
                            const char *email, const char *token, const char *remember_me)
{
    const na_language *l = form->language;
    const char *question =
        na_say_html(pool, l, "Sign in as {email}?", "email",
                    apr_pstrcat(pool, "<strong>", na_html(pool, email), "</strong>", NULL), NULL);
    return apr_pstrcat(
        pool, na_kit_heading(pool, na_say(l, "Sign in")), "<p>", question, "</p>",
        na_kit_form(pool, form, apr_pstrcat(pool, "/callback/", provider_id, NULL),
                    apr_pstrcat(pool, na_kit_hidden(pool, "email", email),
                                na_kit_hidden(pool, "token", token),
                                remember_me ? na_kit_hidden(pool, "rememberMe", remember_me) : "",
                                na_kit_button_with_id(pool, NA_KIT_PRIMARY, "confirmButton",
                                                      na_say(l, "Sign in")),
                                NULL)),
        NULL);
}
