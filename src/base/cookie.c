/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cookie.h"

#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"

static na_bytes trimmed(const char *start, const char *end)
{
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return (na_bytes){(const unsigned char *)start, (apr_size_t)(end - start)};
}

int na_cookie_next(const char **cursor, na_bytes *name, na_bytes *value)
{
    const char *p = *cursor;
    while (*p) {
        const char *end = strchr(p, ';');
        if (!end)
            end = p + strlen(p);
        const char *equals = memchr(p, '=', (size_t)(end - p));
        const char *start = p;
        p = *end ? end + 1 : end;
        if (!equals)
            continue;
        *name = trimmed(start, equals);
        *value = trimmed(equals + 1, end);
        if (value->len >= 2 && value->data[0] == '"' && value->data[value->len - 1] == '"') {
            value->data++;
            value->len -= 2;
        }
        *cursor = p;
        return 1;
    }
    return 0;
}

apr_table_t *na_cookies_parse(apr_pool_t *pool, const char *header)
{
    apr_table_t *cookies = apr_table_make(pool, 8);
    na_bytes name, value;
    while (header && na_cookie_next(&header, &name, &value)) {
        const char *key = apr_pstrmemdup(pool, (const char *)name.data, name.len);
        const char *raw = apr_pstrmemdup(pool, (const char *)value.data, value.len);
        const char *decoded = strchr(raw, '%') ? na_percent_decode(pool, raw, 0) : raw;
        if (!apr_table_get(cookies, key))
            apr_table_addn(cookies, key, decoded ? decoded : raw);
    }
    return cookies;
}

char *na_cookie_write(apr_pool_t *pool, const na_cookie *cookie, const char *name,
                      const char *value, long max_age, apr_time_t expires)
{
    const char *age = max_age < 0 ? "" : apr_psprintf(pool, "; Max-Age=%ld", max_age);
    const char *domain = cookie->domain ? apr_pstrcat(pool, "; Domain=", cookie->domain, NULL) : "";
    const char *until =
        expires ? apr_pstrcat(pool, "; Expires=", na_http_date(pool, expires), NULL) : "";
    return apr_pstrcat(pool, name, "=", na_percent_encode(pool, value), age, domain,
                       "; Path=", cookie->path, until, "; HttpOnly",
                       cookie->secure ? "; Secure" : "", "; SameSite=", cookie->same_site, NULL);
}

char *na_cookie_clear(apr_pool_t *pool, const na_cookie *cookie, const char *name)
{
    return na_cookie_write(pool, cookie, name, "", 0, 0);
}
