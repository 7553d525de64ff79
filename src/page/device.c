/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the pages on which a user decides about a device. */
#include <apr_strings.h>

#include "page/kit.h"
#include "page/page.h"

/* Codes have letters alone, so that a keyboard for text is right. */
#define CODE                                                                                       \
    "autocomplete=\"off\" autocapitalize=\"characters\" spellcheck=\"false\" dir=\"ltr\" "         \
    "maxlength=\"20\" required" NA_KIT_FOCUS

const char *na_page_device_ask(apr_pool_t *pool, const na_page_form *form, const char *error)
{
    const na_language *language = form->language;
    const na_kit_field field = {.label = na_say(language, "Code"),
                                .name = "user_code",
                                .attributes = CODE,
                                .hint = na_say(language, "The device shows it: eight letters."),
                                .error = error ? na_say(language, error) : NULL};
    return apr_pstrcat(pool, na_kit_heading(pool, na_say(language, "Sign in a device")),
                       na_kit_form(pool, form, "/device",
                                   apr_pstrcat(pool, na_kit_field_of(pool, &field),
                                               na_kit_button(pool, NA_KIT_PRIMARY,
                                                             na_say(language, "Continue"), NULL),
                                               NULL)),
                       NULL);
}

static const char *origin_of(apr_pool_t *pool, const na_language *language,
                             const na_page_device *device)
{
    const char *when = na_kit_ago(pool, language, device->asked);
    return apr_pstrcat(pool, device->client, " · ", *device->address ? device->address : "?", " · ",
                       when, NULL);
}

static const char *scope_of(apr_pool_t *pool, const na_language *language,
                            const na_page_device *device)
{
    return device->is_whole_site
               ? na_say(language, "It will be able to do everything as you where this site accepts "
                                  "access tokens.")
               : na_say_with(pool, language, "It will be able to use, as you: {scope}", "scope",
                             device->scope, NULL);
}

static const char *decision_form(apr_pool_t *pool, const na_page_form *form,
                                 const na_page_device *device, const char *decision,
                                 na_kit_style style, const char *label)
{
    return na_kit_form(pool, form, "/device",
                       apr_pstrcat(pool, na_kit_hidden(pool, "user_code", device->user_code),
                                   na_kit_hidden(pool, "decision", decision),
                                   na_kit_button(pool, style, label, NULL), NULL));
}

const char *na_page_device_confirm(apr_pool_t *pool, const na_page_form *form,
                                   const na_page_device *device)
{
    const na_language *language = form->language;
    const char *elsewhere =
        device->is_elsewhere
            ? na_kit_alert(pool, na_say(language, "The device is not at the address that you use "
                                                  "now. Allow it only if you know why."))
            : "";
    return apr_pstrcat(
        pool, na_kit_heading(pool, na_say(language, "Allow this device?")), elsewhere,
        na_kit_text(pool, na_say(language, "The device must show the same code:")),
        na_kit_copied(pool, device->user_code),
        na_kit_list(pool, na_kit_row(pool, device->name, origin_of(pool, language, device), "")),
        na_kit_text(pool, scope_of(pool, language, device)),
        na_kit_text(pool,
                    na_say(language, "Allow it only if you have just started it yourself. Anyone "
                                     "who sent you this code or link would act as you.")),
        decision_form(pool, form, device, "allow", NA_KIT_PRIMARY, na_say(language, "Allow")),
        decision_form(pool, form, device, "deny", NA_KIT_QUIET, na_say(language, "Deny")), NULL);
}

const char *na_page_device_decided(apr_pool_t *pool, const na_page_form *form, int allows)
{
    const na_language *language = form->language;
    return allows
               ? apr_pstrcat(pool,
                             na_kit_heading(pool, na_say(language, "The device is signed in")),
                             na_kit_text(pool,
                                         na_say(language, "Return to the device: it continues by "
                                                          "itself.")),
                             na_kit_links(pool, form,
                                          na_kit_link(pool, form, "/tokens",
                                                      na_say(language, "Your access tokens"))),
                             NULL)
               : apr_pstrcat(pool, na_kit_heading(pool, na_say(language, "The device is denied")),
                             na_kit_text(pool, na_say(language, "It got no access.")),
                             na_kit_account_link(pool, form), NULL);
}
