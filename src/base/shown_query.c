/* SPDX-License-Identifier: Apache-2.0 */
/* Queries as logs can show them: without secrets. */

#include "base/shown_query.h"

#include <string.h>

/* Parameters whose values can be logged. All others are hidden, because logs do not need them. */
static int is_plain(const char *name, size_t len)
{
    static const char *const names[] = {"error",     "error_description",
                                        "error_uri", "csrf",
                                        "provider",  "type",
                                        "iss",       "json",
                                        "signin",    "update",
                                        "form"};
    for (apr_size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == len && strncmp(names[i], name, len) == 0)
            return 1;
    return 0;
}

/*
 * Returns how many bytes of a value are shown: a URL without its query, which belongs to an
 * application, and without text that is encoded twice, which can contain another '?'.
 */
static size_t shown_of(const char *name, size_t name_len, const char *value, size_t len)
{
    if (is_plain(name, name_len))
        return len;
    if (name_len != 11 || strncmp(name, "callbackUrl", 11) != 0)
        return 0;
    for (size_t i = 0; i < len; i++)
        if (value[i] == '?' || value[i] == '#' ||
            (i + 2 < len && (strncmp(value + i, "%3", 2) == 0) && (value[i + 2] | 0x20) == 'f') ||
            (i + 2 < len && strncmp(value + i, "%2", 2) == 0 &&
             (value[i + 2] == '3' || value[i + 2] == '5')))
            return i;
    return len;
}

static char *append_text(char *end, const char *text, size_t len)
{
    memcpy(end, text, len);
    return end + len;
}

/* Appends one "name=value", or a word alone. */
static char *append_field(char *end, const char *field, size_t len)
{
    const char *equals = memchr(field, '=', len);
    size_t name_len = equals ? (size_t)(equals - field) : 0;
    const char *value = equals ? equals + 1 : field;
    size_t value_len = len - (size_t)(value - field);
    size_t shown = shown_of(field, name_len, value, value_len);
    end = append_text(end, field, (size_t)(value - field) + shown);
    return shown < value_len ? append_text(end, NA_HIDDEN, strlen(NA_HIDDEN)) : end;
}

const char *na_shown_query(apr_pool_t *pool, const char *query)
{
    char *text = apr_palloc(pool, 3 * strlen(query) + 1), *end = text;
    for (;;) {
        size_t len = strcspn(query, "&");
        end = append_field(end, query, len);
        query += len;
        if (!*query)
            break;
        *end++ = *query++;
    }
    *end = '\0';
    return text;
}
