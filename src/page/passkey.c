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
        use->provider->id, "\" data-canceled=\"",
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
                                   const na_provider *provider, const char *path, const char *html)
{
    const na_page_passkey_use use = {provider, path, "authenticate"};
    const char *button =
        na_kit_button_with_id(pool, NA_KIT_QUIET, apr_pstrcat(pool, "signin-", provider->id, NULL),
                              na_say(form->language, "Sign in with a passkey"));
    return apr_pstrcat(pool,
                       na_page_passkey_form(pool, form, &use,
                                            apr_pstrcat(pool, html, button, NULL)),
                       na_page_passkey_script(pool, form), NULL);
}
