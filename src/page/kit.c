/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the parts that all pages are made of. */
#include "page/kit.h"

#include <apr_strings.h>

#include "base/text.h"

/* ── forms ─────────────────────────────────────────────────────────────────────────────────── */

const char *na_kit_hidden(apr_pool_t *pool, const char *name, const char *value)
{
    return apr_pstrcat(pool, "<input type=\"hidden\" name=\"", name, "\" value=\"",
                       na_html(pool, value), "\">", NULL);
}

const char *na_page_form_start(apr_pool_t *pool, const na_page_form *form, const char *path)
{
    return apr_pstrcat(pool, "<form method=\"post\" action=\"", na_html(pool, form->base_url), path,
                       "\">", na_kit_hidden(pool, "csrfToken", form->csrf_token),
                       na_kit_hidden(pool, "callbackUrl", form->callback_url), NULL);
}

const char *na_kit_form(apr_pool_t *pool, const na_page_form *form, const char *path,
                        const char *html)
{
    return apr_pstrcat(pool, na_page_form_start(pool, form, path), html, "</form>", NULL);
}

/* Returns a text that the field points to as its description. */
static const char *description(apr_pool_t *pool, const char *id, const char *class,
                               const char *role, const char *text)
{
    return text ? apr_pstrcat(pool, "<p class=\"", class, "\" id=\"", id, "-", class, "\"", role,
                              ">", na_html(pool, text), "</p>", NULL)
                : "";
}

/* Returns the attributes by which a screen reader says the hint and the error with the field. */
static const char *described_by(apr_pool_t *pool, const na_kit_field *field, const char *id)
{
    if (!field->hint && !field->error)
        return "";
    return apr_pstrcat(pool, field->error ? " aria-invalid=\"true\"" : "", " aria-describedby=\"",
                       field->error ? apr_pstrcat(pool, id, "-fault", NULL) : "",
                       field->error && field->hint ? " " : "",
                       field->hint ? apr_pstrcat(pool, id, "-hint", NULL) : "", "\"", NULL);
}

const char *na_kit_field_of(apr_pool_t *pool, const na_kit_field *field)
{
    const char *id = field->id ? field->id : field->name;
    return apr_pstrcat(pool, "<div class=\"field\"><label for=\"", id, "\">",
                       na_html(pool, field->label), "</label>",
                       description(pool, id, "hint", "", field->hint), "<input id=\"", id,
                       "\" name=\"", field->name, "\" ", field->attributes ? field->attributes : "",
                       described_by(pool, field, id), " value=\"", na_html(pool, field->value),
                       "\">", description(pool, id, "fault", " role=\"alert\"", field->error),
                       "</div>", NULL);
}

const char *na_kit_checkbox(apr_pool_t *pool, const char *name, const char *label, int is_checked)
{
    return apr_pstrcat(pool, "<label class=\"check\"><input type=\"checkbox\" id=\"", name,
                       "\" name=\"", name, "\" value=\"on\"", is_checked ? " checked" : "", "> ",
                       na_html(pool, label), "</label>", NULL);
}

/* A box that is not checked is not sent, so a hidden field says that it was there. */
const char *na_kit_remember_me(apr_pool_t *pool, const na_page_form *form, const char *id)
{
    if (form->remember == NA_UNSAID)
        return "";
    return apr_pstrcat(pool, na_kit_hidden(pool, "rememberMe", "off"),
                       "<label class=\"check\"><input type=\"checkbox\" id=\"", id,
                       "\" name=\"rememberMe\" value=\"on\"",
                       form->remember == NA_YES ? " checked" : "", "> ",
                       na_html(pool, na_say(form->language, "Stay signed in")), "</label>", NULL);
}

/* ── buttons and links ─────────────────────────────────────────────────────────────────────── */

static const char *class_of(na_kit_style style)
{
    static const char *const classes[] = {
        [NA_KIT_PRIMARY] = "primary", [NA_KIT_QUIET] = "quiet", [NA_KIT_DANGER] = "danger"};
    return classes[style];
}

const char *na_kit_button(apr_pool_t *pool, na_kit_style style, const char *text, const char *about)
{
    const char *heard =
        about ? apr_pstrcat(pool, "<span class=\"heard\">: ", na_html(pool, about), "</span>", NULL)
              : "";
    return apr_pstrcat(pool, "<button class=\"", class_of(style), "\">", na_html(pool, text), heard,
                       "</button>", NULL);
}

const char *na_kit_button_with_id(apr_pool_t *pool, na_kit_style style, const char *id,
                                  const char *text)
{
    return apr_pstrcat(pool, "<button class=\"", class_of(style), "\" id=\"", id, "\">",
                       na_html(pool, text), "</button>", NULL);
}

