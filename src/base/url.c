/* SPDX-License-Identifier: Apache-2.0 */
/* URLs and forms. */
#include "base/url.h"

#include <string.h>

#include <arpa/inet.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/crypto.h"
#include "base/text.h"

static int is_clean(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= 0x20 || (unsigned char)*text >= 0x7f || *text == '\\')
            return 0;
    return 1;
}

static int is_url_host(const char *host)
{
    if (*host == '[') {
        size_t inside = strspn(host + 1, "0123456789abcdef:.");
        return inside > 1 && strcmp(host + 1 + inside, "]") == 0;
    }
    return *host && strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-._") == strlen(host);
}

int na_url_parse(apr_pool_t *pool, const char *text, na_url *url)
{
    int https = strncasecmp(text, "https://", 8) == 0;
    if ((!https && strncasecmp(text, "http://", 7) != 0) || !is_clean(text))
        return 0;
    const char *authority = text + (https ? 8 : 7);
    size_t len = strcspn(authority, "/?#");
    char *host = apr_pstrmemdup(pool, authority, len);
    const char *rest = authority + len;

    char *port = strrchr(host, ':');
    if (port && strchr(port, ']'))
        port = NULL;
    if (port)
        *port++ = '\0';
    for (char *p = host; *p; p++)
        *p = (char)apr_tolower(*p);
    if (!is_url_host(host))
        return 0;

    int number = port ? na_small_number(port) : (https ? 443 : 80);
    if (number < 1 || number > 65535)
        return 0;
    url->scheme = https ? "https" : "http";
    url->host = host;
    url->origin = number == (https ? 443 : 80)
                      ? apr_pstrcat(pool, url->scheme, "://", host, NULL)
                      : apr_psprintf(pool, "%s://%s:%d", url->scheme, host, number);
    url->path = rest;
    return 1;
}

/* ── servers ───────────────────────────────────────────────────────────────────────────────── */

#define HOST_LEN_MAX 255

static int is_ipv6(const char *host)
{
    struct in6_addr six;
    return inet_pton(AF_INET6, host, &six) == 1;
}

static int is_name(const char *host)
{
    size_t len = strlen(host);
    return len && len <= HOST_LEN_MAX && *host != '-' &&
           strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") == len;
}

int na_is_host(const char *host)
{
    return is_name(host) || is_ipv6(host);
}

static na_error *set_user(apr_pool_t *pool, char *text, na_authority *authority)
{
    char *password = strchr(text, ':');
    if (password)
        *password++ = '\0';
    authority->user = na_percent_decode(pool, text, 0);
    authority->password = password ? na_percent_decode(pool, password, 0) : NULL;
    if (!authority->user || (password && !authority->password))
        return na_error_with_hint(
            na_error_new(pool, NA_ERR_CONFIGURATION,
                         "invalid percent-encoding in the URL's username or password"),
            "use %25 for %, or set username= and password= instead");
    return NULL;
}

/* host[:port], IPv6 in brackets */
static na_error *set_host(apr_pool_t *pool, char *text, na_authority *authority)
{
    char *close = *text == '[' ? strchr(text, ']') : NULL;
    char *colon = strchr(close ? close : text, ':');
    if (colon)
        *colon++ = '\0';
    if (close)
        *close++ = '\0';
    authority->host = close ? text + 1 : text;
    authority->port = colon ? na_small_number(colon) : 0;
    int is_host = close ? !*close && is_ipv6(authority->host) : is_name(authority->host);
    int is_port = !colon || (authority->port >= 1 && authority->port <= 65535);
    return is_host && is_port ? NULL
                              : na_error_new(pool, NA_ERR_CONFIGURATION,
                                             "invalid host or port in the URL: expected "
                                             "host[:port], IPv6 in brackets, port 1 to 65535");
}

na_error *na_authority_parse(apr_pool_t *pool, const char *text, na_authority *authority)
{
    char *user = apr_pstrdup(pool, text);
    char *at = strrchr(user, '@');
    char *host = at ? at + 1 : user;
    size_t len = strcspn(host, "/?#");
    *authority = (na_authority){.rest = apr_pstrdup(pool, host + len)};
    host[len] = '\0';
    if (at)
        *at = '\0';
    if (at)
        NA_TRY(set_user(pool, user, authority));
    return set_host(pool, host, authority);
}

