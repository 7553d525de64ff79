/* SPDX-License-Identifier: Apache-2.0 */
#include "base/header.h"

#include <string.h>

#include <apr_lib.h>

/* tchar, RFC 9110 section 5.6.2 */
static int is_token(char c)
{
    return c && ((unsigned char)c < 0x80) && (apr_isalnum(c) || strchr("!#$%&'*+-.^_`|~", c));
}

const char *na_header_without(apr_pool_t *pool, const char *list,
                              int (*is_unwanted)(const char *name))
{
    /* two characters behind each name, of which one separated it: at most half as much again */
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
        if (is_unwanted(name))
            continue;
        if (end > kept)
            memcpy(end, ", ", 2);
        end = name + len;
    }
    *end = '\0';
    return kept;
}
