/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the forms of users whose passwords are in the database. */
#include <apr_strings.h>

#include "base/text.h"
#include "page/page.h"

/* The texts of a page that asks for the address that gets a link. */
typedef struct asking {
    const char *path, *heading, *text, *button;
} asking;

static const char *ask_email(apr_pool_t *pool, const na_page_form *form, const asking *a,
                             const char *typed, const char *error)
{
    const na_language *l = form->language;
    const na_kit_field email = {.label = na_say(l, "Email address"),
                                .name = "email",
                                .attributes = NA_KIT_EMAIL NA_KIT_FOCUS,
                                .value = typed,
                                .error = error};
    const char *fields = apr_pstrcat(pool, na_kit_field_of(pool, &email),
                                     na_kit_button(pool, NA_KIT_PRIMARY, a->button, NULL), NULL);
    return apr_pstrcat(
        pool, na_kit_heading(pool, a->heading), na_kit_text(pool, a->text),
        na_kit_form(pool, form, a->path, fields),
        na_kit_links(pool, form, na_kit_link(pool, form, "/signin", na_say(l, "Back to sign-in"))),
        NULL);
}

const char *na_page_sign_up(apr_pool_t *pool, const na_page_form *form, const char *typed,
                            const char *error)
{
    const na_language *l = form->language;
    const asking a = {"/signup", na_say(l, "Create an account"),
                      na_say(l, "You get an email with a link to choose your password."),
                      na_say(l, "Email me a link")};
    return ask_email(pool, form, &a, typed, error);
}

const char *na_page_reset(apr_pool_t *pool, const na_page_form *form, const char *typed,
                          const char *error)
{
    const na_language *l = form->language;
    const asking a = {"/reset-password", na_say(l, "Reset your password"),
                      na_say(l, "You get an email with a link to choose a new password."),
                      na_say(l, "Email me a link")};
    return ask_email(pool, form, &a, typed, error);
}

/* The address is there for password managers, which store it with the new password. */
const char *na_page_choose_password(apr_pool_t *pool, const na_page_form *form,
                                    const na_page_choice *page)
{
    const na_language *l = form->language;
    const na_kit_field name = {.label = na_say(l, "Name"),
                               .name = "name",
                               .attributes = "autocomplete=\"name\" dir=\"auto\" maxlength=\"200\"",
                               .value = page->name};
    const na_kit_field address = {.label = na_say(l, "Email address"),
                                  .name = "username",
                                  .attributes = "autocomplete=\"username\" dir=\"ltr\" readonly",
                                  .value = page->email};
    const na_kit_field password = {.label = na_say(l, "New password"),
                                   .name = "password",
                                   .attributes = NA_KIT_NEW_PASSWORD NA_KIT_FOCUS,
                                   .error = page->error};
    const char *fields =
        apr_pstrcat(pool, na_kit_hidden(pool, "email", page->email),
                    na_kit_hidden(pool, "token", page->token), na_kit_field_of(pool, &address),
                    page->signs_up ? na_kit_field_of(pool, &name) : "",
                    na_kit_field_of(pool, &password),
                    na_kit_button(pool, NA_KIT_PRIMARY, na_say(l, "Save and sign in"), NULL), NULL);
    return apr_pstrcat(pool, na_kit_heading(pool, na_say(l, "Choose a password")),
                       na_kit_form(pool, form, "/set-password", fields), NULL);
}

const char *na_page_confirm_email(apr_pool_t *pool, const na_page_form *form, const char *email,
                                  const char *token)
{
    const na_language *l = form->language;
    const char *question =
        na_say_html(pool, l, "Use {email} for your account?", "email",
                    apr_pstrcat(pool, "<strong>", na_html(pool, email), "</strong>", NULL), NULL);
    return apr_pstrcat(pool, na_kit_heading(pool, na_say(l, "Confirm your email address")), "<p>",
                       question, "</p>",
                       na_kit_form(pool, form, "/confirm-email",
                                   apr_pstrcat(pool, na_kit_hidden(pool, "email", email),
                                               na_kit_hidden(pool, "token", token),
                                               na_kit_button(pool, NA_KIT_PRIMARY,
                                                             na_say(l, "Confirm"), NULL),
                                               NULL)),
                       NULL);
}
