/* SPDX-License-Identifier: Apache-2.0 */
/* Checks and fills templates of pages. */
#include "page/template.h"

#include <string.h>

#include <apr_strings.h>

#include "base/file.h"
#include "base/text.h"

static const char *title_of(apr_pool_t *pool, const na_page_parts *parts)
{
    return na_html(pool, parts->frame->title);
}

static const char *content_of(apr_pool_t *pool, const na_page_parts *parts)
{
    return parts->content;
}

static const char *style_of(apr_pool_t *pool, const na_page_parts *parts)
{
    return parts->style;
}

static const char *nonce_of(apr_pool_t *pool, const na_page_parts *parts)
{
    return parts->frame->style_nonce;
}

static const char *lang_of(apr_pool_t *pool, const na_page_parts *parts)
{
    return parts->frame->language->tag;
}

static const char *dir_of(apr_pool_t *pool, const na_page_parts *parts)
{
    return parts->frame->language->is_rtl ? "rtl" : "ltr";
}

static const char *site_name_of(apr_pool_t *pool, const na_page_parts *parts)
{
    return na_html(pool, parts->frame->site_name);
}

static const char *home_of(apr_pool_t *pool, const na_page_parts *parts)
{
    return na_html(pool, parts->frame->home);
}

static const char *scheme_of(apr_pool_t *pool, const na_page_parts *parts)
{
    return parts->frame->theme->color_scheme;
}

/* Values are HTML, for text and quoted attributes; {{style}} is CSS. */
static const struct placeholder {
    const char *name;
    const char *(*read)(apr_pool_t *pool, const na_page_parts *parts);
} placeholders[] = {
    {"{{title}}", title_of},        {"{{content}}", content_of}, {"{{style}}", style_of},
    {"{{nonce}}", nonce_of},        {"{{lang}}", lang_of},       {"{{dir}}", dir_of},
    {"{{siteName}}", site_name_of}, {"{{home}}", home_of},       {"{{colorScheme}}", scheme_of},
};

#define PLACEHOLDERS (sizeof placeholders / sizeof *placeholders)

static const struct placeholder *placeholder_at(const char *text)
{
    for (apr_size_t i = 0; i < PLACEHOLDERS; i++)
        if (strncmp(text, placeholders[i].name, strlen(placeholders[i].name)) == 0)
            return &placeholders[i];
    return NULL;
}

const char *na_page_template_fill(apr_pool_t *pool, const char *template,
                                  const na_page_parts *parts)
{
    apr_array_header_t *pieces = apr_array_make(pool, 32, sizeof(const char *));
    const char *braces;
    while ((braces = strstr(template, "{{"))) {
        const struct placeholder *found = placeholder_at(braces); /* checked: never NULL */
        APR_ARRAY_PUSH(pieces, const char *) =
            apr_pstrmemdup(pool, template, (apr_size_t)(braces - template));
        APR_ARRAY_PUSH(pieces, const char *) = found->read(pool, parts);
        template = braces + strlen(found->name);
    }
    APR_ARRAY_PUSH(pieces, const char *) = template;
    return apr_array_pstrcat(pool, pieces, '\0');
}

/* ── checking ──────────────────────────────────────────────────────────────────────────────── */

static na_error *check_placeholders(apr_pool_t *pool, const char *template)
{
    const char *names = "";
    for (apr_size_t i = 0; i < PLACEHOLDERS; i++)
        names = apr_pstrcat(pool, names, i ? ", " : "", placeholders[i].name, NULL);
    for (; (template = strstr(template, "{{")); template += 2)
        if (!placeholder_at(template))
            return na_error_new(pool, NA_ERR_CONFIGURATION,
                                "unknown placeholder '%s': expected one of %s",
                                na_one_line(pool, apr_pstrndup(pool, template, 20), 20), names);
    return NULL;
}

/* Browsers stop these without a word. */
static na_error *check_elements(apr_pool_t *pool, const char *template)
{
    static const char *const stopped[] = {"<script", "<base", "<iframe", "<object", " style="};
    for (apr_size_t i = 0; i < sizeof stopped / sizeof *stopped; i++)
        for (const char *at = template; (at = strchr(at, *stopped[i])); at++)
            if (strncasecmp(at, stopped[i], strlen(stopped[i])) == 0)
                return na_error_with_hint(
                    na_error_new(pool, NA_ERR_CONFIGURATION,
                                 "'%s' is stopped by the Content-Security-Policy of pages",
                                 stopped[i] + strspn(stopped[i], " <")),
                    "remove it; style with <style nonce=\"{{nonce}}\">");
    return NULL;
}

static na_error *check_template(apr_pool_t *pool, const char *template)
{
    static const char *const required[] = {"{{title}}", "{{content}}"};
    NA_TRY(check_placeholders(pool, template));
    for (int i = 0; i < 2; i++)
        if (!strstr(template, required[i]))
            return na_error_new(pool, NA_ERR_CONFIGURATION, "it has no %s", required[i]);
    return check_elements(pool, template);
}

na_error *na_page_template_read(apr_pool_t *pool, const char *path, const char **template)
{
    NA_TRY(na_file_read(pool, path, NA_PAGE_TEMPLATE_MAX, template));
    na_error *error = check_template(pool, *template);
    return error ? na_error_wrap(pool, error, NULL, "%s", path) : NULL;
}
