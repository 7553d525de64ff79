/* SPDX-License-Identifier: Apache-2.0 */
/* The reach of a request: whether the scope of a token covers it. */
#include "httpd/request/reach.h"

#include <string.h>

#include <apr_strings.h>
#include <apr_uri.h>

#include "auth/token_scope.h"
#include "httpd/module.h"

/* Users know paths as browsers show them, with what a proxy in front removes. */
static const char *shown_path(request_rec *r)
{
    const char *prefix = na_config_of(r)->prefix;
    return *prefix ? apr_pstrcat(r->pool, prefix, r->uri, NULL) : r->uri;
}

/* Returns 1 for the site's own host, by the name that the client used or the configured one. */
static int is_own_host(request_rec *r, const char *authority)
{
    const char *host = apr_table_get(r->headers_in, "Host");
    const char *own = strstr(na_config_of(r)->origin, "://") + strlen("://");
    return (host && ap_cstr_casecmp(authority, host) == 0) || ap_cstr_casecmp(authority, own) == 0;
}

/*
 * Returns the path of a Destination header, decoded as httpd decodes the path of a request; NULL if
 * it is not a path of this site. RFC 4918 section 10.3: an absolute URL or path, of the same form
 * as the server's own URLs.
 */
static const char *destination_path(request_rec *r, const char *destination)
{
    apr_uri_t uri;
    if (strchr(destination, ' ') || apr_uri_parse(r->pool, destination, &uri) != APR_SUCCESS ||
        !uri.path || *uri.path != '/' || (uri.hostinfo && !is_own_host(r, uri.hostinfo)))
        return NULL;
    char *path = apr_pstrdup(r->pool, uri.path);
    if (!ap_normalize_path(path, AP_NORMALIZE_MERGE_SLASHES | AP_NORMALIZE_DECODE_UNRESERVED) ||
        ap_unescape_url(path) != OK)
        return NULL; /* malformed, or with an encoded slash */
    return path;
}

/* mod_dav authorizes the target as well, but a server behind httpd might not. */
static int is_destination_within(request_rec *r, const char *scope)
{
    const char *destination = apr_table_get(r->headers_in, "Destination");
    if (!destination)
        return 1;
    const char *path = destination_path(r, destination);
    return path && na_scope_covers(scope, r->method, path);
}

/* Frameworks behind httpd can take the method from one of these headers of a POST. */
static int is_override_within(request_rec *r, const char *scope)
{
    static const char *const names[] = {"X-HTTP-Method-Override", "X-HTTP-Method",
                                        "X-Method-Override"};
    for (apr_size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *method = apr_table_get(r->headers_in, names[i]);
        if (method && !na_scope_covers(scope, method, shown_path(r)))
            return 0;
    }
    return 1;
}

int na_is_within_scope(request_rec *r, const char *scope)
{
    return na_scope_covers(scope, r->method, shown_path(r)) && is_override_within(r, scope) &&
           is_destination_within(r, scope);
}
