/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the account page. */
#include <apr_strings.h>

#include "base/text.h"
#include "page/page.h"

/* The page that is being built. */
typedef struct view {
    apr_pool_t *pool;
    const na_page_form *form;
    const na_language *l;
    const na_page_account_of *account;
} view;

static const char *field(const view *v, const char *label, const char *name, const char *id,
                         const char *attributes, const char *value)
{
    const na_kit_field field = {
        .label = label, .name = name, .id = id, .attributes = attributes, .value = value};
    return na_kit_field_of(v->pool, &field);
}

/* `about` as in na_kit_button. */
static const char *change_form(const view *v, const char *change, const char *fields,
                               na_kit_style style, const char *button, const char *about)
{
    return na_kit_form(v->pool, v->form, "/account",
                       apr_pstrcat(v->pool, na_kit_hidden(v->pool, "change", change), fields,
                                   na_kit_button(v->pool, style, button, about), NULL));
}

/* A user without a password signs in again instead, if the sign-in is not fresh. */
static const char *current_password(const view *v, const char *id)
{
    return v->account->has_password ? field(v, na_say(v->l, "Current password"), "currentPassword",
                                            id, NA_KIT_PASSWORD, "")
                                    : "";
}

static const char *name_form(const view *v)
{
    return change_form(v, "name",
                       field(v, na_say(v->l, "Name"), "name", "name",
                             "autocomplete=\"name\" dir=\"auto\" required", v->account->name),
                       NA_KIT_QUIET, na_say(v->l, "Change name"), NULL);
}

static const char *password_section(const view *v)
{
    const na_page_account_of *account = v->account;
    if (!account->has_password && !account->can_set_password)
        return "";
    const char *fields = apr_pstrcat(v->pool, current_password(v, "current-1"),
                                     field(v, na_say(v->l, "New password"), "password", "password",
                                           NA_KIT_NEW_PASSWORD, ""),
                                     NULL);
    return na_kit_section(v->pool, na_say(v->l, "Password"),
                          change_form(v, "password", fields, NA_KIT_QUIET,
                                      account->has_password ? na_say(v->l, "Change password")
                                                            : na_say(v->l, "Set a password"),
                                      NULL));
}

static const char *email_section(const view *v)
{
    if (!v->account->can_change_email)
        return "";
    const char *fields =
        apr_pstrcat(v->pool,
                    field(v, na_say(v->l, "New email address"), "email", "email", NA_KIT_EMAIL, ""),
                    current_password(v, "current-2"), NULL);
    return na_kit_section(v->pool, na_say(v->l, "Email address"),
                          change_form(v, "email", fields, NA_KIT_QUIET,
                                      na_say(v->l, "Change email address"), NULL));
}

/* ── ways to sign in ───────────────────────────────────────────────────────────────────────── */

static const char *linked_row(const view *v, const na_page_linked *linked)
{
    const char *fields = apr_pstrcat(v->pool, na_kit_hidden(v->pool, "provider", linked->provider),
                                     na_kit_hidden(v->pool, "account", linked->account), NULL);
    const char *form =
        linked->can_unlink
            ? change_form(v, "unlink", fields, NA_KIT_QUIET, na_say(v->l, "Unlink"), linked->name)
            : na_kit_note(v->pool, na_say(v->l, "This is the only way for you to sign in."));
    return na_kit_row(v->pool, linked->name, linked->account, form);
}

static const char *link_form(const view *v, const na_provider *provider)
{
    return change_form(v, "link", na_kit_hidden(v->pool, "provider", provider->id), NA_KIT_QUIET,
                       na_say_with(v->pool, v->l, "Link {name}", "name", provider->name, NULL),
                       NULL);
}

static const char *accounts_section(const view *v)
{
    const apr_array_header_t *linked = v->account->linked, *linkable = v->account->linkable;
    apr_array_header_t *rows = apr_array_make(v->pool, 4, sizeof(const char *));
    apr_array_header_t *forms = apr_array_make(v->pool, 4, sizeof(const char *));
    for (int i = 0; i < linked->nelts; i++)
        APR_ARRAY_PUSH(rows, const char *) =
            linked_row(v, &APR_ARRAY_IDX(linked, i, const na_page_linked));
    for (int i = 0; i < linkable->nelts; i++)
        APR_ARRAY_PUSH(forms, const char *) =
            link_form(v, APR_ARRAY_IDX(linkable, i, const na_provider *));
    if (!rows->nelts && !forms->nelts)
        return "";
    return na_kit_section(v->pool, na_say(v->l, "Linked accounts"),
                          apr_pstrcat(v->pool,
                                      na_kit_list(v->pool, apr_array_pstrcat(v->pool, rows, '\0')),
                                      apr_array_pstrcat(v->pool, forms, '\0'), NULL));
}

/* ── everything else ───────────────────────────────────────────────────────────────────────── */

static const char *links_of(const view *v)
{
    const na_page_account_of *account = v->account;
    const struct {
        int is_offered;
        const char *path, *text;
    } links[] = {
        {account->has_sessions, "/sessions", na_say(v->l, "Your sessions")},
        {account->has_second_factor, "/two-factor-setup", na_say(v->l, "Two-factor sign-in")},
        {account->has_passkeys, "/passkeys", na_say(v->l, "Passkeys")},
        {account->has_tokens, "/tokens", na_say(v->l, "Access tokens")},
        {1, "/account-data", na_say(v->l, "Download your data")},
        {1, "/signout", na_say(v->l, "Sign out")},
    };
    const char *html = "";
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (links[i].is_offered)
            html = apr_pstrcat(v->pool, html,
                               na_kit_link(v->pool, v->form, links[i].path, links[i].text), NULL);
    return na_kit_links(v->pool, v->form, html);
}

const char *na_page_deletion_word(const char *email)
{
    return email ? email : "delete";
}

static const char *deletion_section(const view *v)
{
    if (!v->account->can_delete)
        return "";
    const char *word = na_page_deletion_word(v->account->email);
    const na_kit_field confirm = {
        .label = na_say_with(v->pool, v->l, "To confirm, type {word}", "word", word, NULL),
        .name = "confirm",
        .attributes = "autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\" "
                      "dir=\"ltr\" required"};
    const char *warning =
        na_kit_text(v->pool,
                    na_say(v->l, "This permanently deletes your account and cannot be undone."));
    const char *fields = apr_pstrcat(v->pool, na_kit_field_of(v->pool, &confirm),
                                     current_password(v, "current-3"), NULL);
    return na_kit_section(v->pool, na_say(v->l, "Delete account"),
                          apr_pstrcat(v->pool, warning,
                                      change_form(v, "delete", fields, NA_KIT_DANGER,
                                                  na_say(v->l, "Delete account"), NULL),
                                      NULL));
}

const char *na_page_account(apr_pool_t *pool, const na_page_form *form,
                            const na_page_account_of *account)
{
    const view v = {pool, form, form->language, account};
    return apr_pstrcat(pool, na_kit_heading(pool, na_say(v.l, "Your account")),
                       na_kit_note(pool, account->email),
                       account->is_error ? na_kit_alert(pool, account->said)
                                         : na_kit_status(pool, account->said),
                       name_form(&v), password_section(&v), email_section(&v), accounts_section(&v),
                       deletion_section(&v), links_of(&v), NULL);
}
