/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the frame of the built-in pages. */
#include "page/page.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"
#include "page/template.h"

/* Colors keep a contrast of at least 4.5 to 1 in both schemes. */
static const char style[] =
    ":root{--bg:#f4f5f7;--card:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--brand:#1d4ed8;"
    "--brand-ink:#fff;--bad:#a40e26;--bad-bg:#ffebe9;--bad-ink:#fff;--good:#14532d;"
    "--good-bg:#e3f6e8;color-scheme:light}"
    ".dark{--bg:#0f1217;--card:#191e26;--ink:#eceff4;--soft:#a7b0bd;--line:#3a4352;"
    "--brand:#8ab4ff;--brand-ink:#0b1220;--bad:#ffb3ad;--bad-bg:#42181a;--bad-ink:#2b0a0c;"
    "--good:#a6e9b8;--good-bg:#14321f;color-scheme:dark}"
    "*{box-sizing:border-box}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;"
    "background:var(--bg);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}"
    "main{width:100%;max-width:25rem;min-width:0;background:var(--card);"
    "border:1px solid var(--line);border-radius:.75rem;padding:1.75rem 1.5rem;"
    "overflow-wrap:anywhere}"
    ".site{display:flex;align-items:center;justify-content:center;flex-wrap:wrap;gap:.5rem .75rem;"
    "margin:0 0 1.25rem;color:var(--soft);font-weight:600;text-align:center}"
    ".logo{display:block;max-width:100%;max-height:4rem}"
    "h1{font-size:1.4rem;line-height:1.25;margin:0 0 1.25rem}"
    "h1,h2,button,.button{hyphens:auto}"
    "h2{font-size:1.1rem;line-height:1.3;margin:0 0 .75rem}"
    "section{border-top:1px solid var(--line);margin:1.5rem 0 0;padding:1.5rem 0 0}"
    "p{margin:0 0 1rem}.soft{color:var(--soft)}"
    "form{margin:0 0 .75rem}form:last-child{margin-bottom:0}.provider+.provider,"
    ".button+.button{margin-top:.75rem}"
    "label{display:block;font-weight:600;margin:0 0 .25rem}"
    ".hint{color:var(--soft);font-size:.9rem;margin:0 0 .375rem}"
    ".field{margin:0 0 1rem}"
    "input,select,textarea{width:100%;font:inherit;padding:.6rem .7rem;color:inherit;"
    "background:var(--bg);border:1px solid var(--soft);border-radius:.5rem}"
    "[aria-invalid]{border:2px solid var(--bad)}"
    ".fault{color:var(--bad);font-weight:600;margin:.375rem 0 0}"
    ".check{display:flex;align-items:start;gap:.6rem;font-weight:400;margin:0 0 1rem}"
    ".check input{width:1.25rem;height:1.25rem;margin:.125rem 0 0;flex:none}"
    "button,.button{display:flex;align-items:center;justify-content:center;gap:.6rem;width:100%;"
    "min-height:2.75rem;font:inherit;font-weight:600;text-align:center;padding:.6rem 1rem;"
    "border:1px solid transparent;border-radius:.5rem;cursor:pointer;background:var(--brand);"
    "color:var(--brand-ink);text-decoration:none}"
    "button:hover,.button:hover{filter:brightness(1.12)}"
    ".mark{flex:none;width:1.6rem;height:1.6rem;border-radius:50%;background:#fff;"
    "line-height:1.6rem;text-transform:uppercase}"
    ".dark .provider{border-color:var(--line)}"
    ".quiet{background:transparent;color:var(--ink);border-color:var(--soft)}"
    ".danger{background:var(--bad);color:var(--bad-ink)}"
    "a{color:inherit}"
    ":focus-visible{outline:3px solid var(--brand);outline-offset:2px}"
    ".error,.done{border-radius:.5rem;padding:.75rem 1rem}"
    ".error{background:var(--bad-bg);color:var(--bad)}"
    ".done{background:var(--good-bg);color:var(--good)}"
    ".or{display:flex;align-items:center;gap:.75rem;color:var(--soft);margin:1.25rem 0}"
    ".or::before,.or::after{content:'';flex:1;border-top:1px solid var(--line)}"
    "ul{list-style:none;margin:0 0 1rem;padding:0}"
    ".rows li{border-top:1px solid var(--line);padding:.75rem 0}.rows p{margin:0 0 .5rem}"
    ".here{font-weight:600}"
    ".qr{display:block;width:12rem;max-width:100%;margin:0 auto 1rem}"
    ".copied{background:var(--bg);border:1px solid var(--line);border-radius:.5rem;"
    "padding:.6rem .7rem;user-select:all}"
    ".links{margin:1.25rem 0 0}.links ul{display:flex;flex-wrap:wrap;justify-content:center;"
    "gap:.25rem 1.25rem;margin:0}.links a{display:inline-block;padding:.25rem 0;"
    "color:var(--soft)}"
    ".heard{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);"
    "white-space:nowrap}"
    ".reference{color:var(--soft);font-size:.85rem;margin:1.25rem 0 0}";

