/* SPDX-License-Identifier: Apache-2.0 */
/* A site's engine, mode, name, canonical URL and base path. */
#include <stddef.h>
#include <string.h>

#include <apr_strings.h>

#include "base/url.h"
#include "httpd/config/build.h"
#include "httpd/config/settings.h"

na_error *na_build_engine(na_builder *b, const na_directive *w)
{
    return na_as_switch(b, w->argv[0], &b->engine);
}

na_error *na_build_mode(na_builder *b, const na_directive *w)
{
    return na_mode_find(w->argv[0], &b->config->mode)
               ? NULL
               : na_wrong(b, "invalid mode '%s': expected production, development, or test",
                          w->argv[0]);
}

na_error *na_build_from_env(na_builder *b, const na_directive *w)
{
    return na_as_switch(b, w->argv[0], &b->from_env);
}

static na_error *as_unbound(na_builder *b, const char *value, void *member)
{
    int accept = strcmp(value, "accept") == 0;
    *(na_unbound *)member = accept ? NA_UNBOUND_ACCEPT : NA_UNBOUND_REFUSE;
    return accept || strcmp(value, "refuse") == 0
               ? NULL
               : na_wrong(b, "invalid unbound='%s': expected accept or refuse", value);
}

/* A URL has slashes, a name has none: one cannot be mistaken for the other. */
na_error *na_build_site(na_builder *b, const na_directive *w)
{
    static const na_setting settings[] = {{"unbound", offsetof(na_config, unbound), as_unbound},
                                          {NULL, 0, NULL}};
    if (!na_build_is_name(w->argv[0]))
        return na_wrong(b,
                        "invalid name '%s': expected 1 to 64 letters, digits and - _ . :, then "
                        "unbound=",
                        w->argv[0]);
    b->config->site_name = w->argv[0];
    b->config->unbound = NA_UNBOUND_AUTO; /* resets what the main server has set */
    return na_build_settings(b, w, 1, settings, b->config);
}

static na_error *parse_dialect(na_builder *b, const char *name, na_dialect *dialect)
{
    *dialect = strcmp(name, "v5") == 0 ? NA_V5 : NA_V4;
    return *dialect == NA_V5 || strcmp(name, "v4") == 0
               ? NULL
               : na_wrong(b, "invalid format '%s': expected v4 or v5", name);
}

na_error *na_build_compat(na_builder *b, const na_directive *w)
{
    NA_TRY(parse_dialect(b, w->argv[0], &b->config->dialect));
    b->accepted = 1 << b->config->dialect;
    for (int i = 1; i < w->argc; i++) {
        if (strncmp(w->argv[i], "accept=", 7) != 0)
            return na_wrong(b, "unknown option '%s': expected accept=v4,v5", w->argv[i]);
        char *last, *list = apr_pstrdup(b->pool, w->argv[i] + 7);
        for (char *name = apr_strtok(list, ",", &last); name; name = apr_strtok(NULL, ",", &last)) {
            na_dialect dialect;
            NA_TRY(parse_dialect(b, name, &dialect));
            b->accepted |= 1 << dialect;
        }
    }
    return NULL;
}

static na_error *as_origin(na_builder *b, const char *value, na_url *url)
{
    return na_url_parse(b->pool, value, url) && (!*url->path || strcmp(url->path, "/") == 0)
               ? NULL
               : na_wrong(b, "invalid origin '%s': expected https://HOST[:PORT]", value);
}

na_error *na_build_redirect_allow(na_builder *b, const na_directive *w)
{
    for (int i = 0; i < w->argc; i++) {
        na_url url;
        NA_TRY(as_origin(b, w->argv[i], &url));
        APR_ARRAY_PUSH((apr_array_header_t *)b->config->redirect_origins, const char *) =
            url.origin;
    }
    return NULL;
}

static na_error *add_proxied(na_builder *b, const char *text, apr_array_header_t *hosts)
{
    na_host_pattern host;
    const char *path;
    const char *wrong = na_host_pattern_parse(b->pool, text, &host, &path);
    int is_plain = !wrong && strcmp(host.scheme, "http") == 0;
    if (wrong || (*path && strcmp(path, "/") != 0) ||
        (is_plain && b->config->mode == NA_PRODUCTION))
        return na_error_with_hint(na_wrong(b, "invalid origin '%s'%s%s", text, wrong ? ": " : "",
                                           wrong ? wrong : ""),
                                  "use https://HOST[:PORT]; HOST can be *.DOMAIN");
    APR_ARRAY_PUSH(hosts, na_host_pattern) = host;
    return NULL;
}

