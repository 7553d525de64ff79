/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the pages of the second factor: giving it, setting it up, and looking after it. */
#include <string.h>

#include <apr_strings.h>

#include "base/text.h"
#include "base/url.h"
#include "page/page.h"

#define SETUP "/two-factor-setup"

static const char *change_form(apr_pool_t *pool, const na_page_form *form, const char *change,
                               const char *html)
{
    return na_kit_form(pool, form, SETUP,
                       apr_pstrcat(pool, na_kit_hidden(pool, "change", change), html, NULL));
}

static const char *change_button(apr_pool_t *pool, const na_page_form *form, const char *change,
                                 na_kit_style style, const char *text)
{
    return change_form(pool, form, change, na_kit_button(pool, style, text, NULL));
}

/* ── giving it ─────────────────────────────────────────────────────────────────────────────── */

/* A recovery code has letters, so that the field is not for digits alone. */
#define CODE_OR_RECOVERY                                                                           \
    "autocomplete=\"one-time-code\" autocapitalize=\"characters\" spellcheck=\"false\" "           \
    "dir=\"ltr\" required" NA_KIT_FOCUS

static const char *remember_box(apr_pool_t *pool, const na_language *l, int days)
{
    const char *label = na_say_with(pool, l, "Do not ask again in this browser for {days} days",
                                    "days", apr_itoa(pool, days), NULL);
    return days ? na_kit_checkbox(pool, "remember", label, 0) : "";
}

static const char *code_form(apr_pool_t *pool, const na_page_form *form,
                             const na_page_challenge *page)
{
    const na_language *l = form->language;
    const na_kit_field code = {.label = na_say(l, "Code"),
                               .name = "code",
                               .attributes = CODE_OR_RECOVERY,
                               .hint = na_say(l, "The code of your authenticator app, or a "
                                                 "recovery code"),
                               .error = page->error};
    return na_kit_form(pool, form, "/two-factor",
                       apr_pstrcat(pool, na_kit_field_of(pool, &code),
                                   remember_box(pool, l, page->remember_days),
                                   na_kit_button(pool, NA_KIT_PRIMARY, na_say(l, "Continue"), NULL),
                                   NULL));
}

static const char *passkey_form(apr_pool_t *pool, const na_page_form *form,
                                const na_page_challenge *page)
{
    if (!page->passkeys)
        return "";
    const na_page_passkey_use use = {page->passkeys, "/two-factor", "authenticate",
                                     "&pending=true"};
    return na_page_passkey_button(pool, form, &use,
                                  page->has_code ? na_page_or(pool, form->language) : "");
}

/*
 * The first factor was the user's only second one: a passkey that did not verify its user. To set
 * up another one would take no more than that passkey.
 */
static const char *nothing_left(apr_pool_t *pool, const na_page_form *form)
{
    const na_language *l = form->language;
    return apr_pstrcat(
        pool,
        na_kit_text(pool, na_say(l, "You signed in with a passkey that did not ask for a PIN, a "
                                    "fingerprint, or your face. This site requires more than "
                                    "that.")),
        na_kit_text(pool, na_say(l, "Sign in another way first, and then use the passkey here. Or "
                                    "set a PIN for the passkey, and sign in with it again.")),
        na_kit_link_button(pool, NA_KIT_PRIMARY,
                           na_url_add(pool, apr_pstrcat(pool, form->base_url, "/signin", NULL),
                                      "callbackUrl", form->callback_url),
                           na_say(l, "Sign in again")),
        NULL);
}

const char *na_page_two_factor(apr_pool_t *pool, const na_page_form *form,
                               const na_page_challenge *page)
{
    const na_language *l = form->language;
    if (!page->has_code && !page->passkeys)
        return apr_pstrcat(pool, na_kit_heading(pool, na_say(l, "Confirm that it is you")),
                           na_kit_note(pool, page->user), nothing_left(pool, form), NULL);
    return apr_pstrcat(pool, na_kit_heading(pool, na_say(l, "Confirm that it is you")),
                       na_kit_note(pool, page->user), na_kit_alert(pool, page->alert),
                       page->has_code ? code_form(pool, form, page) : "",
                       passkey_form(pool, form, page),
                       na_kit_links(pool, form,
                                    na_kit_link(pool, form, "/signin",
                                                na_say(l, "Use another account"))),
                       NULL);
}

/* ── setting it up ─────────────────────────────────────────────────────────────────────────── */

/* Returns the key in groups of four, which are easier to type. */
static const char *grouped(apr_pool_t *pool, const char *key)
{
    const char *text = "";
    for (; *key; key += strnlen(key, 4))
        text = apr_pstrcat(pool, text, *text ? " " : "", apr_pstrndup(pool, key, 4), NULL);
    return text;
}

static const char *confirm_form(apr_pool_t *pool, const na_page_form *form,
                                const na_page_factor_setup *page)
{
    const na_language *l = form->language;
    const na_kit_field code = {.label = na_say(l, "Code"),
                               .name = "code",
                               .attributes = NA_KIT_CODE NA_KIT_FOCUS,
                               .hint = na_say(l, "The six digits that the app shows"),
                               .error = page->error};
    return change_form(pool, form, "enable",
                       apr_pstrcat(pool, na_kit_hidden(pool, "setup", page->sealed),
                                   na_kit_field_of(pool, &code),
                                   na_kit_button(pool, NA_KIT_PRIMARY, na_say(l, "Turn on"), NULL),
                                   NULL));
}

