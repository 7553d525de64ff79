/* SPDX-License-Identifier: Apache-2.0 */
/* key=value arguments, and setters of common kinds of values. */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "httpd/config/build.h"
#include "httpd/config/targets.h"
#include "httpd/config/settings.h"

const char *na_build_setting_of(const na_builder *b, const char *argument)
{
    const char *equals = strchr(argument, '=');
    return equals ? apr_pstrcat(b->pool,
                                apr_pstrmemdup(b->pool, argument, (apr_size_t)(equals - argument)),
                                "=", NULL)
                  : argument;
}

static const char *setting_names(const na_builder *b, const na_setting *settings)
{
    const char *names = "";
    for (const na_setting *each = settings; each->name; each++)
        names = apr_pstrcat(b->pool, names, *names ? ", " : "", each->name, NULL);
    return names;
}

/* *value is the text after '='. Returns NULL if the argument is none of the settings. */
static const na_setting *find_setting(const na_setting *settings, const char *argument,
                                      const char **value)
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

na_error *na_build_settings(na_builder *b, const na_directive *w, int first,
                            const na_setting *settings, void *target)
{
    for (int i = first; i < w->argc; i++) {
        const char *value;
        const na_setting *setting = find_setting(settings, w->argv[i], &value);
        if (!setting)
            return na_wrong(b, "unknown option '%s': expected %s",
                            na_build_setting_of(b, w->argv[i]), setting_names(b, settings));
        b->key = setting->name;
        NA_TRY(setting->set(b, value, (char *)target + setting->offset));
    }
    return NULL;
}

na_error *na_build_number(na_builder *b, const char *text, long min, long max, long *number)
{
    char *end;
    *number = strtol(text, &end, 10);
    if (!*text || *end || *number < min || *number > max)
        return na_wrong(b, "invalid value '%s': expected a whole number from %ld to %ld", text, min,
                        max);
    return NULL;
}

int na_build_is_name(const char *name)
{
    return *name && strlen(name) <= 64 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:") ==
               strlen(name);
}

na_error *na_as_text(na_builder *b, const char *value, void *member)
{
    *(const char **)member = value;
    return NULL;
}

na_error *na_as_resolved(na_builder *b, const char *value, void *member)
{
    return na_value_resolve(&b->environment, value, member);
}

na_error *na_as_switch(na_builder *b, const char *value, void *member)
{
    *(int *)member = ap_cstr_casecmp(value, "on") == 0;
    return *(int *)member || ap_cstr_casecmp(value, "off") == 0
               ? NULL
               : na_wrong(b, "invalid value '%s': expected On or Off", value);
}

/* "10", "10s" and "10000ms" have the same meaning in all directives. */
int na_read_duration(const char *value, apr_interval_time_t min, apr_interval_time_t max,
                     void *member)
{
    apr_interval_time_t duration;
    if (ap_timeout_parameter_parse(value, &duration, "s") != APR_SUCCESS || duration < min ||
        duration > max)
        return 0;
    *(long *)member = (long)apr_time_as_msec(duration);
    return 1;
}

na_error *na_as_duration(na_builder *b, const char *value, void *member)
{
    return na_read_duration(value, apr_time_from_msec(10), apr_time_from_sec(60), member)
               ? NULL
               : na_wrong(b, "invalid time '%s': expected 10ms to 60s", value);
}

na_error *na_as_connections(na_builder *b, const char *value, void *member)
{
    long number;
    NA_TRY(na_build_number(b, value, 1, 1000, &number));
    *(int *)member = (int)number;
    return NULL;
}

na_error *na_as_file(na_builder *b, const char *value, void *member)
{
    const char *path = ap_server_root_relative(b->pool, value);
    *(const char **)member = path;
    return path ? na_children_check_readable(b->pool, path)
                : na_wrong(b, "invalid path '%s'", value);
}
