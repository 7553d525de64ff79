/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions of directives, parsed by httpd. */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "httpd/module.h"
#include "httpd/parsing.h"

/* Returns the character that ends the profile path that begins here, in "PROFILE:…}" or
 * "PROFILE('…'"; 0 if none begins here. */
static char terminator_of_path(const char *at)
{
    static const char name[] = "PROFILE";
    if (strncasecmp(at, name, sizeof name - 1) != 0)
        return 0;
    at += sizeof name - 1;
    if (*at == ':')
        return '}';
    return *at == '(' && (at[1] == '\'' || at[1] == '"') ? at[1] : 0;
}

/* httpd removes backslashes while it parses; a path needs those before the dots of a name. */
static const char *double_backslashes(apr_pool_t *pool, const char *at)
{
    char *out = apr_palloc(pool, 2 * strlen(at) + 1), *p = out, end = 0;
    for (; *at; at++) {
        char begins = end ? 0 : terminator_of_path(at);
        if (begins) {
            size_t len = strcspn(at, ":(") + (begins == '}' ? 1 : 2);
            memcpy(p, at, len);
            p += len;
            at += len - 1;
            end = begins;
            continue;
        }
        if (*at == end)
            end = 0;
        if (end && *at == '\\')
            *p++ = '\\';
        *p++ = *at;
    }
    *p = '\0';
    return out;
}

/* used only while directives are read, in one thread */
static na_moment moment_parsed;

na_moment na_parsing_for(void)
{
    return moment_parsed;
}

ap_expr_info_t *na_parse_expression(cmd_parms *cmd, const char *text, unsigned flags,
                                    na_moment moment, const char **error)
{
    *error = NULL;
    moment_parsed = moment;
    ap_expr_info_t *parsed =
        ap_expr_parse_cmd(cmd, double_backslashes(cmd->pool, text), flags, error, NULL);
    moment_parsed = NA_WITH_SESSION;
    return parsed;
}
