/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of origins, as a configuration lists them. */
#include "base/origin.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/url.h"

#define HTTPS "https://"
#define ALL_BELOW HTTPS "*."

/* Returns 1 if the text consists of labels of a host name, as browsers write them. */
static int is_labels(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!apr_islower(text[i]) && !apr_isdigit(text[i]) && text[i] != '-' && text[i] != '_' &&
            (text[i] != '.' || i == 0 || text[i - 1] == '.'))
            return 0;
    return len > 0 && text[len - 1] != '.';
}

/* The last label of an IP address is a number, and that of a domain is not. */
static int is_domain(const char *host)
{
    const char *last = strrchr(host, '.');
    return last && apr_isalpha(last[1]) && is_labels(host, strlen(host));
}

static int parse_below(apr_pool_t *pool, const char *text, na_origin *origin)
{
    na_url url;
    const char *domain = text + strlen(ALL_BELOW);
    if (!na_url_parse(pool, apr_pstrcat(pool, HTTPS, domain, NULL), &url) || *url.path ||
        !is_domain(url.host))
        return 0;
    origin->below = apr_pstrcat(pool, ".", url.origin + strlen(HTTPS), NULL);
    return 1;
}

int na_origin_parse(apr_pool_t *pool, const char *text, na_origin *origin)
{
    na_url url;
    *origin = (na_origin){NULL, NULL};
    if (strncmp(text, ALL_BELOW, strlen(ALL_BELOW)) == 0)
        return parse_below(pool, text, origin);
    if (!na_url_parse(pool, text, &url) || *url.path ||
        (strcmp(url.scheme, "https") != 0 && !na_is_this_machine(url.host)))
        return 0;
    origin->exact = url.origin;
    return 1;
}

int na_origin_matches(const na_origin *origin, const char *value)
{
    if (origin->exact)
        return strcmp(origin->exact, value) == 0;
    size_t len = strlen(value), start = strlen(HTTPS), below = strlen(origin->below);
    return len > start + below && strncmp(value, HTTPS, start) == 0 &&
           strcmp(value + len - below, origin->below) == 0 &&
           is_labels(value + start, len - below - start);
}