/* The dark colors again, for browsers that prefer them if the scheme is "auto". */
static const char dark_by_preference[] =
    "@media(prefers-color-scheme:dark){.auto{--bg:#0f1217;--card:#191e26;--ink:#eceff4;"
    "--soft:#a7b0bd;--line:#3a4352;--brand:#8ab4ff;--brand-ink:#0b1220;--bad:#ffb3ad;"
    "--bad-bg:#42181a;--bad-ink:#2b0a0c;--good:#a6e9b8;--good-bg:#14321f;color-scheme:dark}"
    ".auto .provider{border-color:var(--line)}}";

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
                              ";color:#fff}#signin-", p->id, " .mark{color:", p->color, "}", NULL);
    }
    return css;
}

/* Returns the site's logo, and its name if there is no logo or the administrator wants both. */
static const char *site_header(apr_pool_t *pool, const na_page_theme *theme, const char *name)
{
    int is_written = !theme->logo || theme->site_name;
    const char *logo = theme->logo ? apr_pstrcat(pool, "<img class=\"logo\" alt=\"",
                                                 is_written ? "" : na_html(pool, name), "\" src=\"",
                                                 na_html(pool, theme->logo), "\">", NULL)
                                   : "";
    const char *written =
        is_written ? apr_pstrcat(pool, "<bdi>", na_html(pool, name), "</bdi>", NULL) : "";
    return apr_pstrcat(pool, "<header class=\"site\">", logo, written, "</header>", NULL);
}

static const char *reference_of(apr_pool_t *pool, const na_page_frame *frame)
{
    const char *code =
        apr_pstrcat(pool, "<code>", na_html(pool, frame->reference), "</code>", NULL);
    return frame->reference ? apr_pstrcat(pool, "<p class=\"reference\">",
                                          na_say_html(pool, frame->language, "Reference: {code}",
                                                      "code", code, NULL),
                                          "</p>", NULL)
                            : "";
}

/* Returns the content with what belongs to it in any template. */
static const char *whole_content(apr_pool_t *pool, const na_page_frame *frame)
{
    return apr_pstrcat(pool, na_kit_alert(pool, na_say(frame->language, frame->theme->banner)),
                       frame->template ? "" : site_header(pool, frame->theme, frame->site_name),
                       frame->content, reference_of(pool, frame), NULL);
}

static const char built_in[] =
    "<!doctype html>\n<html lang=\"{{lang}}\" dir=\"{{dir}}\"><head><meta charset=\"utf-8\">"
    "<title>{{title}}</title>"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
    "<meta name=\"robots\" content=\"noindex\"><style nonce=\"{{nonce}}\">{{style}}</style></head>"
    "<body class=\"__next-auth-theme-{{colorScheme}} {{colorScheme}}\"><main>{{content}}</main>"
    "</body></html>\n";

const char *na_page(apr_pool_t *pool, const na_page_frame *frame)
{
    const na_page_parts parts = {.frame = frame,
                                 .content = whole_content(pool, frame),
                                 .style =
                                     apr_pstrcat(pool, style, dark_by_preference,
                                                 provider_css(pool, frame->theme, frame->providers),
                                                 NULL)};
    return na_page_template_fill(pool, frame->template ? frame->template : built_in, &parts);
}
