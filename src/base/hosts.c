/* SPDX-License-Identifier: Apache-2.0 */
/* The host names of a site: URLs that can have a wildcard, and the origin of a request among them.
 */
#include "base/hosts.h"

#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/text.h"

#define LABEL "abcdefghijklmnopqrstuvwxyz0123456789-_"

static int default_port(const char *scheme)
{
    return strcmp(scheme, "https") == 0 ? 443 : 80;
}

/* ── host names ────────────────────────────────────────────────────────────────────────────── */

/* A zone (RFC 4007 section 11) is not part of an address that others can use. */
static int normalize_ipv6(const char *text, char *host)
{
    char inside[INET6_ADDRSTRLEN], canonical[INET6_ADDRSTRLEN];
    struct in6_addr address;
    size_t len = strlen(text);
    int has_brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';
    len -= has_brackets ? 2 : 0;
    if (len >= sizeof inside)
        return 0;
    apr_cpystrn(inside, text + has_brackets, len + 1);
    if (inet_pton(AF_INET6, inside, &address) != 1 ||
        !inet_ntop(AF_INET6, &address, canonical, sizeof canonical))
        return 0;
    snprintf(host, NA_HOST_LEN_MAX + 1, "[%s]", canonical);
    return 1;
}

/* Returns 1 if each label has 1 to NA_LABEL_LEN_MAX characters. */
static int has_labels(const char *host)
{
    for (;;) {
        size_t len = strspn(host, LABEL);
        if (!len || len > NA_LABEL_LEN_MAX)
            return 0;
        if (!host[len])
            return 1;
        if (host[len] != '.')
            return 0;
        host += len + 1;
    }
}

int na_host_normalize(const char *text, char host[NA_HOST_LEN_MAX + 1])
{
    if (strchr(text, ':'))
        return normalize_ipv6(text, host);
    size_t len = strlen(text);
    if (len && text[len - 1] == '.')
        len--;
    if (len > NA_HOST_LEN_MAX)
        return 0;
    for (size_t i = 0; i < len; i++)
        host[i] = (char)apr_tolower(text[i]);
    host[len] = '\0';
    return has_labels(host);
}

/* ── patterns ──────────────────────────────────────────────────────────────────────────────── */

/* Returns ":8443"; "" for the default port. */
static const char *port_text(const na_url *url)
{
    return url->origin + strlen(url->scheme) + strlen("://") + strlen(url->host);
}

/* Returns 0 for the default port. */
static int named_port(const na_url *url)
{
    const char *port = port_text(url);
    return *port ? na_small_number(port + 1) : 0;
}

static int port_of(const na_url *url)
{
    int named = named_port(url);
    return named ? named : default_port(url->scheme);
}

/* Below a top-level domain, anyone can register a name. */
static const char *check_star(const char *host, const char *star)
{
    const char *dot = strchr(host, '.');
    if (strchr(star + 1, '*') || !dot || dot < star)
        return "a wildcard stands for one label, the first, or for a part of it";
    if (!strchr(dot + 1, '.') && strcmp(dot + 1, "localhost") != 0)
        return "a wildcard requires a domain of two labels or more after it";
    return NULL;
}

/* The text with another character in place of the wildcard, so that it can be parsed as a URL. */
static char *without_star(apr_pool_t *pool, const char *text, const char *star)
{
    char *copy = apr_pstrdup(pool, text);
    if (star)
        copy[star - text] = 'x';
    return copy;
}

const char *na_host_pattern_parse(apr_pool_t *pool, const char *text, na_host_pattern *pattern,
                                  const char **path)
{
    static const char invalid[] = "it is not an absolute URL";
    const char *authority = strstr(text, "://");
    const char *star = authority ? strchr(authority, '*') : NULL;
    char normal[NA_HOST_LEN_MAX + 1];
    na_url url;
    if (star && (apr_size_t)(star - authority) > 3 + strcspn(authority + 3, "/?#"))
        star = NULL; /* of the path */
    if (!na_url_parse(pool, without_star(pool, text, star), &url) ||
        !na_host_normalize(url.host, normal))
        return invalid;
    char *host = apr_pstrdup(pool, normal);
    *pattern = (na_host_pattern){.scheme = url.scheme, .host = host, .port = port_of(&url)};
    *path = url.path;
    if (star) {
        size_t at = (size_t)(star - authority) - 3;
        if (at >= strlen(host))
            return invalid;
        host[at] = '*';
        pattern->star = host + at;
    }
    pattern->origin = apr_pstrcat(pool, url.scheme, "://", host, port_text(&url), NULL);
    return star ? check_star(host, pattern->star) : NULL;
}

int na_host_pattern_has(const na_host_pattern *pattern, const char *host)
{
    if (!pattern->star)
        return strcmp(pattern->host, host) == 0;
    const char *rest = pattern->star + 1;
    size_t before = (size_t)(pattern->star - pattern->host), after = strlen(rest);
    size_t len = strlen(host);
    return len > before + after && strncmp(host, pattern->host, before) == 0 &&
           strcmp(host + len - after, rest) == 0 &&
           strspn(host + before, LABEL) >= len - before - after;
}

int na_host_patterns_overlap(const na_host_pattern *a, const na_host_pattern *b)
{
    if (!a->star || !b->star)
        return a->star ? na_host_pattern_has(a, b->host) : na_host_pattern_has(b, a->host);
    const char *rest = strchr(a->host, '.'), *other = strchr(b->host, '.');
    return strcmp(rest, other) == 0;
}

int na_hosts_find(const apr_array_header_t *patterns, const char *host, int port,
                  char origin[NA_ORIGIN_SIZE])
{
    char normal[NA_HOST_LEN_MAX + 1];
    if (!na_host_normalize(host, normal))
        return 0;
    for (int i = 0; i < patterns->nelts; i++) {
        const na_host_pattern *each = &APR_ARRAY_IDX(patterns, i, na_host_pattern);
        int standard = default_port(each->scheme);
        if (each->port != (port ? port : standard) || !na_host_pattern_has(each, normal))
            continue;
        if (each->port == standard)
            snprintf(origin, NA_ORIGIN_SIZE, "%s://%s", each->scheme, normal);
        else
            snprintf(origin, NA_ORIGIN_SIZE, "%s://%s:%d", each->scheme, normal, each->port);
        return 1;
    }
    return 0;
}

const char *na_hosts_label(apr_pool_t *pool, const apr_array_header_t *patterns, const char *origin)
{
    const na_host_pattern *found = NULL;
    na_url url;
    if (!na_url_parse(pool, origin, &url))
        return NULL;
    int port = port_of(&url);
    for (int i = 0; i < patterns->nelts; i++) {
        const na_host_pattern *each = &APR_ARRAY_IDX(patterns, i, na_host_pattern);
        if (each->port != port || !na_host_pattern_has(each, url.host))
            continue;
        if (!each->star)
            return NULL;
        found = found ? found : each;
    }
    if (!found)
        return NULL;
    size_t before = (size_t)(found->star - found->host), after = strlen(found->star + 1);
    return apr_pstrmemdup(pool, url.host + before, strlen(url.host) - before - after);
}

int na_hosts_have(const apr_array_header_t *patterns, const na_url *url)
{
    char origin[NA_ORIGIN_SIZE];
    return na_hosts_find(patterns, url->host, named_port(url), origin) &&
           strcmp(origin, url->origin) == 0;
}
