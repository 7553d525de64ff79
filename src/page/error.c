/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the pages about errors. */
#include <apr_strings.h>

#include "base/error_codes.h"
#include "base/text.h"
#include "page/page.h"

static const char *message_page(apr_pool_t *pool, const char *heading, const char *text,
                                const char *button)
{
    return apr_pstrcat(pool, na_kit_heading(pool, heading), na_kit_text(pool, text), button, NULL);
}

static const char *home_button(apr_pool_t *pool, const na_language *language, const char *home)
{
    return na_kit_link_button(pool, NA_KIT_PRIMARY, home, na_say(language, "Go to the home page"));
}

static const char *sign_in_button(apr_pool_t *pool, const na_language *language, const char *url)
{
    return na_kit_link_button(pool, NA_KIT_PRIMARY, url, na_say(language, "Sign in"));
}

const char *na_page_error(apr_pool_t *pool, const na_language *language, const char *code,
                          const char *home, const char *signin_url, const char **title, int *status)
{
    const na_error_code *known = code ? na_error_code_of_page(code) : NULL;
    if (known) {
        *title = na_say(language, known->page_title);
        *status = known->page_status;
        return message_page(pool, *title, na_say(language, known->page_text),
                            sign_in_button(pool, language, signin_url));
    }
    *title = na_say(language, "Something went wrong");
    *status = 200;
    return message_page(pool, *title, na_say(language, "Please try again."),
                        home_button(pool, language, home));
}

const char *na_page_verify_request(apr_pool_t *pool, const na_language *language, const char *home)
{
    const char *text = na_say(language, "If a link can be sent to the address you entered, it will "
                                        "arrive in a few minutes. If not, check your spam folder.");
    return message_page(pool, na_say(language, "Check your email"), text,
                        home_button(pool, language, home));
}

const char *na_page_unavailable(apr_pool_t *pool, const na_language *language)
{
    return message_page(pool, na_say(language, "Temporarily unavailable"),
                        na_say(language, "The site cannot complete this request right now. Wait a "
                                         "moment, then reload this page."),
                        "");
}

const char *na_page_forbidden(apr_pool_t *pool, const na_language *language, const char *user,
                              const char *signout_url, const char *home)
{
    const char *name = apr_pstrcat(pool, "<strong>", na_html(pool, user), "</strong>", NULL);
    const char *text =
        user ? na_say_html(pool, language,
                           "You are signed in as {name}, without permission to see this page.",
                           "name", name, NULL)
             : na_say(language, "You do not have permission to see this page.");
    return apr_pstrcat(pool, na_kit_heading(pool, na_say(language, "Access denied")), "<p>", text,
                       "</p>",
                       na_kit_link_button(pool, NA_KIT_PRIMARY, signout_url,
                                          na_say(language, "Use another account")),
                       na_kit_link_button(pool, NA_KIT_QUIET, home,
                                          na_say(language, "Go to the home page")),
                       NULL);
}

static const char *wait_text(apr_pool_t *pool, const na_language *language, long seconds)
{
    long minutes = (seconds + 59) / 60;
    if (seconds < 90) /* never 1, which spares the translators the singular */
        return na_say_with(pool, language,
                           "Wait {number} seconds, then try again. If you are signed in elsewhere, "
                           "you stay signed in.",
                           "number", apr_psprintf(pool, "%ld", seconds > 2 ? seconds : 2), NULL);
    return na_say_with(pool, language,
                       "Wait {number} minutes, then try again. If you are signed in elsewhere, you "
                       "stay signed in.",
                       "number", apr_psprintf(pool, "%ld", minutes), NULL);
}

const char *na_page_too_many(apr_pool_t *pool, const na_language *language, long seconds,
                             const char *signin_url)
{
    return message_page(pool, na_say(language, "Too many attempts"),
                        wait_text(pool, language, seconds),
                        sign_in_button(pool, language, signin_url));
}
