/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the frame of the built-in pages. */
#include "page/page.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"

/* Colors keep a contrast of at least 4.5 to 1 in both schemes. */
static const char style[] =
    ":root{--bg:#f4f5f7;--card:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--brand:#1d4ed8;"
    "--brand-ink:#fff;--bad:#a40e26;--bad-bg:#ffebe9;color-scheme:light}"
    ".dark{--bg:#0f1217;--card:#191e26;--ink:#eceff4;--soft:#a7b0bd;--line:#3a4352;"
    "--brand:#8ab4ff;--brand-ink:#0b1220;--bad:#ffb3ad;--bad-bg:#42181a;color-scheme:dark}"
    "*{box-sizing:border-box}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;"
    "background:var(--bg);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}"
    "main{width:100%;max-width:23rem;background:var(--card);border:1px solid var(--line);"
    "border-radius:.75rem;padding:1.75rem 1.5rem}"
    "h1{font-size:1.4rem;line-height:1.25;margin:0 0 1.25rem}"
    "h2{font-size:1.1rem;margin:1.5rem 0 .75rem}"
    "p{margin:0 0 1rem}.soft{color:var(--soft)}"
    "form{margin:0 0 .75rem}form:last-child{margin-bottom:0}"
    "label{display:block;font-weight:600;margin:0 0 .25rem}"
    "input{width:100%;font:inherit;padding:.6rem .7rem;margin:0 0 1rem;color:inherit;"
    "background:var(--bg);border:1px solid var(--soft);border-radius:.5rem}"
    "button,.button{display:block;width:100%;font:inherit;font-weight:600;text-align:center;"
    "padding:.7rem 1rem;border:1px solid transparent;border-radius:.5rem;cursor:pointer;"
    "background:var(--brand);color:var(--brand-ink);text-decoration:none}"
    "button:hover,.button:hover{filter:brightness(1.12)}"
    ".dark .provider{border-color:var(--line)}"
    "a{color:inherit}"
    ":focus-visible{outline:3px solid var(--brand);outline-offset:2px}"
    ".error{background:var(--bad-bg);color:var(--bad);border-radius:.5rem;padding:.75rem 1rem}"
    ".or{display:flex;align-items:center;gap:.75rem;color:var(--soft);margin:1.25rem 0}"
    ".or::before,.or::after{content:'';flex:1;border-top:1px solid var(--line)}"
    "ul{list-style:none;margin:0 0 1rem;padding:0}"
    "li{border-top:1px solid var(--line);padding:.75rem 0}li p{margin:0 0 .5rem}"
    ".here{font-weight:600}"
    ".reference{color:var(--soft);font-size:.85rem;margin:1.25rem 0 0}"
    ".quiet{background:transparent;color:var(--ink);border-color:var(--soft)}"
    ".logo{display:block;max-width:100%;max-height:4rem;margin:0 auto 1.25rem}";

/* The dark colors again, for browsers that prefer them if the scheme is "auto". */
static const char dark_by_preference[] =
    "@media(prefers-color-scheme:dark){.auto{--bg:#0f1217;--card:#191e26;--ink:#eceff4;"
    "--soft:#a7b0bd;--line:#3a4352;--brand:#8ab4ff;--brand-ink:#0b1220;--bad:#ffb3ad;"
    "--bad-bg:#42181a;color-scheme:dark}.auto .provider{border-color:var(--line)}}";

/* Colors need no escaping because the configuration accepts nothing else. */
static const char *provider_css(apr_pool_t *pool, const na_page_theme *theme,
                                const apr_array_header_t *providers)
{
    const char *css = "";
    if (theme->brand_color)
        css = apr_pstrcat(pool, "body{--brand:", theme->brand_color, "!important}", NULL);
    if (theme->button_text)
        css = apr_pstrcat(pool, css, "body{--brand-ink:", theme->button_text, "!important}", NULL);
    for (int i = 0; i < providers->nelts; i++) {
        const na_provider *p = APR_ARRAY_IDX(providers, i, const na_provider *);
        if (p->type == NA_OAUTH || p->type == NA_OIDC)
            css = apr_pstrcat(pool, css, "#signin-", p->id, "{background:", p->color,
                              ";color:#fff}", NULL);
    }
    return css;
}

const char *na_page(apr_pool_t *pool, const na_page_theme *theme,
                    const apr_array_header_t *providers, const char *style_nonce, const char *title,
                    const char *content, const char *reference)
{
    const char *shown = reference ? apr_pstrcat(pool, "<p class=\"reference\">Reference: <code>",
                                                na_html(pool, reference), "</code></p>", NULL)
                                  : "";
    const char *scheme = theme->color_scheme;
    const char *logo = theme->logo ? apr_pstrcat(pool, "<img class=\"logo\" alt=\"\" src=\"",
                                                 na_html(pool, theme->logo), "\">", NULL)
                                   : "";
    const char *banner = theme->banner ? apr_pstrcat(pool, "<p class=\"error\" role=\"alert\">",
                                                     na_html(pool, theme->banner), "</p>", NULL)
                                       : "";
    return apr_pstrcat(
        pool, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>",
        na_html(pool, title),
        "</title><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
        "<meta name=\"robots\" content=\"noindex\"><style nonce=\"",
        style_nonce, "\">", style, dark_by_preference, provider_css(pool, theme, providers),
        "</style></head><body class=\"__next-auth-theme-", scheme, " ", scheme, "\"><main>", banner,
        logo, content, shown, "</main></body></html>\n", NULL);
}
