/* SPDX-License-Identifier: Apache-2.0 */
/* Values from environment variables, files and commands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <apr_strings.h>

#include "base/secret.h"
#include "httpd/config/build.h"
#include "httpd/config/environment.h"

static const char *find_variable(const na_environment *environment, const char *name)
{
    const char *value = getenv(name);
    if ((!value || !*value) && environment->file)
        value = apr_table_get(environment->file->values, name);
    return value && *value ? value : NULL;
}

const char *na_environment_get(const na_environment *environment, const char *name)
{
    const char *value = find_variable(environment, name);
    if (!value)
        return NULL;
    apr_table_set(environment->used, name, "");
    return apr_pstrdup(environment->pool, value); /* child processes erase the environment's */
}

int na_environment_has(const na_environment *environment, const char *name)
{
    return find_variable(environment, name) != NULL;
}

/* Output of a command that fails is not used: it might be part of a secret. Messages omit the
 * command, which might contain one. */
static na_error *run_command(apr_pool_t *pool, const char *command, const char **output)
{
    char *text;
    FILE *pipe = popen(command, "re");
    if (!pipe)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not run the command after exec:");
    na_error *error = na_secret_read_stream(pool, pipe, "its output", &text);
    int status = pclose(pipe);
    *output = text;
    if (!error && status == 0)
        return NULL;
    return na_error_wrap(pool, error, NA_ERR_CONFIGURATION,
                         "the command after exec: ended with status %d",
                         WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

na_error *na_value_resolve(const na_environment *environment, const char *value,
                           const char **resolved)
{
    apr_pool_t *pool = environment->pool;
    *resolved = value;
    if (strncmp(value, "env:", 4) == 0) {
        *resolved = na_environment_get(environment, value + 4);
        return *resolved ? NULL
                         : na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                                           "variable '%s' is not set", value + 4),
                                              "set it in NextAuthEnvFile, or in the server's "
                                              "environment (Debian: /etc/apache2/envvars)");
    }
    if (strncmp(value, "file:", 5) == 0) {
        char *text;
        NA_TRY(na_secret_read(pool, ap_server_root_relative(pool, value + 5), &text));
        *resolved = text;
        return NULL;
    }
    return strncmp(value, "exec:", 5) == 0
               ? na_error_with_hint(run_command(pool, value + 5, resolved),
                                    "run it in a shell as the user that starts httpd")
               : NULL;
}

const na_directive *na_environment_place(const na_environment *environment, const char *name)
{
    const na_envfile *file = environment->file;
    const char *own = getenv(name), *line = file ? apr_table_get(file->lines, name) : NULL;
    na_directive *place = apr_pcalloc(environment->pool, sizeof *place);
    place->directive = name;
    if (line && (!own || !*own)) {
        place->file = file->path;
        place->line = atoi(line);
    }
    return place;
}

na_error *na_build_env_file(na_builder *b, const na_directive *w)
{
    return na_envfile_read(b->pool, ap_server_root_relative(b->pool, w->argv[0]),
                           &b->environment.file);
}
