/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that read lines from this module. */
#include "httpd/pipe.h"

#include <string.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>

/* Characters that end a program's name; a shell accepts NAME=value before it. */
#define NAME_END " \t="

static const char *command_of(const char *target)
{
    return target + strspn(target, "|$ ");
}

na_error *na_pipe_check(apr_pool_t *pool, const char *target)
{
    return *command_of(target) ? NULL
                               : na_error_new(pool, NA_ERR_CONFIGURATION,
                                              "missing program after | in '%s'", target);
}

const char *na_pipe_name(apr_pool_t *pool, const char *target)
{
    const char *command = command_of(target);
    return apr_psprintf(pool, "|%.*s", (int)strcspn(command, NAME_END), command);
}

na_error *na_pipe_open(apr_pool_t *pconf, const char *target, apr_file_t **pipe)
{
    piped_log *program = ap_open_piped_log(pconf, target + 1);
    if (!program)
        return na_error_new(pconf, NA_ERR_CONFIGURATION, "could not start '%s'",
                            na_pipe_name(pconf, target));
    *pipe = ap_piped_log_write_fd(program);
    return NULL;
}