const char *na_page_two_factor_setup(apr_pool_t *pool, const na_page_form *form,
                                     const na_page_factor_setup *page)
{
    const na_language *l = form->language;
    const char *why =
        page->is_required
            ? na_kit_text(pool, na_say(l, "This site requires two-factor sign-in. Set it up to "
                                          "continue."))
            : "";
    return apr_pstrcat(
        pool, na_kit_heading(pool, na_say(l, "Set up two-factor sign-in")), why,
        na_kit_text(pool,
                    na_say(l, "Scan the QR code with an authenticator app, or type the key.")),
        page->qr ? page->qr : "", na_kit_copied(pool, grouped(pool, page->key)),
        confirm_form(pool, form, page), page->is_required ? "" : na_kit_account_link(pool, form),
        NULL);
}

const char *na_page_recovery_codes(apr_pool_t *pool, const na_page_form *form,
                                   const apr_array_header_t *codes)
{
    const na_language *l = form->language;
    const char *all = "";
    for (int i = 0; i < codes->nelts; i++)
        all = apr_pstrcat(pool, all, na_kit_copied(pool, APR_ARRAY_IDX(codes, i, const char *)),
                          NULL);
    return apr_pstrcat(
        pool, na_kit_heading(pool, na_say(l, "Your recovery codes")),
        na_kit_text(pool, na_say(l, "Keep these codes in a safe place. Each of them signs you in "
                                    "once if you do not have your device. They are not shown "
                                    "again.")),
        all,
        na_kit_link_button(pool, NA_KIT_PRIMARY, form->callback_url,
                           na_say(l, "I have saved the codes")),
        NULL);
}

/* ── looking after it ──────────────────────────────────────────────────────────────────────── */

static const char *browser_row(apr_pool_t *pool, const na_page_form *form,
                               const na_page_browser *browser)
{
    const na_language *l = form->language;
    const char *device = browser->device ? browser->device : na_say(l, "Unknown device");
    const char *used =
        na_say_with(pool, l, "Last used: {used}", "used", na_kit_ago(pool, l, browser->used), NULL);
    const char *button = na_kit_button(pool, NA_KIT_QUIET, na_say(l, "Forget"), device);
    return na_kit_row(pool, device, used,
                      change_form(pool, form, "forget",
                                  apr_pstrcat(pool, na_kit_hidden(pool, "browser", browser->id),
                                              button, NULL)));
}

static const char *browser_section(apr_pool_t *pool, const na_page_form *form,
                                   const apr_array_header_t *browsers)
{
    const na_language *l = form->language;
    const char *rows = "";
    if (!browsers->nelts)
        return "";
    for (int i = 0; i < browsers->nelts; i++)
        rows = apr_pstrcat(pool, rows,
                           browser_row(pool, form, &APR_ARRAY_IDX(browsers, i, na_page_browser)),
                           NULL);
    return na_kit_section(pool, na_say(l, "Browsers that are not asked for a code"),
                          apr_pstrcat(pool, na_kit_list(pool, rows),
                                      change_button(pool, form, "forget", NA_KIT_QUIET,
                                                    na_say(l, "Forget all browsers")),
                                      NULL));
}

static const char *codes_section(apr_pool_t *pool, const na_page_form *form, int left)
{
    const na_language *l = form->language;
    const char *text =
        na_say_with(pool, l, "Codes left: {number}", "number", apr_itoa(pool, left), NULL);
    return na_kit_section(pool, na_say(l, "Recovery codes"),
                          apr_pstrcat(pool, na_kit_text(pool, text),
                                      change_button(pool, form, "codes", NA_KIT_QUIET,
                                                    na_say(l, "Create new recovery codes")),
                                      NULL));
}

static const char *off_section(apr_pool_t *pool, const na_page_form *form)
{
    const na_language *l = form->language;
    return na_kit_section(
        pool, na_say(l, "Turn off two-factor sign-in"),
        apr_pstrcat(pool, na_kit_text(pool, na_say(l, "You then sign in without a code.")),
                    change_button(pool, form, "disable", NA_KIT_DANGER, na_say(l, "Turn off")),
                    NULL));
}

const char *na_page_two_factor_state(apr_pool_t *pool, const na_page_form *form,
                                     const na_page_factor_state *page)
{
    const na_language *l = form->language;
    const char *replace = apr_pstrcat(pool, form->base_url, SETUP "?replace=true", NULL);
    return apr_pstrcat(pool, na_kit_heading(pool, na_say(l, "Two-factor sign-in")),
                       na_kit_status(pool, page->said),
                       na_kit_text(pool, na_say(l, "Your authenticator app is set up.")),
                       na_kit_link_button(pool, NA_KIT_QUIET, replace,
                                          na_say(l, "Use another app or device")),
                       codes_section(pool, form, page->recovery_codes),
                       browser_section(pool, form, page->browsers),
                       page->may_disable ? off_section(pool, form) : "",
                       na_kit_account_link(pool, form), NULL);
}
