/* SPDX-License-Identifier: Apache-2.0 */
/* Directives as nextauthctl check shows them: without secrets. */
#include <string.h>

#include <apr_strings.h>

#include "base/text.h"
#include "httpd/config/build.h"
#include "httpd/findings.h"
#include "httpd/pipe.h"

/* bytes of a directive's arguments */
#define SHOWN_MAX 120

static int names_source(const char *value)
{
    return strncmp(value, "env:", 4) == 0 || strncmp(value, "file:", 5) == 0;
}

/* "clientSecret=env:NAME", "clientId=…", "file:PATH", "…". A secret itself can end with '='. */
static const char *without_secret(apr_pool_t *pool, na_shown shown, const char *argument)
{
    const char *equals = strchr(argument, '=');
    size_t name =
        strspn(argument, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
    if (names_source(argument))
        return argument;
    if (!equals || argument + name != equals || shown == NA_SHOW_SECRET)
        return "…";
    return names_source(equals + 1)
               ? argument
               : apr_pstrcat(pool, apr_pstrmemdup(pool, argument, name), "=…", NULL);
}

static const char *shown_argument(apr_pool_t *pool, const na_directive *w, int i)
{
    const na_shown shown = na_directive_rows[w->id].shown;
    int takes_programs = shown == NA_SHOW_PROGRAM || shown == NA_SHOW_OPEN_PROGRAM;
    int is_open = shown == NA_SHOW_OPEN || shown == NA_SHOW_OPEN_PROGRAM ||
                  (shown == NA_SHOW_NAMED && i == 0);
    if (*w->argv[i] == '|' && takes_programs)
        return na_pipe_name(pool, w->argv[i]);
    return is_open ? w->argv[i] : without_secret(pool, shown, w->argv[i]);
}

static const char *shown_arguments(apr_pool_t *pool, const na_directive *w)
{
    const char *text = "";
    for (int i = 0; i < w->argc; i++)
        text = apr_pstrcat(pool, text, i ? " " : "", shown_argument(pool, w, i), NULL);
    return na_one_line(pool, text, SHOWN_MAX);
}

void na_check_directives(const na_builder *b, const apr_array_header_t *written)
{
    for (int i = 0; i < written->nelts; i++) {
        const na_directive *w = &APR_ARRAY_IDX(written, i, na_directive);
        if (w->is_variable)
            continue; /* it has a row as a variable */
        const na_finding finding = {.group = NA_GROUP_DIRECTIVES,
                                    .subject = w->directive,
                                    .state = NA_RIGHT,
                                    .message = shown_arguments(b->pool, w),
                                    .file = w->file,
                                    .line = w->line};
        na_findings_add(b->server, &finding);
    }
}
