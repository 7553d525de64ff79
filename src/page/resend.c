/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the pages about what a sign-in interrupts: forms, and long URLs. */
#include <apr_strings.h>

#include "base/text.h"
#include "page/page.h"

/* Users without script press the button. */
static const char script[] = "document.getElementById('resend').submit()";

const char *na_page_resend_script(void)
{
    return script;
}

const char *na_page_resend(apr_pool_t *pool, const na_language *language, const char *url,
                           const char *id)
{
    return apr_pstrcat(
        pool, na_kit_heading(pool, na_say(language, "Send your form")),
        na_kit_text(pool, na_say(language,
                                 "This form was kept while you signed in. It can be sent now.")),
        "<form id=\"resend\" method=\"post\" action=\"", na_html(pool, url), "\">",
        na_kit_hidden(pool, NA_RESEND_FIELD, id),
        na_kit_button(pool, NA_KIT_PRIMARY, na_say(language, "Send the form"), NULL), "</form>",
        "<script>", script, "</script>", NULL);
}

static const char *message_page(apr_pool_t *pool, const char *heading, const char *text,
                                const char *buttons)
{
    return apr_pstrcat(pool, na_kit_heading(pool, heading), na_kit_text(pool, text), buttons, NULL);
}

const char *na_page_resend_other(apr_pool_t *pool, const na_language *language,
                                 const char *signout_url, const char *home)
{
    const char *buttons = apr_pstrcat(pool,
                                      na_kit_link_button(pool, NA_KIT_PRIMARY, signout_url,
                                                         na_say(language, "Use another account")),
                                      na_kit_link_button(pool, NA_KIT_QUIET, home,
                                                         na_say(language, "Go to the home page")),
                                      NULL);
    return message_page(pool, na_say(language, "The form was not sent"),
                        na_say(language, "Another user filled in this form. Only that user can "
                                         "send it."),
                        buttons);
}

const char *na_page_resend_gone(apr_pool_t *pool, const na_language *language, const char *home)
{
    return message_page(pool, na_say(language, "This form is no longer available"),
                        na_say(language, "It was sent already, or it was kept for too long. If it "
                                         "was not sent, fill it in again."),
                        na_kit_link_button(pool, NA_KIT_PRIMARY, home,
                                           na_say(language, "Go to the home page")));
}

const char *na_page_form_lost(apr_pool_t *pool, const na_language *language, const char *url)
{
    return message_page(pool, na_say(language, "The form was not sent"),
                        na_say(language,
                               "Sign-in is required, and the form could not be kept. Sign in in a "
                               "new tab, then go back to the form in this tab, and send it again."),
                        na_kit_link_button_new_tab(pool, url,
                                                   na_say(language, "Sign in in a new tab")));
}

const char *na_page_url_lost(apr_pool_t *pool, const na_language *language, const char *url)
{
    return message_page(pool, na_say(language, "This address is too long"),
                        na_say(language,
                               "Sign-in is required, and this address is too long to return to. "
                               "Sign in in a new tab, then reload this page."),
                        na_kit_link_button_new_tab(pool, url,
                                                   na_say(language, "Sign in in a new tab")));
}