const char *na_kit_link_button(apr_pool_t *pool, na_kit_style style, const char *url,
                               const char *text)
{
    return apr_pstrcat(pool, "<a class=\"button ", class_of(style), "\" href=\"",
                       na_html(pool, url), "\">", na_html(pool, text), "</a>", NULL);
}

const char *na_kit_link_button_new_tab(apr_pool_t *pool, const char *url, const char *text)
{
    return apr_pstrcat(pool, "<a class=\"button ", class_of(NA_KIT_PRIMARY),
                       "\" target=\"_blank\" rel=\"noopener\" href=\"", na_html(pool, url), "\">",
                       na_html(pool, text), "</a>", NULL);
}

const char *na_kit_link(apr_pool_t *pool, const na_page_form *form, const char *path,
                        const char *text)
{
    return apr_pstrcat(pool, "<li><a href=\"", na_html(pool, form->base_url), path, "\">",
                       na_html(pool, text), "</a></li>", NULL);
}

const char *na_kit_links(apr_pool_t *pool, const na_page_form *form, const char *links)
{
    return *links ? apr_pstrcat(pool, "<nav class=\"links\" aria-label=\"",
                                na_html(pool, na_say(form->language, "More")), "\"><ul>", links,
                                "</ul></nav>", NULL)
                  : "";
}

const char *na_kit_account_link(apr_pool_t *pool, const na_page_form *form)
{
    return form->has_account_page
               ? na_kit_links(pool, form,
                              na_kit_link(pool, form, "/account",
                                          na_say(form->language, "Your account")))
               : "";
}

/* ── texts ─────────────────────────────────────────────────────────────────────────────────── */

static const char *element(apr_pool_t *pool, const char *start, const char *text, const char *end)
{
    return text ? apr_pstrcat(pool, start, na_html(pool, text), end, NULL) : "";
}

const char *na_kit_alert(apr_pool_t *pool, const char *text)
{
    return element(pool, "<p class=\"error\" role=\"alert\">", text, "</p>");
}

const char *na_kit_status(apr_pool_t *pool, const char *text)
{
    return element(pool, "<p class=\"done\" role=\"status\">", text, "</p>");
}

const char *na_kit_heading(apr_pool_t *pool, const char *text)
{
    return element(pool, "<h1>", text, "</h1>");
}

const char *na_kit_text(apr_pool_t *pool, const char *text)
{
    return element(pool, "<p>", text, "</p>");
}

const char *na_kit_note(apr_pool_t *pool, const char *text)
{
    return element(pool, "<p class=\"soft\">", text, "</p>");
}

const char *na_kit_copied(apr_pool_t *pool, const char *text)
{
    return element(pool, "<p class=\"copied\" dir=\"ltr\"><code>", text, "</code></p>");
}

/* ── groups ────────────────────────────────────────────────────────────────────────────────── */

const char *na_kit_section(apr_pool_t *pool, const char *heading, const char *html)
{
    return apr_pstrcat(pool, "<section>", element(pool, "<h2>", heading, "</h2>"), html,
                       "</section>", NULL);
}

const char *na_kit_row(apr_pool_t *pool, const char *name, const char *note, const char *html)
{
    return apr_pstrcat(pool, "<li>",
                       element(pool, "<p><strong dir=\"auto\">", name, "</strong></p>"),
                       na_kit_note(pool, note), html, "</li>", NULL);
}

const char *na_kit_list(apr_pool_t *pool, const char *rows)
{
    return *rows ? apr_pstrcat(pool, "<ul class=\"rows\">", rows, "</ul>", NULL) : "";
}

/* ── times ─────────────────────────────────────────────────────────────────────────────────── */

static const char *units_ago(apr_pool_t *pool, const na_language *language, const char *text,
                             apr_int64_t number)
{
    return na_say_with(pool, language, text, "number",
                       apr_psprintf(pool, "%" APR_INT64_T_FMT, number), NULL);
}

/* The numbers begin with 2, which spares the translators the singular. */
const char *na_kit_ago(apr_pool_t *pool, const na_language *language, apr_int64_t seconds)
{
    if (seconds < 120)
        return na_say(language, "just now");
    if (seconds < 2 * 3600)
        return units_ago(pool, language, NA_TEXT("{number} minutes ago"), seconds / 60);
    if (seconds < 48 * 3600)
        return units_ago(pool, language, NA_TEXT("{number} hours ago"), seconds / 3600);
    return units_ago(pool, language, NA_TEXT("{number} days ago"), seconds / (24 * 3600));
}