/* The URL is that of the endpoints, as in Auth.js; each provider's callback is below it. */
na_error *na_build_redirect_proxy(na_builder *b, const na_directive *w)
{
    apr_array_header_t *hosts = apr_array_make(b->pool, w->argc, sizeof(na_host_pattern));
    const char *text;
    na_url url;
    NA_TRY(na_value_resolve(&b->environment, w->argv[0], &text));
    if (!na_url_parse(b->pool, text, &url) || strpbrk(url.path, "?#") || !url.path[0] ||
        strcmp(url.path, "/") == 0 ||
        (b->config->mode == NA_PRODUCTION && strcmp(url.scheme, "https") != 0))
        return na_error_with_hint(
            na_wrong(b, "invalid URL '%s'", text),
            "use https://HOST[:PORT]/api/auth, the URL of the endpoints there");
    b->config->redirect_proxy = text;
    for (int i = 1; i < w->argc; i++)
        NA_TRY(add_proxied(b, w->argv[i], hosts));
    b->config->proxied_hosts = hosts;
    return NULL;
}

/* Over plain HTTP, an attacker in between could replace the page that has the frame. */
na_error *na_build_frame_allow(na_builder *b, const na_directive *w)
{
    const char *origins = b->config->frame_origins;
    for (int i = 0; i < w->argc; i++) {
        na_url url;
        NA_TRY(as_origin(b, w->argv[i], &url));
        if (strcmp(url.scheme, "https") != 0)
            return na_wrong(b, "invalid origin '%s': expected https://HOST[:PORT]", w->argv[i]);
        origins = origins ? apr_pstrcat(b->pool, origins, " ", url.origin, NULL) : url.origin;
    }
    b->config->frame_origins = origins;
    return NULL;
}

/* W3C Clear Site Data, section 3.1 */
static int is_site_data(const char *type)
{
    static const char *const types[] = {"cache", "cookies", "storage", "executionContexts", "*"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(type, types[i]) == 0)
            return 1;
    return 0;
}

na_error *na_build_clear_site_data(na_builder *b, const na_directive *w)
{
    apr_array_header_t *quoted = apr_array_make(b->pool, w->argc, sizeof(const char *));
    b->config->clear_site_data = NULL;
    if (w->argc == 1 && ap_cstr_casecmp(w->argv[0], "Off") == 0)
        return NULL;
    for (int i = 0; i < w->argc; i++) {
        if (!is_site_data(w->argv[i]))
            return na_wrong(b,
                            "invalid type '%s': expected cache, cookies, storage, "
                            "executionContexts or *, or Off alone",
                            w->argv[i]);
        APR_ARRAY_PUSH(quoted, const char *) = apr_pstrcat(b->pool, "\"", w->argv[i], "\"", NULL);
    }
    b->config->clear_site_data = na_join(b->pool, quoted, ", ");
    return NULL;
}

/* ── URL and base path ─────────────────────────────────────────────────────────────────────── */

na_error *na_build_url(na_builder *b, const na_directive *w)
{
    apr_array_header_t *urls = apr_array_make(b->pool, w->argc, sizeof(const char *));
    for (int i = 0; i < w->argc; i++)
        NA_TRY(na_value_resolve(&b->environment, w->argv[i], (const char **)apr_array_push(urls)));
    b->urls = urls;
    return NULL;
}

static na_error *check_base_path(na_builder *b, const char *path)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./~";
    size_t len = strlen(path);
    if (*path == '/' && len > 1 && path[len - 1] != '/' && !path[strspn(path, allowed)] &&
        !strstr(path, "//") && !strstr(path, "/."))
        return NULL;
    return na_error_with_hint(na_wrong(b, "invalid base path '%s'", path),
                              "use a path such as /api/auth: letters, digits, and - _ . ~ between "
                              "slashes, without a slash at the end");
}

na_error *na_build_base_path(na_builder *b, const na_directive *w)
{
    NA_TRY(check_base_path(b, w->argv[0]));
    b->base_path = w->argv[0];
    return NULL;
}

/* Returns the URL of ServerName; the Host header is never used. NULL if there is no ServerName. */
static const char *url_of_server(na_builder *b)
{
    const server_rec *s = b->server;
    const char *host = s->server_hostname;
    int port = s->port ? s->port : s->addrs ? s->addrs->host_port : 0;
    if (!host || !*host)
        return NULL;
    const char *scheme = s->server_scheme ? s->server_scheme : port == 443 ? "https" : "http";
    return port ? apr_psprintf(b->pool, "%s://%s:%d", scheme, host, port)
                : apr_pstrcat(b->pool, scheme, "://", host, NULL);
}

