/* SPDX-License-Identifier: Apache-2.0 */
/* httpd's own messages as findings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/json.h"
#include "ctl/check.h"

/* Most bytes of one message of httpd. */
#define SAID_MAX 1000

void na_ctl_add_finding(apr_pool_t *pool, json_t *findings, const char *state, const char *message,
                        const char *hint, const char *file, int line)
{
    json_array_append_new(findings,
                          json_pack("{s:s, s:n, s:s, s:s, s:s, s:s, s:s?, s:s?, s:o}", "site",
                                    "httpd", "virtualHost", "group", "httpd", "subject", "httpd",
                                    "state", state, "message", na_one_line(pool, message, SAID_MAX),
                                    "hint", hint, "file", file && na_is_utf8(file) ? file : NULL,
                                    "line", line ? json_integer(line) : json_null()));
}

/* Printed for a right configuration, and added to a wrong one by Debian's apachectl. */
static int is_noise(const char *line)
{
    return !*line || strcmp(line, "Syntax OK") == 0 || strncmp(line, "Action '", 8) == 0 ||
           strncmp(line, "The Apache error log may have", 29) == 0;
}

/* "AH00526: Syntax error on line 5 of FILE:", followed by the error on the next line. */
static int begins_message(const char *line)
{
    return *line == '[' || (strncmp(line, "AH", 2) == 0 && apr_isdigit(line[2]));
}

static const char *place_of(apr_pool_t *pool, const char *message, int *line)
{
    const char *on = strstr(message, "Syntax error on line "), *of = on ? strstr(on, " of ") : NULL;
    const char *end = of ? strchr(of + 4, ':') : NULL;
    *line = end ? atoi(on + strlen("Syntax error on line ")) : 0;
    return end ? apr_pstrmemdup(pool, of + 4, (apr_size_t)(end - of - 4)) : NULL;
}

static const char *hint_of(const char *message)
{
    return strstr(message, "Invalid command 'NextAuth")
               ? "load the module (a2enmod nextauth); the names of directives are in "
                 "docs/directives.md"
               : NULL;
}

static void add(apr_pool_t *pool, json_t *findings, int is_wrong, const char *message)
{
    int line;
    if (!message)
        return;
    const char *file = place_of(pool, message, &line);
    na_ctl_add_finding(pool, findings, is_wrong ? "wrong" : "warning", message, hint_of(message),
                       file, line);
}

/* Messages of a run that succeeds are warnings. */
static void add_output(apr_pool_t *pool, const na_tested *tested, json_t *findings)
{
    char *last, *text = apr_pstrdup(pool, tested->output);
    const char *message = NULL;
    for (char *line = apr_strtok(text, "\r\n", &last); line;
         line = apr_strtok(NULL, "\r\n", &last)) {
        if (is_noise(line))
            continue;
        if (message && begins_message(line)) {
            add(pool, findings, tested->status != 0, message);
            message = NULL;
        }
        message = message ? apr_pstrcat(pool, message, " ", line, NULL) : line;
    }
    add(pool, findings, tested->status != 0, message);
}

void na_ctl_add_findings_of_httpd(apr_pool_t *pool, const na_tested *tested, json_t *findings)
{
    size_t before = json_array_size(findings);
    add_output(pool, tested, findings);
    if (tested->status != 0 && json_array_size(findings) == before)
        na_ctl_add_finding(pool, findings, "wrong",
                           apr_psprintf(pool, "the configuration test ends with status %d",
                                        tested->status),
                           NULL, NULL, 0);
    if (tested->status == 0 && !tested->findings)
        na_ctl_add_finding(pool, findings, "wrong", "this httpd does not load mod_nextauth",
                           "LoadModule nextauth_module modules/mod_nextauth.so (a2enmod nextauth), "
                           "or --config FILE for another configuration",
                           NULL, 0);
}
