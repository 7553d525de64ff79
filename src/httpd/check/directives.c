/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "base/text.h"
#include "httpd/config/build.h"
#include "httpd/findings.h"
#include "httpd/pipe.h"

/* Of what a directive says. */
#define SHOWN_MAX 120

/* Those that never have a secret in them: of all others only names are shown. */
static int is_open(const char *directive)
{
    static const char *const names[] = {
        "NextAuthEngine",
        "NextAuthURL",
        "NextAuthBasePath",
        "NextAuthEnvFile",
        "NextAuthMode",
        "NextAuthCompat",
        "NextAuthCookie",
        "NextAuthSessionMaxAge",
        "NextAuthSessionUpdateAge",
        "NextAuthSessionIdleTimeout",
        "NextAuthSessionStrategy",
        "NextAuthSessionBind",
        "NextAuthSessionAbsoluteTimeout",
        "NextAuthSessionStore",
        "NextAuthSOCache",
        "NextAuthFeature",
        "NextAuthPasswords",
        "NextAuthProvidersFromEnv",
        "NextAuthRoleColumn",
        "NextAuthPages",
        "NextAuthTheme",
        "NextAuthSignInRule",
        "NextAuthRedirectAllow",
        "NextAuthClearSiteData",
        "NextAuthRole",
        "NextAuthClaim",
        "NextAuthSessionClaim",
        "NextAuthMailTemplate",
        "NextAuthLog",
        "NextAuthStatsD",
        "NextAuthEventQueue",
    };
    for (apr_size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(directive, names[i]) == 0)
            return 1;
    return 0;
}

static int is_place(const char *value)
{
    return strncmp(value, "env:", 4) == 0 || strncmp(value, "file:", 5) == 0;
}

/* "clientSecret=env:NAME", "clientId=…", "file:PATH", "…". A secret itself may end with '='. */
static const char *without_secret(apr_pool_t *pool, const char *directive, const char *argument)
{
    const char *equals = strchr(argument, '=');
    size_t name =
        strspn(argument, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
    if (is_place(argument))
        return argument;
    if (!equals || argument + name != equals || strcmp(directive, "NextAuthSecret") == 0)
        return "…";
    return is_place(equals + 1)
               ? argument
               : apr_pstrcat(pool, apr_pstrmemdup(pool, argument, name), "=…", NULL);
}

/* Elsewhere a bar may be what a secret begins with. */
static int takes_programs(const char *directive)
{
    return strcmp(directive, "NextAuthLog") == 0 || strcmp(directive, "NextAuthEvent") == 0 ||
           strcmp(directive, "NextAuthAuditLog") == 0;
}

static const char *shown_argument(apr_pool_t *pool, const na_written *w, int i)
{
    int is_id = i == 0 && strcmp(w->directive, "NextAuthProvider") == 0;
    if (*w->argv[i] == '|' && takes_programs(w->directive))
        return na_pipe_name(pool, w->argv[i]);
    return is_id || is_open(w->directive) ? w->argv[i]
                                          : without_secret(pool, w->directive, w->argv[i]);
}

static const char *shown(apr_pool_t *pool, const na_written *w)
{
    const char *text = "";
    for (int i = 0; i < w->argc; i++)
        text = apr_pstrcat(pool, text, i ? " " : "", shown_argument(pool, w, i), NULL);
    return na_one_line(pool, text, SHOWN_MAX);
}

void na_check_directives(const na_building *b, const apr_array_header_t *written)
{
    for (int i = 0; i < written->nelts; i++) {
        const na_written *w = &APR_ARRAY_IDX(written, i, na_written);
        const na_finding finding = {.group = NA_GROUP_DIRECTIVES,
                                    .subject = w->directive,
                                    .state = NA_RIGHT,
                                    .message = shown(b->pool, w),
                                    .file = w->file,
                                    .line = w->line};
        na_findings_add(b->server, &finding);
    }
}
