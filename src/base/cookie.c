/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes cookie headers. */
#include "base/cookie.h"

#include <string.h>
#include <strings.h>

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

const char *na_cookies_without(apr_pool_t *pool, const char *header, na_cookie_test *is_unwanted,
                               const void *data)
{
    char *kept = apr_palloc(pool, strlen(header) + 1), *end = kept;
    while (*header) {
        const char *start = header, *semicolon = strchr(start, ';');
        apr_size_t len = semicolon ? (apr_size_t)(semicolon - start) : strlen(start);
        const char *equals = memchr(start, '=', len);
        header = semicolon ? semicolon + 1 : start + len;
        if (equals && is_unwanted(trimmed(start, equals), data))
            continue;
        if (end > kept)
            *end++ = ';';
        end = (char *)memcpy(end, start, len) + len;
    }
    *end = '\0';
    kept += strspn(kept, " \t");
    return *kept ? kept : NULL;
}

typedef struct pair {
    const char *name, *value;
} pair;

struct na_cookies {
    apr_array_header_t *pairs;
};

na_cookies *na_cookies_parse(apr_pool_t *pool, const char *header)
{
    na_cookies *cookies = apr_palloc(pool, sizeof *cookies);
    na_bytes name, value;
    cookies->pairs = apr_array_make(pool, 8, sizeof(pair));
    while (header && na_cookie_next(&header, &name, &value)) {
        const char *raw = apr_pstrmemdup(pool, (const char *)value.data, value.len);
        const char *decoded = strchr(raw, '%') ? na_percent_decode(pool, raw, 0) : raw;
        APR_ARRAY_PUSH(cookies->pairs, pair) =
            (pair){apr_pstrmemdup(pool, (const char *)name.data, name.len),
                   decoded ? decoded : raw};
    }
    return cookies;
}

const char *na_cookies_get(const na_cookies *cookies, const char *name, int nth)
{
    for (int i = 0; nth < NA_COOKIE_TRIES && i < cookies->pairs->nelts; i++) {
        const pair *cookie = &APR_ARRAY_IDX(cookies->pairs, i, pair);
        if (strcmp(cookie->name, name) == 0 && nth-- == 0)
            return cookie->value;
    }
    return NULL;
}

const char *na_cookies_last(const na_cookies *cookies, const char *start, int *cursor)
{
    int count = cookies->pairs->nelts;
    for (int i = (*cursor < count ? *cursor : count) - 1; i >= 0; i--) {
        const char *name = APR_ARRAY_IDX(cookies->pairs, i, pair).name;
        *cursor = i;
        if (strncmp(name, start, strlen(start)) == 0)
            return name;
    }
    *cursor = 0;
    return NULL;
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
                       cookie->secure ? "; Secure" : "", "; SameSite=", cookie->same_site,
                       cookie->partitioned ? "; Partitioned" : "", NULL);
}

char *na_cookie_clear(apr_pool_t *pool, const na_cookie *cookie, const char *name)
{
    return na_cookie_write(pool, cookie, name, "", 0, 0);
}

/* ── other domains ─────────────────────────────────────────────────────────────────────────── */

#define DOMAINS_MAX 8

void na_cookie_clear_elsewhere(apr_pool_t *pool, const na_cookie *cookie, const char *name,
                               apr_array_header_t *set_cookies)
{
    na_cookie other = *cookie;
    other.partitioned = 0;
    if (cookie->partitioned) /* browsers keep one from before as a different cookie */
        APR_ARRAY_PUSH(set_cookies, char *) = na_cookie_clear(pool, &other, name);
    for (const char *const *domain = cookie->elsewhere; domain && *domain; domain++) {
        other.domain = **domain ? *domain : NULL;
        APR_ARRAY_PUSH(set_cookies, char *) = na_cookie_clear(pool, &other, name);
    }
}

/* IP addresses have no parents, and browsers accept no cookie for a top-level domain. */
static int can_be_domain(const char *host)
{
    return strchr(host, '.') && !strchr(host, ':') && host[strspn(host, "0123456789.")];
}

static int is_domain(const char *a, const char *b)
{
    return strcasecmp(*a == '.' ? a + 1 : a, b) == 0;
}

const char *const *na_cookie_elsewhere(apr_pool_t *pool, const na_cookie *cookie, const char *host)
{
    const char **domains = apr_pcalloc(pool, (DOMAINS_MAX + 2) * sizeof *domains);
    int count = 0;
    if (cookie->domain)
        domains[count++] = "";
    /* RFC 6265bis section 4.1.3.2: a cookie with this prefix has no domain */
    for (int i = 0; strncmp(cookie->name, "__Host-", 7) != 0 && i < DOMAINS_MAX; i++) {
        if (!can_be_domain(host))
            break;
        if (!cookie->domain || !is_domain(cookie->domain, host))
            domains[count++] = host;
        host = strchr(host, '.') + 1;
    }
    return domains;
}
