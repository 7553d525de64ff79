/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the page on which users make and revoke personal access tokens. */
#include <apr_strings.h>

#include "base/text.h"
#include "page/page.h"

static const char *new_token(apr_pool_t *pool, const na_language *l, const char *token)
{
    if (!token)
        return "";
    return apr_pstrcat(pool,
                       na_kit_status(pool, na_say(l, "Your token is ready. Copy it now: it is not "
                                                     "shown again.")),
                       na_kit_copied(pool, token), NULL);
}

static const char *token_note(apr_pool_t *pool, const na_language *l, const na_page_token *token)
{
    const char *days = apr_psprintf(pool, "%ld", token->days_left);
    const char *end = token->days_left > 1
                          ? na_say_with(pool, l, "Expires in {number} days", "number", days, NULL)
                          : na_say(l, "Expires within two days");
    const char *use = token->used < 0 ? na_say(l, "Never used")
                                      : na_say_with(pool, l, "Last used: {used}", "used",
                                                    na_kit_ago(pool, l, token->used), NULL);
    return apr_pstrcat(pool, token->scope, " · ", end, " · ", use, NULL);
}

static const char *token_item(apr_pool_t *pool, const na_page_form *form,
                              const na_page_token *token)
{
    const na_language *l = form->language;
    const char *html =
        apr_pstrcat(pool, na_kit_hidden(pool, "change", "revoke"),
                    na_kit_hidden(pool, "token", token->handle),
                    na_kit_button(pool, NA_KIT_DANGER, na_say(l, "Revoke"), token->name), NULL);
    return na_kit_row(pool, token->name, token_note(pool, l, token),
                      na_kit_form(pool, form, "/tokens", html));
}

static const char *token_form(apr_pool_t *pool, const na_page_form *form,
                              const na_page_tokens *page)
{
    const na_language *l = form->language;
    const na_kit_field name = {.label = na_say(l, "Name"),
                               .name = "name",
                               .attributes = "maxlength=\"100\" autocomplete=\"off\" required",
                               .value = page->name,
                               .hint = na_say(l, "The program that will use it."),
                               .error = page->name_fault};
    const na_kit_field scope = {
        .label = na_say(l, "Paths"),
        .name = "scope",
        .attributes = "maxlength=\"2048\" autocomplete=\"off\" autocapitalize=\"none\" "
                      "spellcheck=\"false\" dir=\"ltr\" required",
        .value = page->scope,
        .hint = na_say(l, "The paths of this site that the token opens, separated by semicolons. "
                          "Methods before a path allow only those: GET,PROPFIND /files; /project"),
        .error = page->scope_fault};
    const na_kit_field days = {.label = na_say(l, "Days until it expires"),
                               .name = "days",
                               .attributes =
                                   "type=\"number\" min=\"1\" max=\"365\" dir=\"ltr\" required",
                               .value = page->days,
                               .error = page->days_fault};
    return na_kit_form(
        pool, form, "/tokens",
        apr_pstrcat(pool, na_kit_hidden(pool, "change", "create"), na_kit_field_of(pool, &name),
                    na_kit_field_of(pool, &scope), na_kit_field_of(pool, &days),
                    na_kit_button(pool, NA_KIT_PRIMARY, na_say(l, "Make a token"), NULL), NULL));
}

const char *na_page_access_tokens(apr_pool_t *pool, const na_page_form *form,
                                  const na_page_tokens *page)
{
    const na_language *l = form->language;
    apr_array_header_t *items = apr_array_make(pool, 8, sizeof(const char *));
    for (int i = 0; i < page->tokens->nelts; i++)
        APR_ARRAY_PUSH(items, const char *) =
            token_item(pool, form, &APR_ARRAY_IDX(page->tokens, i, na_page_token));
    return apr_pstrcat(
        pool, na_kit_heading(pool, na_say(l, "Your access tokens")),
        na_kit_alert(pool, page->fault), new_token(pool, l, page->token),
        na_kit_text(pool, na_say(l, "An access token is a password for a program without a "
                                    "browser. It acts for you.")),
        na_kit_list(pool, na_join(pool, items, "")),
        na_kit_section(pool, na_say(l, "New token"), token_form(pool, form, page)),
        na_kit_account_link(pool, form), NULL);
}
