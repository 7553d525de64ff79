/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers that SetHandler can name, and who can enable them. */
#include <string.h>

#include <apr_strings.h>

#include "httpd/handler/answer.h"
#include "httpd/request/local.h"

typedef struct handler {
    const char *name;    /* argument of SetHandler */
    int needs_engine;    /* requires NextAuthEngine On in the virtual host */
    int is_of_host;      /* its answer is about one host of the site */
    int takes_post;      /* as well as GET and HEAD */
    int is_for_everyone; /* reveals nothing about users */
    int (*answer)(request_rec *r);
} handler;

static const handler handlers[] = {{"nextauth-sessions", 1, 1, 1, 0, na_answer_sessions},
                                   {"nextauth-metrics", 0, 0, 0, 0, na_answer_metrics},
                                   {"nextauth-health", 1, 0, 0, 1, na_answer_health},
                                   {"nextauth-diagnostics", 1, 1, 0, 0, na_answer_diagnostics}};

/* ── where a handler is enabled ────────────────────────────────────────────────────────────── */

/*
 * Returns 1 for "/srv/a/.htaccess" if that is one of the names in AccessFileName. mod_macro puts
 * the name in quotes: macro 'a' (defined on line 1 of "/srv/a/.htaccess") used on …
 */
static int is_access_file(const request_rec *r, const char *file)
{
    const core_server_config *core = ap_get_core_module_config(r->server->module_config);
    const char *names = core->access_name ? core->access_name : DEFAULT_ACCESS_FNAME;
    while (*names) {
        const char *path = apr_pstrcat(r->pool, "/", ap_getword_conf(r->pool, &names), NULL);
        size_t len = strlen(path);
        for (const char *at = file; len > 1 && (at = strstr(at, path)); at++)
            if (!at[len] || at[len] == '"')
                return 1;
    }
    return 0;
}

/*
 * Returns 1 if SetHandler in the server's configuration set the handler. A tenant's .htaccess must
 * not enable one, nor AddHandler or RewriteRule's H= there: the tenant could show the sessions of
 * all users to anyone.
 */
static int is_set_by_server(request_rec *r)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);
    const ap_expr_info_t *by = core->expr_handler;
    const char *failure = NULL;
    if (!by || !by->filename || is_access_file(r, by->filename))
        return 0;
    const char *name = ap_expr_str_exec(r, by, &failure);
    return !failure && name && strcmp(name, r->handler) == 0;
}

/* ── running a handler ─────────────────────────────────────────────────────────────────────── */

static int refuse_method(request_rec *r, const char *allowed)
{
    apr_table_setn(r->headers_out, "Allow", allowed);
    return na_answer_error(r, HTTP_METHOD_NOT_ALLOWED,
                           apr_pstrcat(r->pool, "unsupported method: expected ", allowed, NULL));
}

static int is_authenticated(const request_rec *r)
{
    return r->ap_auth_type && r->user && *r->user;
}

static int run_handler(request_rec *r, const handler *named)
{
    if (!is_set_by_server(r)) {
        na_log_request(r, NA_LOG_WARNING, NULL,
                       "handler %s is not enabled here: only SetHandler in the server's "
                       "configuration enables it",
                       named->name);
        return HTTP_NOT_FOUND;
    }
    if (!named->is_for_everyone && !is_authenticated(r) && na_is_disguised(r))
        return na_answer_error(
            r, HTTP_FORBIDDEN,
            "the client is unknown: the request came through a proxy on this "
            "machine without RemoteIPInternalProxy, from another site's page, or "
            "for a host name that is not this server's");
    if (named->needs_engine && !na_site_config_of(r))
        return na_answer_error(r, HTTP_NOT_FOUND, "NextAuthEngine is off in this virtual host");
    if (named->is_of_host && !na_config_of(r))
        return na_answer_error(r, HTTP_MISDIRECTED_REQUEST,
                               "NextAuthURL does not list this host: use the URL of one that it "
                               "lists");
    if (r->method_number == M_GET || (r->method_number == M_POST && named->takes_post))
        return named->answer(r);
    return refuse_method(r, named->takes_post ? "GET, HEAD, POST" : "GET, HEAD");
}

int na_handle_named(request_rec *r)
{
    for (apr_size_t i = 0; r->handler && i < sizeof handlers / sizeof *handlers; i++)
        if (strcmp(r->handler, handlers[i].name) == 0)
            return run_handler(r, &handlers[i]);
    return DECLINED;
}
