/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the forms of users whose passwords are in the database. */
#include <apr_strings.h>

#include "base/text.h"
#include "page/page.h"

static const char *field(apr_pool_t *pool, const char *label, const char *name, const char *id,
                         const char *attributes, const char *value)
{
    const na_kit_field field = {
        .label = label, .name = name, .id = id, .attributes = attributes, .value = value};
    return na_kit_field_of(pool, &field);
}

const char *na_page_ask_email(apr_pool_t *pool, const na_page_form *form, const char *path,
                              const char *title, const char *error)
{
    const na_language *l = form->language;
    const na_kit_field email = {.label = na_say(l, "Email address"),
                                .name = "email",
                                .attributes = NA_KIT_EMAIL,
                                .error = error};
    return apr_pstrcat(pool, na_kit_heading(pool, title),
                       na_kit_form(pool, form, path,
                                   apr_pstrcat(pool, na_kit_field_of(pool, &email),
                                               na_kit_button(pool, NA_KIT_PRIMARY,
                                                             na_say(l, "Email me a link"), NULL),
                                               NULL)),
                       NULL);
}

const char *na_page_choose_password(apr_pool_t *pool, const na_page_form *form, const char *email,
                                    const char *token, const char *name, const char *error)
{
    const na_language *l = form->language;
    const char *for_whom =
        na_say_html(pool, l, "For {email}", "email",
                    apr_pstrcat(pool, "<strong>", na_html(pool, email), "</strong>", NULL), NULL);
    const na_kit_field password = {.label = na_say(l, "New password"),
                                   .name = "password",
                                   .attributes = NA_KIT_NEW_PASSWORD,
                                   .error = error};
    return apr_pstrcat(
        pool, na_kit_heading(pool, na_say(l, "Choose a password")), "<p>", for_whom, "</p>",
        na_kit_form(pool, form, "/set-password",
                    apr_pstrcat(pool, na_kit_hidden(pool, "email", email),
                                na_kit_hidden(pool, "token", token),
                                field(pool, na_say(l, "Name (new accounts only)"), "name", "name",
                                      "autocomplete=\"name\" dir=\"auto\" maxlength=\"200\"", name),
                                na_kit_field_of(pool, &password),
                                na_kit_button(pool, NA_KIT_PRIMARY, na_say(l, "Save and sign in"),
                                              NULL),
                                NULL)),
        NULL);
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
