/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "httpd/answer.h"

typedef struct handler {
    const char *name; /* SetHandler's */
    int needs_engine; /* in the server that is asked */
    int takes_post;   /* as well as GET and HEAD */
    int (*answer)(request_rec *r);
} handler;

static const handler handlers[] = {{"nextauth-sessions", 1, 1, na_answer_sessions},
                                   {"nextauth-metrics", 0, 0, na_answer_metrics},
                                   {"nextauth-health", 1, 0, na_answer_health},
                                   {"nextauth-diagnostics", 1, 0, na_answer_diagnostics}};

static int refuse_method(request_rec *r, const char *allowed)
{
    apr_table_setn(r->headers_out, "Allow", allowed);
    return na_answer_error(r, HTTP_METHOD_NOT_ALLOWED,
                           apr_pstrcat(r->pool, "the methods are ", allowed, NULL));
}

static int answer(request_rec *r, const handler *named)
{
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
