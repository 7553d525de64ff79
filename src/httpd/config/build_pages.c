/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthPages, NextAuthTheme, NextAuthPageTemplate, and NextAuthLanguage. */
#include <stddef.h>
#include <string.h>

#include <apr_strings.h>

#include "base/url.h"
#include "endpoint/dispatch.h"
#include "httpd/config/build.h"
#include "httpd/config/settings.h"
#include "page/template.h"

#define SITE_NAME_MAX 100

static na_error *as_page(na_builder *b, const char *value, void *member)
{
    na_url url;
    int path = *value == '/' && value[1] != '/' && !strchr(value, '\\') && !na_has_control(value);
    if (!path && !na_url_parse(b->pool, value, &url))
        return na_wrong(b, "invalid %s='%s': expected a path or a URL", b->key, value);
    *(const char **)member = value;
    return NULL;
}

static na_error *as_color(na_builder *b, const char *value, void *member)
{
    size_t len = strlen(value);
    if (*value != '#' || (len != 4 && len != 7) ||
        strspn(value + 1, "0123456789abcdefABCDEF") != len - 1)
        return na_wrong(b, "invalid %s='%s': expected #rgb or #rrggbb", b->key, value);
    *(const char **)member = value;
    return NULL;
}

static na_error *as_scheme(na_builder *b, const char *value, void *member)
{
    if (strcmp(value, "auto") != 0 && strcmp(value, "light") != 0 && strcmp(value, "dark") != 0)
        return na_wrong(b, "invalid colorScheme='%s': expected auto, light, or dark", value);
    *(const char **)member = value;
    return NULL;
}

/* The name is shown on one line of each page. */
static na_error *as_site_name(na_builder *b, const char *value, void *member)
{
    if (!*value || strlen(value) > SITE_NAME_MAX || na_has_control(value) || !na_is_utf8(value))
        return na_wrong(b, "invalid siteName='%s': expected one line of at most %d bytes",
                        na_one_line(b->pool, value, SITE_NAME_MAX), SITE_NAME_MAX);
    *(const char **)member = value;
    return NULL;
}

na_error *na_build_pages(na_builder *b, const na_directive *w)
{
    static const na_setting settings[] = {{"signIn", offsetof(na_pages, sign_in), as_page},
                                          {"signOut", offsetof(na_pages, sign_out), as_page},
                                          {"error", offsetof(na_pages, error), as_page},
                                          {"verifyRequest", offsetof(na_pages, verify_request),
                                           as_page},
                                          {NULL, 0, NULL}};
    return na_build_settings(b, w, 0, settings, &b->config->pages);
}

na_error *na_build_theme(na_builder *b, const na_directive *w)
{
    static const na_setting settings[] = {
        {"colorScheme", offsetof(na_page_theme, color_scheme), as_scheme},
        {"brandColor", offsetof(na_page_theme, brand_color), as_color},
        {"buttonText", offsetof(na_page_theme, button_text), as_color},
        {"logo", offsetof(na_page_theme, logo), as_page},
        {"siteName", offsetof(na_page_theme, site_name), as_site_name},
        {NULL, 0, NULL}};
    return na_build_settings(b, w, 0, settings, &b->config->theme);
}

na_error *na_build_page_template(na_builder *b, const na_directive *w)
{
    const char *page = w->argv[0], *template;
    const char *path = ap_server_root_relative(b->pool, w->argv[1]);
    if (strcmp(page, NA_PAGE_ALL) != 0 && strcmp(page, NA_PAGE_FORBIDDEN) != 0 &&
        !na_endpoint_has_page(page))
        return na_error_with_hint(na_wrong(b, "unknown page '%s'",
                                           na_one_line(b->pool, page, SITE_NAME_MAX)),
                                  "use all, forbidden, or the last part of the page's path, such "
                                  "as signin");
    if (!path)
        return na_wrong(b, "invalid path '%s'", w->argv[1]);
    NA_TRY(na_page_template_read(b->pool, path, &template));
    apr_table_setn(b->config->page_templates, page, template);
    return NULL;
}

/* ── languages ─────────────────────────────────────────────────────────────────────────────── */

apr_array_header_t *na_build_default_languages(apr_pool_t *pool)
{
    apr_array_header_t *languages = apr_array_make(pool, 4, sizeof(const na_language *));
    APR_ARRAY_PUSH(languages, const na_language *) = &na_english;
    return languages;
}

/* Reads "de" from where make install puts the files, "de=FILE" from the file. */
static na_error *read_language(na_builder *b, const char *argument, const na_language **language)
{
    const char *equals = strchr(argument, '=');
    const char *tag =
        equals ? apr_pstrmemdup(b->pool, argument, (apr_size_t)(equals - argument)) : argument;
    const char *file = equals ? ap_server_root_relative(b->pool, equals + 1)
                              : apr_pstrcat(b->pool, NA_LANGUAGES_DIR "/", tag, ".json", NULL);
    if (!na_language_is_tag(tag))
        return na_wrong(b, "invalid language '%s': expected a tag such as de or pt-BR",
                        na_one_line(b->pool, tag, SITE_NAME_MAX));
    *language = &na_english;
    if (!equals && strcmp(tag, na_english.tag) == 0)
        return NULL;
    return file ? na_language_read(b->pool, tag, file, language)
                : na_wrong(b, "invalid path '%s'", equals + 1);
}

na_error *na_build_language(na_builder *b, const na_directive *w)
{
    apr_array_header_t *languages = apr_array_make(b->pool, 4, sizeof(const na_language *));
    for (int i = 0; i < w->argc; i++)
        NA_TRY(read_language(b, w->argv[i], &APR_ARRAY_PUSH(languages, const na_language *)));
    b->config->languages = languages;
    return NULL;
}
