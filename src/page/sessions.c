/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the page that lists the user's sessions. */
#include <apr_strings.h>

#include "base/text.h"
#include "page/page.h"

static const char *session_button(apr_pool_t *pool, const na_page_form *form, const char *which,
                                  na_kit_style style, const char *text, const char *about)
{
    return na_kit_form(pool, form, "/sessions",
                       apr_pstrcat(pool, na_kit_hidden(pool, "session", which),
                                   na_kit_button(pool, style, text, about), NULL));
}

static const char *session_item(apr_pool_t *pool, const na_page_form *form,
                                const na_page_session *session)
{
    const na_language *l = form->language;
    const char *device = *session->device ? session->device : na_say(l, "Unknown device");
    const char *here = session->is_current
                           ? apr_pstrcat(pool, "<p class=\"here\">",
                                         na_html(pool, na_say(l, "This device")), "</p>", NULL)
                           : "";
    const char *times = na_say_with(pool, l, "Last used: {used} · Signed in: {begun}", "used",
                                    na_kit_ago(pool, l, session->used), "begun",
                                    na_kit_ago(pool, l, session->begun), NULL);
    const char *about = apr_pstrcat(pool, device, " ", session->address, NULL);
    return na_kit_row(pool, about, times,
                      apr_pstrcat(pool, here,
                                  session_button(pool, form, session->handle, NA_KIT_QUIET,
                                                 na_say(l, "Sign out"), about),
                                  NULL));
}

const char *na_page_sessions(apr_pool_t *pool, const na_page_form *form,
                             const apr_array_header_t *sessions)
{
    const na_language *l = form->language;
    apr_array_header_t *items = apr_array_make(pool, 8, sizeof(const char *));
    for (int i = 0; i < sessions->nelts; i++)
        APR_ARRAY_PUSH(items, const char *) =
            session_item(pool, form, &APR_ARRAY_IDX(sessions, i, na_page_session));
    const char *others = sessions->nelts > 1
                             ? session_button(pool, form, "others", NA_KIT_PRIMARY,
                                              na_say(l, "Sign out all other sessions"), NULL)
                             : "";
    return apr_pstrcat(pool, na_kit_heading(pool, na_say(l, "Your sessions")),
                       na_kit_list(pool, na_join(pool, items, "")), others,
                       session_button(pool, form, "all", NA_KIT_DANGER,
                                      na_say(l, "Sign out everywhere"), NULL),
                       na_kit_account_link(pool, form), NULL);
}
