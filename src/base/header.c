/* SPDX-License-Identifier: Apache-2.0 */
/* Header fields that are lists. */
#include "base/header.h"

#include <string.h>
#include <strings.h>

#include <apr_lib.h>

#include "base/text.h"

/* tchar, RFC 9110 section 5.6.2 */
static int is_token(char c)
{
    return c && ((unsigned char)c < 0x80) && (apr_isalnum(c) || strchr("!#$%&'*+-.^_`|~", c));
}

static char in_any_spelling(char c)
{
    return apr_isalnum(c) ? (char)apr_tolower(c) : '-';
}

int na_header_is_spelling_of(const char *name, const char *other)
{
    while (*name && *other && in_any_spelling(*name) == in_any_spelling(*other))
        name++, other++;
    return !*name && !*other;
}

const char *na_header_without(apr_pool_t *pool, const char *list, na_header_test *is_unwanted,
                              const void *data)
{
    /* two characters after each name, one of which separated it: at most half as much again */
    char *kept = apr_palloc(pool, strlen(list) * 3 / 2 + 3), *end = kept;
    while (*list) {
        const char *start = list;
        while (is_token(*list))
            list++;
        apr_size_t len = (apr_size_t)(list - start);
        list += *list && !len;
        if (!len)
            continue;
        char *name = end > kept ? end + 2 : end;
        memcpy(name, start, len);
        name[len] = '\0';
        if (is_unwanted(name, data))
            continue;
        if (end > kept)
            memcpy(end, ", ", 2);
        end = name + len;
    }
    *end = '\0';
    return kept;
}

/* ── Cache-Control ─────────────────────────────────────────────────────────────────────────── */

/* An element of a list, and its name before "=". */
typedef struct directive {
    na_bytes name, whole;
} directive;

/*
 * Returns the end of the quoted string that begins here (RFC 9110 section 5.6.4); NULL if it has
 * none.
 */
static const char *behind_quoted(const char *p)
{
    for (p++; *p && *p != '"'; p++)
        if (*p == '\\' && p[1])
            p++;
    return *p ? p + 1 : NULL;
}

/*
 * Returns 0 at the end of the list, and at an unterminated quoted string, which readers interpret
 * differently.
 */
static int next_directive(const char **list, directive *found)
{
    const char *p = *list + strspn(*list, ", \t"), *start = p;
    apr_size_t name_len = strcspn(p, "=,\" \t");
    while (p && *p && *p != ',')
        p = *p == '"' ? behind_quoted(p) : p + 1;
    if (!p || p == start)
        return 0;
    *list = p;
    while (p[-1] == ' ' || p[-1] == '\t')
        p--;
    found->whole = (na_bytes){(const unsigned char *)start, (apr_size_t)(p - start)};
    found->name = (na_bytes){(const unsigned char *)start, name_len};
    return 1;
}

static int is_named(const directive *d, const char *name)
{
    return strlen(name) == d->name.len &&
           strncasecmp((const char *)d->name.data, name, d->name.len) == 0;
}

static int is_replaced(const directive *d, const char *ours)
{
    directive other;
    while (next_directive(&ours, &other))
        if (other.name.len == d->name.len &&
            strncasecmp((const char *)other.name.data, (const char *)d->name.data, d->name.len) ==
                0)
            return 1;
    return 0;
}

const char *na_cache_control_for_user(apr_pool_t *pool, const char *theirs, const char *ours)
{
    directive d;
    apr_size_t len = strlen(ours);
    /* two characters before each, one of which separated it */
    char *value = apr_palloc(pool, len + strlen(theirs) * 2 + 3);
    char *end = (char *)memcpy(value, ours, len) + len;
    while (next_directive(&theirs, &d)) {
        int is_partly = is_named(&d, "private") && d.whole.len != d.name.len;
        if (is_named(&d, "public") || is_named(&d, "s-maxage") || is_partly ||
            is_replaced(&d, ours))
            continue;
        end = (char *)memcpy(end, ", ", 2) + 2;
        end = (char *)memcpy(end, d.whole.data, d.whole.len) + d.whole.len;
    }
    *end = '\0';
    return value;
}

int na_cache_control_is_for_user(const char *value)
{
    directive d;
    while (next_directive(&value, &d))
        if (d.whole.len == d.name.len && (is_named(&d, "private") || is_named(&d, "no-store")))
            return 1;
    return 0;
}
