/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/envfile.h"
#include "httpd/findings.h"
#include "httpd/build.h"

#define OUTPUT_MAX (64 * 1024)

static const char *look_up(const na_environment *environment, const char *name)
{
    const char *value = getenv(name);
    if ((!value || !*value) && environment->file)
        value = apr_table_get(environment->file->values, name);
    return value && *value ? value : NULL;
}

const char *na_environment_get(const na_environment *environment, const char *name)
{
    const char *value = look_up(environment, name);
    if (value && environment->used)
        apr_table_set(environment->used, name, "");
    return value;
}

int na_environment_has(const na_environment *environment, const char *name)
{
    return look_up(environment, name) != NULL;
}

void na_value_warn_if_literal(const server_rec *s, const na_written *written, const char *what,
                              const char *value)
{
    if (strncmp(value, "env:", 4) == 0 || strncmp(value, "file:", 5) == 0 ||
        strncmp(value, "exec:", 5) == 0)
        return;
    const na_finding finding = {
        .group = NA_GROUP_DIRECTIVES,
        .subject = written->directive,
        .state = NA_WARNING,
        .message = apr_pstrcat(s->process->pconf, what,
                               " is written out, and mod_info shows directives as written", NULL),
        .mend = "use env:NAME, file:PATH or exec:COMMAND",
        .file = written->file,
        .line = written->line};
    if (!na_findings_add(s, &finding))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, "%s on line %d of %s: %s: %s",
                     finding.subject, finding.line, finding.file, finding.message, finding.mend);
}

/* Secrets in files end in a line feed more often than not. */
static const char *without_line_end(char *text)
{
    size_t len = strlen(text);
    while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        text[--len] = '\0';
    return text;
}

static na_error *run(apr_pool_t *pool, const char *command, const char **output)
{
    char *text = apr_pcalloc(pool, OUTPUT_MAX + 1);
    FILE *pipe = popen(command, "re");
    if (!pipe)
        return na_error_new(pool, NA_CONFIGURATION, "cannot run '%s'", command);
    na_wipe_with_pool(pool, text, OUTPUT_MAX);
    size_t len = fread(text, 1, OUTPUT_MAX, pipe);
    int status = pclose(pipe);
    if (status != 0 || len == 0)
        return na_error_new(pool, NA_CONFIGURATION, "'%s' printed nothing or ended with status %d",
                            command, status);
    *output = without_line_end(text);
    return NULL;
}

na_error *na_value_resolve(const na_environment *environment, const char *value,
                           const char **resolved)
{
    apr_pool_t *pool = environment->pool;
    *resolved = value;
    if (strncmp(value, "env:", 4) == 0) {
        *resolved = na_environment_get(environment, value + 4);
        return *resolved ? NULL
                         : na_error_mended_by(na_error_new(pool, NA_CONFIGURATION,
                                                           "variable %s is neither in the server's "
                                                           "environment nor in NextAuthEnvFile",
                                                           value + 4),
                                              "set it in that file, or where httpd is started "
                                              "(Debian: /etc/apache2/envvars)");
    }
    if (strncmp(value, "file:", 5) == 0) {
        char *text;
        NA_TRY(na_secret_file_read(pool, ap_server_root_relative(pool, value + 5), &text));
        *resolved = without_line_end(text);
        return NULL;
    }
    return strncmp(value, "exec:", 5) == 0
               ? na_error_mended_by(run(pool, value + 5, resolved),
                                    "run it by hand as who starts httpd")
               : NULL;
}
