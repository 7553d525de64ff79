/* SPDX-License-Identifier: Apache-2.0 */
/* Builds what pages have of passkeys: the script, forms that it sends, and the list of passkeys. */
#include <apr_strings.h>

#include "base/crypto.h"
#include "base/text.h"
#include "page/page.h"

/* src/page/passkey.js, which the build converts to a string literal. */
static const char script[] =
#include "passkey_js.h"
    ;

const char *na_page_passkey_js(void)
{
    return script;
}

/* The version is that of the text, so that browsers can keep it forever. */
const char *na_page_passkey_script(apr_pool_t *pool, const na_page_form *form)
{
    const char *version = apr_pstrndup(pool, na_sha256_hex(pool, script, ""), 12);
    return apr_pstrcat(pool, "<script defer src=\"", na_html(pool, form->base_url),
                       "/passkey.js?v=", version, "\"></script><noscript><p class=\"soft\">",
                       na_html(pool, na_say(form->language, "Passkeys work only with JavaScript.")),
                       "</p></noscript>", NULL);
}

/* Without script, the form is not shown: it could not be sent. */
const char *na_page_passkey_form(apr_pool_t *pool, const na_page_form *form,
                                 const na_page_passkey_use *use, const char *html)
{
    const na_language *l = form->language;
    const char *base = na_html(pool, form->base_url);
    return apr_pstrcat(
        pool, "<form method=\"post\" hidden id=\"passkey-form\" action=\"", base, use->path,
        "\" data-passkey=\"", use->action, "\" data-options=\"", base, "/webauthn-options/",
        use->provider->id, "?action=", use->action, na_html(pool, use->query),
        "\" data-canceled=\"",
        na_html(pool, na_say(l, "No passkey was used. Try again if you want to use one.")),
        "\" data-known=\"",
        na_html(pool, na_say(l, "This device already has one of your passkeys.")),
        "\" data-failed=\"",
        na_html(pool,
                na_say(l, "The passkey could not be used. Try again, or sign in another way.")),
        "\">", na_kit_hidden(pool, "csrfToken", form->csrf_token),
        na_kit_hidden(pool, "callbackUrl", form->callback_url),
        na_kit_hidden(pool, "action", use->action), na_kit_hidden(pool, "data", ""),
        "<p class=\"error\" role=\"alert\" hidden></p>", html, "</form>", NULL);
}

const char *na_page_passkey_button(apr_pool_t *pool, const na_page_form *form,
                                   const na_page_passkey_use *use, const char *html)
{
    const char *button =
        na_kit_button_with_id(pool, NA_KIT_QUIET,
                              apr_pstrcat(pool, "signin-", use->provider->id, NULL),
                              na_say(form->language, "Sign in with a passkey"));
    return apr_pstrcat(pool,
                       na_page_passkey_form(pool, form, use, apr_pstrcat(pool, html, button, NULL)),
                       na_page_passkey_script(pool, form), NULL);
}

/* ── the list ──────────────────────────────────────────────────────────────────────────────── */

#define SHORT_NAME "maxlength=\"60\" autocomplete=\"off\" dir=\"auto\""

static const char *change_form(apr_pool_t *pool, const na_page_form *form,
                               const na_page_passkey *passkey, const char *change, const char *html)
{
    return na_kit_form(pool, form, "/passkeys",
                       apr_pstrcat(pool, na_kit_hidden(pool, "passkey", passkey->handle),
                                   na_kit_hidden(pool, "change", change), html, NULL));
}

static const char *time_text(apr_pool_t *pool, const na_language *l, apr_int64_t now,
                             apr_int64_t at)
{
    return at ? na_kit_ago(pool, l, (now - at) / 1000) : na_say(l, "unknown");
}

static const char *passkey_note(apr_pool_t *pool, const na_language *l,
                                const na_page_passkey *passkey, apr_int64_t now)
{
    const char *times =
        na_say_with(pool, l, "Added: {added} · Last used: {used}", "added",
                    time_text(pool, l, now, passkey->added), "used",
                    passkey->used || !passkey->added ? time_text(pool, l, now, passkey->used)
                                                     : na_say(l, "never"),
                    NULL);
    return apr_pstrcat(pool, times, " · ",
                       passkey->is_synced ? na_say(l, "Backed up to your other devices")
                                          : na_say(l, "Only on this device or key"),
                       NULL);
}

static const char *passkey_row(apr_pool_t *pool, const na_page_form *form,
                               const na_page_passkey *passkey, apr_int64_t now)
{
    const na_language *l = form->language;
    const char *name = passkey->name ? passkey->name : na_say(l, "Passkey");
    const na_kit_field field = {.label =
                                    na_say_with(pool, l, "New name of {name}", "name", name, NULL),
                                .name = "name",
                                .id = apr_pstrcat(pool, "name-",
                                                  apr_pstrndup(pool, passkey->handle, 12), NULL),
                                .attributes = SHORT_NAME " required",
                                .value = passkey->name};
    const char *rename =
        apr_pstrcat(pool, na_kit_field_of(pool, &field),
                    na_kit_button(pool, NA_KIT_QUIET, na_say(l, "Rename"), name), NULL);
    return na_kit_row(pool, name, passkey_note(pool, l, passkey, now),
                      apr_pstrcat(pool, change_form(pool, form, passkey, "rename", rename),
                                  change_form(pool, form, passkey, "remove",
                                              na_kit_button(pool, NA_KIT_DANGER,
                                                            na_say(l, "Remove"), name)),
                                  NULL));
}

static const char *add_form(apr_pool_t *pool, const na_page_form *form, const na_provider *provider)
{
    const na_language *l = form->language;
    const na_page_passkey_use use = {provider, apr_pstrcat(pool, "/callback/", provider->id, NULL),
                                     "register", NULL};
    const na_kit_field field = {.label = na_say(l, "Name"),
                                .name = "name",
                                .id = "passkey-name",
                                .attributes = SHORT_NAME,
                                .hint = na_say(l, "To tell it from others, such as Phone")};
    return na_page_passkey_form(pool, form, &use,
                                apr_pstrcat(pool, na_kit_field_of(pool, &field),
                                            na_kit_button_with_id(pool, NA_KIT_PRIMARY,
                                                                  "add-passkey",
                                                                  na_say(l, "Add a passkey")),
                                            NULL));
}

const char *na_page_passkeys(apr_pool_t *pool, const na_page_form *form,
                             const na_page_passkey_list *page)
{
    const na_language *l = form->language;
    apr_array_header_t *rows = apr_array_make(pool, 4, sizeof(const char *));
    for (int i = 0; i < page->passkeys->nelts; i++)
        APR_ARRAY_PUSH(rows, const char *) =
            passkey_row(pool, form, &APR_ARRAY_IDX(page->passkeys, i, na_page_passkey), page->now);
    const char *list = rows->nelts
                           ? na_kit_list(pool, na_join(pool, rows, ""))
                           : na_kit_text(pool, na_say(l, "You have no passkeys yet. With one, you "
                                                         "sign in by a fingerprint, a face, or a "
                                                         "PIN of your device."));
    return apr_pstrcat(pool, na_kit_heading(pool, na_say(l, "Your passkeys")),
                       na_kit_alert(pool, page->fault), na_kit_status(pool, page->said), list,
                       add_form(pool, form, page->provider), na_kit_account_link(pool, form),
                       na_page_passkey_script(pool, form), NULL);
}
