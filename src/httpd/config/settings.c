/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include <apr_strings.h>

#include "base/url.h"
#include "httpd/config/build.h"

const char *na_build_setting_of(const na_building *b, const char *argument)
{
    const char *equals = strchr(argument, '=');
    return equals ? apr_pstrcat(b->pool,
                                apr_pstrmemdup(b->pool, argument, (apr_size_t)(equals - argument)),
                                "=", NULL)
                  : argument;
}

static const char *names_of(const na_building *b, const na_setting *settings)
{
    const char *names = "";
    for (const na_setting *each = settings; each->name; each++)
        names = apr_pstrcat(b->pool, names, *names ? ", " : "", each->name, NULL);
    return names;
}

/* *value is what follows the '='; NULL where the argument is of none of the settings. */
static const na_setting *find(const na_setting *settings, const char *argument, const char **value)
{
    const char *equals = strchr(argument, '=');
    size_t len = equals ? (size_t)(equals - argument) : 0;
    for (const na_setting *each = settings; equals && each->name; each++)
        if (strlen(each->name) == len && strncmp(each->name, argument, len) == 0) {
            *value = equals + 1;
            return each;
        }
    return NULL;
}

na_error *na_build_settings(na_building *b, const na_written *w, int first,
                            const na_setting *settings, void *target)
{
    for (int i = first; i < w->argc; i++) {
        const char *value;
        const na_setting *setting = find(settings, w->argv[i], &value);
        if (!setting)
            return na_wrong(b, "'%s': key=value is wanted, of %s",
                            na_build_setting_of(b, w->argv[i]), names_of(b, settings));
        b->key = setting->name;
        NA_TRY(setting->set(b, value, (char *)target + setting->offset));
    }
    return NULL;
}

na_error *na_as_text(na_building *b, const char *value, void *member)
{
    *(const char **)member = value;
    return NULL;
}

na_error *na_as_resolved(na_building *b, const char *value, void *member)
{
    return na_value_resolve(&b->environment, value, member);
}

na_error *na_as_switch(na_building *b, const char *value, void *member)
{
    *(int *)member = ap_cstr_casecmp(value, "on") == 0;
    return *(int *)member || ap_cstr_casecmp(value, "off") == 0
               ? NULL
               : na_wrong(b, "'%s': On or Off is wanted", value);
}

/* "10", "10s" and "10000ms" are the same, in all directives. */
static int read_duration(const char *value, apr_interval_time_t min, apr_interval_time_t max,
                         void *member)
{
    apr_interval_time_t duration;
    if (ap_timeout_parameter_parse(value, &duration, "s") != APR_SUCCESS || duration < min ||
        duration > max)
        return 0;
    *(long *)member = (long)apr_time_as_msec(duration);
    return 1;
}

na_error *na_as_duration(na_building *b, const char *value, void *member)
{
    return read_duration(value, apr_time_from_msec(10), apr_time_from_sec(60), member)
               ? NULL
               : na_wrong(b, "'%s': a time from 10ms to 60s is wanted", value);
}

na_error *na_as_connections(na_building *b, const char *value, void *member)
{
    long number;
    NA_TRY(na_build_number(b, value, 1, 1000, &number));
    *(int *)member = (int)number;
    return NULL;
}

na_error *na_as_file(na_building *b, const char *value, void *member)
{
    const char *path = ap_server_root_relative(b->pool, value);
    *(const char **)member = path;
    return path ? na_children_check_readable(b->pool, path) : na_wrong(b, "'%s' is no path", value);
}

static na_error *as_page(na_building *b, const char *value, void *member)
{
    na_url url;
    int path = *value == '/' && value[1] != '/' && !strchr(value, '\\') && !na_has_control(value);
    if (!path && !na_url_parse(b->pool, value, &url))
        return na_wrong(b, "'%s': a path or an address is wanted", value);
    *(const char **)member = value;
    return NULL;
}

static na_error *as_colour(na_building *b, const char *value, void *member)
{
    size_t len = strlen(value);
    if (*value != '#' || (len != 4 && len != 7) ||
        strspn(value + 1, "0123456789abcdefABCDEF") != len - 1)
        return na_wrong(b, "'%s': a colour is written #rgb or #rrggbb", value);
    *(const char **)member = value;
    return NULL;
}

static na_error *as_scheme(na_building *b, const char *value, void *member)
{
    if (strcmp(value, "auto") != 0 && strcmp(value, "light") != 0 && strcmp(value, "dark") != 0)
        return na_wrong(b, "colorScheme=%s: auto, light or dark is wanted", value);
    *(const char **)member = value;
    return NULL;
}

static na_error *as_call_time(na_building *b, const char *value, void *member)
{
    return read_duration(value, apr_time_from_msec(100), apr_time_from_sec(300), member)
               ? NULL
               : na_wrong(b, "invalid time '%s': expected 100ms to 300s", value);
}

static na_error *as_bytes(na_building *b, const char *value, void *member)
{
    long bytes;
    NA_TRY(na_build_number(b, value, 1024, 64L * 1024 * 1024, &bytes));
    *(apr_size_t *)member = (apr_size_t)bytes;
    return NULL;
}

static na_error *as_places(na_building *b, const char *value, void *member)
{
    long places;
    NA_TRY(na_build_number(b, value, 1, 1024, &places));
    *(int *)member = (int)places;
    return NULL;
}

na_error *na_build_pages(na_building *b, const na_written *w)
{
    static const na_setting settings[] = {{"signIn", offsetof(na_pages, sign_in), as_page},
                                          {"signOut", offsetof(na_pages, sign_out), as_page},
                                          {"error", offsetof(na_pages, error), as_page},
                                          {"verifyRequest", offsetof(na_pages, verify_request),
                                           as_page},
                                          {NULL, 0, NULL}};
    return na_build_settings(b, w, 0, settings, &b->config->pages);
}

na_error *na_build_theme(na_building *b, const na_written *w)
{
    static const na_setting settings[] = {
        {"colorScheme", offsetof(na_page_theme, color_scheme), as_scheme},
        {"brandColor", offsetof(na_page_theme, brand_color), as_colour},
        {"buttonText", offsetof(na_page_theme, button_text), as_colour},
        {"logo", offsetof(na_page_theme, logo), as_page},
        {NULL, 0, NULL}};
    return na_build_settings(b, w, 0, settings, &b->config->theme);
}

na_error *na_build_http(na_building *b, const na_written *w)
{
    static const na_setting settings[] = {
        {"timeout", offsetof(na_http_options, timeout_ms), as_call_time},
        {"connectTimeout", offsetof(na_http_options, connect_timeout_ms), as_call_time},
        {"maxBytes", offsetof(na_http_options, max_bytes), as_bytes},
        {"maxConcurrent", offsetof(na_http_options, max_concurrent), as_places},
        {"proxy", offsetof(na_http_options, proxy), na_as_address},
        {"caFile", offsetof(na_http_options, ca_file), na_as_file},
        {"traceContext", offsetof(na_http_options, trace_context), na_as_switch},
        {NULL, 0, NULL}};
    NA_TRY(na_build_settings(b, w, 0, settings, &b->config->http));
    return na_http_options_check(b->pool, &b->config->http);
}
