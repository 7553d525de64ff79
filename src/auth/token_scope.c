/* SPDX-License-Identifier: Apache-2.0 */
/* The scope of a personal access token: the paths and methods that it is good for. */
#include "auth/token_scope.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/text.h"

#define METHOD_MAX 32

/* ── parsing ───────────────────────────────────────────────────────────────────────────────── */

/* An entry of a scope, borrowed from its text. */
typedef struct entry {
    na_bytes methods; /* "GET,PUT"; empty for all */
    na_bytes path;
} entry;

static na_bytes bytes_between(const char *from, const char *to)
{
    return (na_bytes){(const unsigned char *)from, (apr_size_t)(to - from)};
}

static na_bytes trim_blanks(na_bytes text)
{
    while (text.len && *text.data == ' ')
        text = (na_bytes){text.data + 1, text.len - 1};
    while (text.len && text.data[text.len - 1] == ' ')
        text.len--;
    return text;
}

/* Takes the first entry off *text; returns 0 if there is none left. */
static int take_entry(const char **text, na_bytes *whole)
{
    if (!*text)
        return 0;
    const char *end = strchr(*text, ';');
    *whole = bytes_between(*text, end ? end : *text + strlen(*text));
    *text = end ? end + 1 : NULL;
    return 1;
}

static entry split_entry(na_bytes whole)
{
    const unsigned char *slash = memchr(whole.data, '/', whole.len);
    apr_size_t before = slash ? (apr_size_t)(slash - whole.data) : whole.len;
    return (entry){trim_blanks((na_bytes){whole.data, before}),
                   {whole.data + before, whole.len - before}};
}

static int is_method(na_bytes name)
{
    for (apr_size_t i = 0; i < name.len; i++)
        if (!apr_isupper(name.data[i]) && name.data[i] != '-')
            return 0;
    return name.len > 0 && name.len <= METHOD_MAX;
}

/* Takes the first name off a list of methods. */
static na_bytes take_method(na_bytes *methods)
{
    const unsigned char *comma = memchr(methods->data, ',', methods->len);
    apr_size_t len = comma ? (apr_size_t)(comma - methods->data) : methods->len;
    na_bytes name = {methods->data, len};
    *methods = (na_bytes){methods->data + len, methods->len - len};
    return name;
}

static na_error *wrong_scope(apr_pool_t *pool, na_bytes whole, const char *why)
{
    return na_error_new(pool, NA_ERR_CALLBACK, "invalid scope '%s': %s",
                        na_one_line(pool, apr_pstrmemdup(pool, (const char *)whole.data, whole.len),
                                    200),
                        why);
}

static na_error *append_methods(apr_pool_t *pool, na_bytes whole, na_bytes methods,
                                apr_array_header_t *parts)
{
    apr_array_header_t *names = apr_array_make(pool, 4, sizeof(const char *));
    while (methods.len) {
        na_bytes name = trim_blanks(take_method(&methods));
        if (!is_method(name) || (methods.len == 1 && *methods.data == ','))
            return wrong_scope(pool, whole,
                               "expected methods in capitals, separated by commas, "
                               "and then a path");
        APR_ARRAY_PUSH(names, const char *) =
            apr_pstrmemdup(pool, (const char *)name.data, name.len);
        if (methods.len) /* the comma */
            methods = (na_bytes){methods.data + 1, methods.len - 1};
    }
    if (names->nelts)
        APR_ARRAY_PUSH(parts, const char *) =
            apr_pstrcat(pool, na_join(pool, names, ","), " ", NULL);
    return NULL;
}

/*
 * Returns 1 if a segment means "." or ".." to another program: to a server behind httpd that
 * decodes once more, takes a backslash for a slash, or ignores what follows a semicolon.
 */
static int is_dot_segment(const char *segment, apr_size_t len)
{
    apr_size_t dots = 0;
    for (apr_size_t i = 0; i < len && segment[i] != ';'; dots++) {
        if (segment[i] == '.')
            i++;
        else if (len - i >= 3 && strncasecmp(segment + i, "%2e", 3) == 0)
            i += 3;
        else
            return 0;
    }
    return dots == 1 || dots == 2;
}