static na_error *parse_url(na_builder *b, const char *text, na_host_pattern *host,
                           const char **path)
{
    if (!strstr(text, "://")) /* NextAuth, too, accepts a URL without a scheme */
        text = apr_pstrcat(b->pool, "https://", text, NULL);
    const char *wrong = na_host_pattern_parse(b->pool, text, host, path);
    if (wrong || strpbrk(*path, "?#*"))
        return na_error_with_hint(
            na_wrong(b, "invalid URL '%s'%s%s", text, wrong ? ": " : "", wrong ? wrong : ""),
            "use https://HOST[:PORT][/PATH], without user, query, or fragment; HOST can be "
            "*.DOMAIN");
    if (b->config->mode == NA_PRODUCTION && strcmp(host->scheme, "https") != 0)
        return na_error_with_hint(
            na_wrong(b, "the canonical URL '%s'%s is not an HTTPS URL", host->origin,
                     b->urls ? "" : " (from ServerName)"),
            "set NextAuthURL https://HOST, or NextAuthMode development on a developer's machine");
    return NULL;
}

static const char *without_end_slashes(apr_pool_t *pool, const char *path)
{
    size_t len = strlen(path);
    while (len && path[len - 1] == '/')
        len--;
    return apr_pstrmemdup(pool, path, len);
}

/* Cookies, endpoints, and the sections for paths are the same at all hosts. */
static na_error *add_host(na_builder *b, const char *text, apr_array_header_t *hosts,
                          const char **path)
{
    const na_host_pattern *first = hosts->nelts ? (const na_host_pattern *)hosts->elts : NULL;
    na_host_pattern host;
    const char *own;
    NA_TRY(parse_url(b, text, &host, &own));
    own = without_end_slashes(b->pool, own);
    if (first && (strcmp(host.scheme, first->scheme) != 0 || strcmp(own, *path) != 0))
        return na_error_with_hint(
            na_wrong(b, "'%s%s' and '%s%s' differ in more than the host", first->origin, *path,
                     host.origin, own),
            "set URLs with the same scheme and path, or another virtual host");
    APR_ARRAY_PUSH(hosts, na_host_pattern) = host;
    b->config->is_by_host |= first || host.star;
    *path = own;
    return NULL;
}

/* Sets the hosts of NextAuthURL, or that of ServerName. */
static na_error *find_hosts(na_builder *b, const char **path)
{
    apr_array_header_t *hosts = apr_array_make(b->pool, 1, sizeof(na_host_pattern));
    const char *of_server = b->urls ? NULL : url_of_server(b);
    b->config->hosts = hosts;
    if (!b->urls && !of_server)
        return na_error_with_hint(na_wrong(b, "missing NextAuthURL and ServerName"),
                                  "set NextAuthURL https://HOST, the URL that browsers use");
    if (of_server)
        return add_host(b, of_server, hosts, path);
    for (int i = 0; i < b->urls->nelts; i++)
        NA_TRY(add_host(b, APR_ARRAY_IDX(b->urls, i, const char *), hosts, path));
    return NULL;
}

static int is_below(const char *path, const char *parent)
{
    size_t len = strlen(parent);
    return strncmp(path, parent, len) == 0 && (!path[len] || path[len] == '/');
}

/* As in NextAuth, the path of the URL alone is that of the endpoints, although the site's is often
 * meant. */
static void warn_of_paths(na_builder *b, const char *path)
{
    const char *last = strrchr(path, '/');
    if (*b->config->prefix)
        na_build_warn_aloud(
            b, na_error_with_hint(
                   na_wrong(b,
                            "%s is not below %s: browsers use the endpoints at %s, so a reverse "
                            "proxy must remove %s from paths",
                            b->base_path, path, b->config->base_url, path),
                   apr_pstrcat(b->pool, "set NextAuthBasePath ", path, b->base_path,
                               " if there is no such proxy", NULL)));
    else if (!b->base_path && last && !strstr(last, "auth"))
        na_build_warn_aloud(
            b, na_error_with_hint(na_wrong(b, "all paths below %s are endpoints", path),
                                  apr_pstrcat(b->pool, "add NextAuthBasePath ", path,
                                              "/api/auth if the site is at ", path, NULL)));
}

na_error *na_build_finish_url(na_builder *b)
{
    na_config *config = b->config;
    const char *path;
    NA_TRY(find_hosts(b, &path));
    config->origin = APR_ARRAY_IDX(config->hosts, 0, na_host_pattern).origin;
    config->home = config->origin;
    config->prefix = "";
    config->base_path = b->base_path ? b->base_path : *path ? path : "/api/auth";
    if (na_build_is_wrong(b, NextAuthBasePath))
        return NULL;
    if (b->base_path && !is_below(b->base_path, path))
        config->prefix = path;
    if (b->base_path)
        config->home = apr_pstrcat(b->pool, config->origin, path, NULL);
    config->base_url =
        apr_pstrcat(b->pool, config->origin, config->prefix, config->base_path, NULL);
    NA_TRY(check_base_path(b, config->base_path));
    warn_of_paths(b, path);
    return NULL;
}
