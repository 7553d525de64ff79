/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the page that lists the user's sessions. */
#include <apr_strings.h>

#include "base/text.h"
#include "page/page.h"

static const char *units_ago(apr_pool_t *pool, apr_int64_t number, const char *unit)
{
    return apr_psprintf(pool, "%" APR_INT64_T_FMT " %s%s ago", number, unit,
                        number == 1 ? "" : "s");
}

static const char *ago(apr_pool_t *pool, apr_int64_t seconds)
{
    if (seconds < 120)
        return "just now";
    if (seconds < 2 * 3600)
        return units_ago(pool, seconds / 60, "minute");
    return seconds < 48 * 3600 ? units_ago(pool, seconds / 3600, "hour")
                               : units_ago(pool, seconds / (24 * 3600), "day");
}

static const char *session_button(apr_pool_t *pool, const na_page_form *form, const char *which,
                                  const char *class, const char *label)
{
    return apr_pstrcat(pool, na_page_form_start(pool, form, "/sessions"),
                       "<input type=\"hidden\" name=\"session\" value=\"", which,
                       "\"><button class=\"", class, "\">", label, "</button></form>", NULL);
}

static const char *session_item(apr_pool_t *pool, const na_page_form *form,
                                const na_page_session *session)
{
    const char *device = *session->device ? session->device : "Unknown device";
    const char *here = session->is_current ? "<p class=\"here\">This device</p>" : "";
    return apr_pstrcat(pool, "<li><p><strong>", na_html(pool, device), "</strong> ",
                       na_html(pool, session->address), "</p>", here,
                       "<p class=\"soft\">Last used ", ago(pool, session->used), " · Signed in ",
                       ago(pool, session->begun), "</p>",
                       session_button(pool, form, session->handle, "quiet", "Sign out"), "</li>",
                       NULL);
}

const char *na_page_sessions(apr_pool_t *pool, const na_page_form *form,
                             const apr_array_header_t *sessions)
{
    apr_array_header_t *items = apr_array_make(pool, 8, sizeof(const char *));
    for (int i = 0; i < sessions->nelts; i++)
        APR_ARRAY_PUSH(items, const char *) =
            session_item(pool, form, &APR_ARRAY_IDX(sessions, i, na_page_session));
    const char *others = sessions->nelts > 1 ? session_button(pool, form, "others", "",
                                                              "Sign out all other sessions")
                                             : "";
    return apr_pstrcat(pool, "<h1>Your sessions</h1><ul>", na_join(pool, items, ""), "</ul>",
                       others, session_button(pool, form, "all", "quiet", "Sign out everywhere"),
                       NULL);
}