/* Returns the bytes of a slash, or of what a server behind httpd can take for one; 0 if none. */
static apr_size_t slash_length(const char *text)
{
    if (*text == '/' || *text == '\\')
        return 1;
    return strncasecmp(text, "%2f", 3) == 0 || strncasecmp(text, "%5c", 3) == 0 ? 3 : 0;
}

static int has_dot_segment(const char *path)
{
    while (*path) {
        path += slash_length(path);
        const char *segment = path;
        while (*path && !slash_length(path))
            path++;
        if (is_dot_segment(segment, (apr_size_t)(path - segment)))
            return 1;
    }
    return 0;
}

/* Characters that are not in a decoded path, or that let a user expect more than a prefix. */
#define NOT_IN_PATH "%?#*\\"

static na_error *append_path(apr_pool_t *pool, na_bytes whole, na_bytes text,
                             apr_array_header_t *parts)
{
    while (text.len > 1 && strchr("/ ", text.data[text.len - 1]))
        text.len--;
    const char *path = apr_pstrmemdup(pool, (const char *)text.data, text.len);
    if (*path != '/')
        return wrong_scope(pool, whole, "a path begins with a slash");
    if (!na_is_utf8(path) || na_has_control(path) || strpbrk(path, NOT_IN_PATH))
        return wrong_scope(pool, whole, "a path is decoded, and has none of " NOT_IN_PATH);
    if (strstr(path, "//") || has_dot_segment(path))
        return wrong_scope(pool, whole, "a path has no empty segments, and no dots as a segment");
    APR_ARRAY_PUSH(parts, const char *) = path;
    return NULL;
}

na_error *na_scope_parse(apr_pool_t *pool, const char *text, const char **scope)
{
    apr_array_header_t *parts = apr_array_make(pool, 4, sizeof(const char *));
    na_bytes whole;
    int count = 0;
    while (take_entry(&text, &whole)) {
        entry e = split_entry(whole);
        if (++count > NA_SCOPE_ENTRIES_MAX)
            return na_error_new(pool, NA_ERR_CALLBACK, "a scope has at most %d paths",
                                NA_SCOPE_ENTRIES_MAX);
        if (count > 1)
            APR_ARRAY_PUSH(parts, const char *) = "; ";
        NA_TRY(append_methods(pool, whole, e.methods, parts));
        NA_TRY(append_path(pool, whole, e.path, parts));
    }
    *scope = na_join(pool, parts, "");
    return strlen(*scope) <= NA_SCOPE_MAX
               ? NULL
               : na_error_new(pool, NA_ERR_CALLBACK, "a scope has at most %d bytes", NA_SCOPE_MAX);
}

/* ── matching ──────────────────────────────────────────────────────────────────────────────── */

/* HEAD is GET without a body (RFC 9110 section 9.3.2). */
static int has_method(na_bytes methods, const char *method)
{
    if (!methods.len)
        return 1;
    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    while (methods.len) {
        na_bytes name = take_method(&methods);
        if (name.len == strlen(method) && memcmp(name.data, method, name.len) == 0)
            return 1;
        if (methods.len)
            methods = (na_bytes){methods.data + 1, methods.len - 1};
    }
    return 0;
}

static int has_path(na_bytes prefix, const char *path)
{
    if (prefix.len == 1 && *prefix.data == '/')
        return 1;
    return prefix.len > 1 && strncmp(path, (const char *)prefix.data, prefix.len) == 0 &&
           (path[prefix.len] == '\0' || path[prefix.len] == '/') && !has_dot_segment(path);
}

int na_scope_covers(const char *scope, const char *method, const char *path)
{
    na_bytes whole;
    while (take_entry(&scope, &whole)) {
        entry e = split_entry(whole);
        if (has_method(e.methods, method) && has_path(e.path, path))
            return 1;
    }
    return 0;
}
