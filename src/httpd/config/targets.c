/* SPDX-License-Identifier: Apache-2.0 */
/* Files and programs of directives: checks that child processes can read them, that they can be
 * written, or started. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>
#include <unixd.h>

#include "base/writable.h"
#include "httpd/config/build.h"
#include "httpd/config/targets.h"
#include "httpd/pipe.h"

/* Changes user and groups as httpd does in child processes. */
static int become_child(void)
{
    const struct passwd *user = getpwuid(ap_unixd_config.user_id);
    return user && setgid(ap_unixd_config.group_id) == 0 &&
           initgroups(user->pw_name, ap_unixd_config.group_id) == 0 &&
           setuid(ap_unixd_config.user_id) == 0;
}

/* Returns 0, or errno. */
static int try_to_read(const char *path)
{
    struct stat info;
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0)
        return errno;
    return fstat(file, &info) == 0 && S_ISDIR(info.st_mode) ? EISDIR : 0;
}

/* Returns 0, or errno. */
static int try_to_create_files(const char *directory)
{
    struct stat info;
    if (stat(directory, &info) != 0)
        return errno;
    if (!S_ISDIR(info.st_mode))
        return ENOTDIR;
    return access(directory, W_OK | X_OK) == 0 ? 0 : errno;
}

typedef int trial(const char *path);

/* If the user cannot be changed, httpd itself reports it. */
static int try_as_child(trial *what, const char *path)
{
    return geteuid() == 0 && !become_child() ? 0 : what(path);
}

/*
 * Only a process of that user can decide, because access control lists and parent directories
 * count, too. If it ends without a result, the file is assumed to be accessible. With ChrootDir,
 * paths are different now and cannot be checked.
 */
static int ask_child(trial *what, const char *path)
{
    int ends[2], code = 0;
    if (ap_unixd_config.chroot_dir || pipe2(ends, O_CLOEXEC) != 0)
        return 0;
    pid_t child = fork();
    if (child == 0) {
        code = try_as_child(what, path);
        _exit(write(ends[1], &code, sizeof code) != sizeof code);
    }
    close(ends[1]);
    if (child < 0 || read(ends[0], &code, sizeof code) != sizeof code)
        code = 0;
    close(ends[0]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    return code;
}

/* Virtual hosts inherit directives with files: one process for each file is enough. */
static int ask_once(apr_pool_t *pconf, trial *what, const char *path)
{
    const char *key = apr_pstrcat(pconf, "mod_nextauth ",
                                  what == try_to_read ? "reads " : "makes files in ", path, NULL);
    void *answer = NULL;
    apr_pool_userdata_get(&answer, key, pconf);
    if (!answer) {
        int *code = apr_palloc(pconf, sizeof *code);
        *code = ask_child(what, path);
        apr_pool_userdata_setn(code, key, NULL, pconf);
        answer = code;
    }
    return *(const int *)answer;
}

na_error *na_children_check_readable(apr_pool_t *pool, const char *path)
{
    int code = ask_once(pool, try_to_read, path);
    if (!code)
        return NULL;
    na_error *error =
        na_error_new(pool, NA_ERR_CONFIGURATION, "could not read '%s': %s", path, strerror(code));
    if (code != EACCES)
        return error;
    return na_error_with_hint(
        na_error_wrap(pool, error, NULL, "child processes"),
        apr_psprintf(pool,
                     "run chgrp %d '%s' && chmod g+r '%s', and check that this group can enter the "
                     "parent directories",
                     (int)ap_unixd_config.group_id, path, path));
}

na_error *na_children_check_directory(apr_pool_t *pool, const char *directory, int *is_there)
{
    int code = ask_once(pool, try_to_create_files, directory);
    *is_there = code != ENOENT && code != ENOTDIR;
    if (!code)
        return NULL;
    return na_error_with_hint(
        na_error_new(pool, NA_ERR_CONFIGURATION,
                     "child processes could not create files in '%s': %s", directory,
                     strerror(code)),
        *is_there ? apr_psprintf(pool,
                                 "run chown %d '%s', and check that this user can enter the parent "
                                 "directories",
                                 (int)ap_unixd_config.user_id, directory)
                  : "create the directory for the httpd user, or set another path");
}

/* ── destinations ──────────────────────────────────────────────────────────────────────────── */

/* "||" is the same as "|"; after "|$" a shell finds the program, which is not checked. */
static na_error *check_program(na_builder *b, const char *command)
{
    char **words;
    struct stat info;
    if (*command == '$' || apr_tokenize_to_argv(command, &words, b->pool) != APR_SUCCESS ||
        !words[0])
        return NULL;
    if (stat(words[0], &info) == 0 && S_ISREG(info.st_mode) && access(words[0], X_OK) == 0)
        return NULL;
    return na_error_with_hint(na_wrong(b, "'%s' is not an executable file", words[0]),
                              *words[0] == '/' ? "check its path and mode" : "use its full path");
}

na_error *na_build_check_target(na_builder *b, const char *target)
{
    if (*target == '|') {
        NA_TRY(na_pipe_check(b->pool, target));
        return check_program(b, target + strspn(target, "| "));
    }
    const char *path = ap_server_root_relative(b->pool, target);
    return path ? na_writable_file(b->pool, path) : na_wrong(b, "invalid path '%s'", target);
}
