/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of clients: browsers, scripts in them, and programs without a user who sees pages. */
#include "httpd/request/client.h"

#include <string.h>

#include "httpd/module.h"

/* Fetch Metadata Request Headers, section 2.2; without those headers, by what the client accepts.
 */
int na_is_page_load(request_rec *r)
{
    const char *mode = apr_table_get(r->headers_in, "Sec-Fetch-Mode");
    const char *accept = apr_table_get(r->headers_in, "Accept");
    if (mode)
        return strcmp(mode, "navigate") == 0;
    return accept && strstr(accept, "text/html") &&
           !apr_table_get(r->headers_in, "X-Requested-With");
}

/* Sec-Purpose (Fetch, section 3.4), and what Safari and Firefox sent before it. */
int na_is_prefetch(request_rec *r)
{
    static const char *const names[] = {"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"};
    for (apr_size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = apr_table_get(r->headers_in, names[i]);
        if (value && (strstr(value, "prefetch") || strcmp(value, "preview") == 0))
            return 1;
    }
    return 0;
}

int na_is_shown_in_tab(request_rec *r)
{
    const char *target = apr_table_get(r->headers_in, "Sec-Fetch-Dest");
    return !r->header_only && na_is_page_load(r) && !na_is_prefetch(r) &&
           (!target || strcmp(target, "document") == 0);
}

/* ── browsers ──────────────────────────────────────────────────────────────────────────────── */

/* Browsers alone send these, and scripts in them cannot leave out those with "Sec-" (Fetch,
 * section 2.2.2).
 */
static int has_browser_header(request_rec *r)
{
    static const char *const names[] = {"Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-Dest",
                                        "X-Requested-With", "Origin"};
    for (apr_size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (apr_table_get(r->headers_in, names[i]))
            return 1;
    return 0;
}

static int has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

int na_is_of_browser(request_rec *r)
{
    const char *agent = apr_table_get(r->headers_in, "User-Agent");
    return has_browser_header(r) ||
           (agent && (has_prefix(agent, "Mozilla/") || has_prefix(agent, "Opera/")));
}

/* Returns 1 if `origin` has the requested host, because a site can have several names. */
static int is_of_requested_host(request_rec *r, const char *origin)
{
    const char *host = apr_table_get(r->headers_in, "Host");
    const char *authority = strstr(origin, "://");
    return host && authority && ap_cstr_casecmp(authority + strlen("://"), host) == 0;
}

/*
 * By Sec-Fetch-Site (Fetch Metadata Request Headers, section 2.1) or Origin (RFC 6454 section 7).
 * Clients other than browsers, and old browsers, send neither.
 */
int na_is_foreign(request_rec *r)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    const char *origin = apr_table_get(r->headers_in, "Origin");
    if (site)
        return strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
    return origin && strcmp(origin, "null") != 0 &&
           ap_cstr_casecmp(origin, na_config_of(r)->origin) != 0 &&
           !is_of_requested_host(r, origin);
}

int na_is_of_our_page(request_rec *r)
{
    const char *origin = apr_table_get(r->headers_in, "Origin");
    return (apr_table_get(r->headers_in, "Sec-Fetch-Site") ||
            (origin && strcmp(origin, "null") != 0)) &&
           !na_is_foreign(r);
}

/* ── clients without a browser ─────────────────────────────────────────────────────────────── */

/* RFC 4918, RFC 3253, RFC 3648, RFC 3744, RFC 4791, RFC 5323, RFC 5842. */
static int is_dav_method(const char *method)
{
    static const char *const names[] = {
        "PROPFIND",         "PROPPATCH",   "MKCOL",  "COPY",     "MOVE",       "LOCK",
        "UNLOCK",           "REPORT",      "MERGE",  "CHECKOUT", "CHECKIN",    "UNCHECKOUT",
        "VERSION-CONTROL",  "MKWORKSPACE", "UPDATE", "LABEL",    "MKACTIVITY", "ORDERPATCH",
        "BASELINE-CONTROL", "ACL",         "SEARCH", "BIND",     "UNBIND",     "REBIND",
        "MKCALENDAR"};
    for (apr_size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], method) == 0)
            return 1;
    return 0;
}

/* Conservative: one that is missing is asked with `NextAuthUnauthenticated 401`. */
static int is_known_agent(const char *agent)
{
    static const char *const prefixes[] = {
        "git/",         "git-lfs/",      "JGit/",
        "SVN/",         "svn/",          "TortoiseSVN",
        "mercurial",    "cadaver/",      "neon/",
        "davfs2/",      "gvfs/",         "rclone/",
        "Cyberduck/",   "Mountain Duck", "WinSCP/",
        "WebDAVFS/",    "WebDAVLib",     "Microsoft-WebDAV-MiniRedir/",
        "DavClnt",      "DAVx5/",        "DAVdroid/",
        "vdirsyncer/",  "Evolution/",    "KDE DAV",
        "iOS/",         "macOS/",        "CalendarAgent/",
        "dataaccessd/", "curl/",         "Wget/",
        "HTTPie/"};
    for (apr_size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (has_prefix(agent, prefixes[i]))
            return 1;
    return 0;
}

int na_is_plain_client(request_rec *r)
{
    const char *agent = apr_table_get(r->headers_in, "User-Agent");
    return !has_browser_header(r) && (is_dav_method(r->method) || (agent && is_known_agent(agent)));
}
