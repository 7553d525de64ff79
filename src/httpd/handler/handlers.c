/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "httpd/handler/answer.h"
#include "httpd/request/local.h"

typedef struct handler {
    const char *name;    /* SetHandler's */
    int needs_engine;    /* in the server that is asked */
    int takes_post;      /* as well as GET and HEAD */
    int is_for_everyone; /* nobody learns anything by it */
    int (*answer)(request_rec *r);
} handler;

static const handler handlers[] = {{"nextauth-sessions", 1, 1, 0, na_answer_sessions},
                                   {"nextauth-metrics", 0, 0, 0, na_answer_metrics},
                                   {"nextauth-health", 1, 0, 1, na_answer_health},
                                   {"nextauth-diagnostics", 1, 0, 0, na_answer_diagnostics}};

/* ── who may switch a handler on ───────────────────────────────────────────────────────────── */

/*
 * "/srv/a/.htaccess" is of AccessFileName .htaccess, of which there may be several. What mod_macro
 * makes has its name in quotes: macro 'a' (defined on line 1 of "/srv/a/.htaccess") used on …
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
 * SetHandler of the server's configuration, and neither of a tenant's .htaccess nor what else makes
 * a handler there (AddHandler, RewriteRule's H=): it would show everybody's sessions behind
 * whatever Require the tenant likes.
 */
static int is_of_server(request_rec *r)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);
    const ap_expr_info_t *by = core->expr_handler;
    const char *failure = NULL;
    if (!by || !by->filename || is_access_file(r, by->filename))
        return 0;
    const char *name = ap_expr_str_exec(r, by, &failure);
    return !failure && name && strcmp(name, r->handler) == 0;
}

/* ── answers ───────────────────────────────────────────────────────────────────────────────── */

static int refuse_method(request_rec *r, const char *allowed)
{
    apr_table_setn(r->headers_out, "Allow", allowed);
    return na_answer_error(r, HTTP_METHOD_NOT_ALLOWED,
                           apr_pstrcat(r->pool, "the methods are ", allowed, NULL));
}

static int is_authenticated(const request_rec *r)
{
    return r->ap_auth_type && r->user && *r->user;
}

static int answer(request_rec *r, const handler *named)
{
    if (!is_of_server(r)) {
        na_log_request(r, NA_LOG_WARNING, NULL,
                       "handler %s is none here: only SetHandler of the server's configuration "
                       "switches it on",
                       named->name);
        return HTTP_NOT_FOUND;
    }
    if (!named->is_for_everyone && !is_authenticated(r) && na_is_disguised(r))
        return na_answer_error(r, HTTP_FORBIDDEN,
                               "who asks is not known: by way of a proxy on this machine without "
                               "RemoteIPInternalProxy, from another site's page, or by a name that "
                               "is not this server's");
    if (named->needs_engine && !na_config_of(r))
        return na_answer_error(r, HTTP_NOT_FOUND, "NextAuthEngine is off in this server");
    if (r->method_number == M_GET || (r->method_number == M_POST && named->takes_post))
        return named->answer(r);
    return refuse_method(r, named->takes_post ? "GET, HEAD, POST" : "GET, HEAD");
}

int na_handle_named(request_rec *r)
{
    for (apr_size_t i = 0; r->handler && i < sizeof handlers / sizeof *handlers; i++)
        if (strcmp(r->handler, handlers[i].name) == 0)
            return answer(r, &handlers[i]);
    return DECLINED;
}
