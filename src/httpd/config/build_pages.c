/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthPages and NextAuthTheme. */
#include <stddef.h>
#include <string.h>

#include "base/url.h"
#include "httpd/config/build.h"
#include "httpd/config/settings.h"

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
        {NULL, 0, NULL}};
    return na_build_settings(b, w, 0, settings, &b->config->theme);
}
