/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/writable.h"
#include "httpd/config/build.h"
#include "httpd/pipe.h"

/* As the server starts it: "||" is "|", and "|$" is for a shell, which has its own ways to find
 * one. */
static na_error *check_program(na_building *b, const char *command)
{
    char **words;
    struct stat info;
    if (*command == '$' || apr_tokenize_to_argv(command, &words, b->pool) != APR_SUCCESS ||
        !words[0])
        return NULL;
    if (stat(words[0], &info) == 0 && S_ISREG(info.st_mode) && access(words[0], X_OK) == 0)
        return NULL;
    return na_error_with_hint(na_wrong(b, "there is no program '%s' that could be started",
                                       words[0]),
                              *words[0] == '/' ? "look at its path and its mode"
                                               : "write its whole path");
}

na_error *na_build_check_target(na_building *b, const char *target)
{
    if (*target == '|') {
        NA_TRY(na_pipe_check(b->pool, target));
        return check_program(b, target + strspn(target, "| "));
    }
    const char *path = ap_server_root_relative(b->pool, target);
    return path ? na_writable_file(b->pool, path) : na_wrong(b, "'%s' is no path", target);
}
