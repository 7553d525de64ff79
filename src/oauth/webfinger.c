/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the issuer of an account or a URL: WebFinger (OpenID Connect Discovery 1.0 section 2). */
#include "oauth/webfinger.h"

#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "base/url.h"

#define ACCT "acct:"
#define ISSUER_RELATION "http://openid.net/specs/connect/1.0/issuer"

/* bytes */
#define TEXT_MAX 2000
#define QUOTE_MAX 200

static na_error *invalid(apr_pool_t *pool, const char *text)
{
    return na_error_new(pool, NA_ERR_CONFIGURATION,
                        "invalid account or URL '%s': expected user@example.org or "
                        "https://example.org/user",
                        na_one_line(pool, text, QUOTE_MAX));
}

int na_webfinger_is_account(const char *text)
{
    return strncmp(text, ACCT, strlen(ACCT)) == 0 || (strchr(text, '@') && !strstr(text, "://"));
}

/* Section 2.1.2: the host of an account follows its last @, and a fragment is left out. */
static na_error *find_resource(apr_pool_t *pool, const char *text, const char **resource,
                               na_url *host)
{
    if (strlen(text) > TEXT_MAX || na_has_control(text))
        return invalid(pool, text);
    if (!na_webfinger_is_account(text)) {
        *resource = apr_pstrmemdup(pool, text, strcspn(text, "#"));
        return na_url_parse(pool, *resource, host) && strcmp(host->scheme, "https") == 0
                   ? NULL
                   : invalid(pool, text);
    }
    const char *account = strncmp(text, ACCT, strlen(ACCT)) == 0 ? text + strlen(ACCT) : text;
    const char *at = strrchr(account, '@');
    *resource = apr_pstrcat(pool, ACCT, account, NULL);
    return at && at > account &&
                   na_url_parse(pool, apr_pstrcat(pool, "https://", at + 1, NULL), host) &&
                   !*host->path
               ? NULL
               : invalid(pool, text);
}

/* Section 2; RFC 7033 section 4.1. */
na_error *na_webfinger_url(apr_pool_t *pool, const char *text, const char **url)
{
    const char *resource = text;
    na_url host;
    NA_TRY(find_resource(pool, text, &resource, &host));
    *url = apr_pstrcat(pool, host.origin, "/.well-known/webfinger", NULL);
    *url = na_url_add(pool, *url, "resource", resource);
    *url = na_url_add(pool, *url, "rel", ISSUER_RELATION);
    return NULL;
}

/* The issuer becomes a part of a directive, where these characters mean something. */
static na_error *check_issuer(apr_pool_t *pool, const char *issuer)
{
    na_url url;
    return na_url_parse(pool, issuer, &url) && strcmp(url.scheme, "https") == 0 &&
                   !strpbrk(url.path, "?#\"'\\${}<>`") && strlen(issuer) <= TEXT_MAX
               ? NULL
               : na_error_new(pool, NA_ERR_CONFIGURATION,
                              "the WebFinger response has the issuer '%s', which is not an https "
                              "URL",
                              na_one_line(pool, issuer, QUOTE_MAX));
}

/* RFC 7033 section 4.4: the server may ignore `rel`, and list other links. */
na_error *na_webfinger_read(apr_pool_t *pool, na_bytes body, const char **issuer)
{
    json_t *answer, *link;
    size_t i;
    na_error *error =
        na_json_parse(pool, NA_ERR_CONFIGURATION, (const char *)body.data, body.len, &answer);
    if (error)
        return na_error_wrap(pool, error, NULL, "invalid WebFinger response");
    json_array_foreach(json_object_get(answer, "links"), i, link)
    {
        const char *rel = na_json_string(link, "rel");
        *issuer = na_json_string(link, "href");
        if (rel && strcmp(rel, ISSUER_RELATION) == 0 && *issuer)
            return check_issuer(pool, *issuer);
    }
    return na_error_new(pool, NA_ERR_CONFIGURATION, "the WebFinger response names no issuer");
}