int na_is_loopback_address(const char *host)
{
    struct in_addr four;
    struct in6_addr six;
    char inside[INET6_ADDRSTRLEN + 1];
    size_t len = strlen(host);
    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    if (*host == '[' && len > 2 && len - 2 < sizeof inside) {
        apr_cpystrn(inside, host + 1, len - 1);
        host = inside;
    }
    return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

int na_is_this_machine(const char *host)
{
    static const char name[] = "localhost";
    size_t len = strlen(host), name_len = sizeof name - 1;
    int is_name = len >= name_len && strcasecmp(host + len - name_len, name) == 0 &&
                  (len == name_len || host[len - name_len - 1] == '.');
    return is_name || na_is_loopback_address(host);
}

char *na_url_add(apr_pool_t *pool, const char *url, const char *name, const char *value)
{
    size_t len = strcspn(url, "#");
    const char *joint = memchr(url, '?', len) ? "&" : "?";
    return apr_pstrcat(pool, apr_pstrmemdup(pool, url, len), joint, na_percent_encode(pool, name),
                       "=", na_percent_encode(pool, value), url + len, NULL);
}

char *na_url_fill(apr_pool_t *pool, const char *template, const char *prefix,
                  na_url_value *value_of, const void *data, const char **missing)
{
    apr_array_header_t *parts = apr_array_make(pool, 5, sizeof(const char *));
    const char *hole;
    while ((hole = strstr(template, prefix))) {
        const char *name = hole + strlen(prefix);
        apr_size_t len = strcspn(name, "}");
        *missing = apr_pstrmemdup(pool, name, len);
        const char *value = value_of(pool, data, *missing);
        if (!value)
            return NULL;
        APR_ARRAY_PUSH(parts, const char *) =
            apr_pstrmemdup(pool, template, (apr_size_t)(hole - template));
        APR_ARRAY_PUSH(parts, const char *) = na_percent_encode(pool, value);
        template = name + len + (name[len] == '}');
    }
    APR_ARRAY_PUSH(parts, const char *) = template;
    return na_join(pool, parts, "");
}

char *na_url_add_all(apr_pool_t *pool, const char *url, const apr_table_t *fields)
{
    const apr_array_header_t *list = apr_table_elts(fields);
    apr_array_header_t *parts = apr_array_make(pool, list->nelts, sizeof(const char *));
    size_t len = strcspn(url, "#");
    if (!list->nelts)
        return apr_pstrdup(pool, url);
    for (int i = 0; i < list->nelts; i++) {
        const apr_table_entry_t *field = &APR_ARRAY_IDX(list, i, apr_table_entry_t);
        APR_ARRAY_PUSH(parts, const char *) =
            apr_pstrcat(pool, na_percent_encode(pool, field->key), "=",
                        na_percent_encode(pool, field->val), NULL);
    }
    return apr_pstrcat(pool, apr_pstrmemdup(pool, url, len), memchr(url, '?', len) ? "&" : "?",
                       na_join(pool, parts, "&"), url + len, NULL);
}

/* Returns NULL if the text is malformed. */
static const char *decode_field(apr_pool_t *pool, const char *text)
{
    char *decoded = na_percent_decode(pool, text, 1);
    if (decoded)
        na_wipe_with_pool(pool, decoded, strlen(decoded));
    return decoded;
}

apr_table_t *na_form_parse(apr_pool_t *pool, const char *text, int max_fields)
{
    apr_table_t *fields = apr_table_make(pool, 8);
    while (text && *text && max_fields-- > 0) {
        size_t len = strcspn(text, "&");
        char *field = apr_pstrmemdup(pool, text, len);
        na_wipe_with_pool(pool, field, len);
        text += len + (text[len] == '&');
        char *equals = strchr(field, '=');
        if (equals)
            *equals++ = '\0';
        const char *name = na_percent_decode(pool, field, 1);
        const char *value = decode_field(pool, equals ? equals : "");
        if (name && *name && value)
            apr_table_addn(fields, name, value);
    }
    return fields;
}
