/* SPDX-License-Identifier: Apache-2.0 */
/* Files and programs that directives name: what children can read, what can be written or started.
 */
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
#include "httpd/pipe.h"

/* As httpd does with its children. */
static int become_child(void)
{
    const struct passwd *user = getpwuid(ap_unixd_config.user_id);
    return user && setgid(ap_unixd_config.group_id) == 0 &&
           initgroups(user->pw_name, ap_unixd_config.group_id) == 0 &&
           setuid(ap_unixd_config.user_id) == 0;
}

/* 0, or errno; as the next. */
static int try_to_read(const char *path)
{
    struct stat info;
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0)
        return errno;
    return fstat(file, &info) == 0 && S_ISDIR(info.st_mode) ? EISDIR : 0;
}

static int try_to_make_files(const char *folder)
{
    struct stat info;
    if (stat(folder, &info) != 0)
        return errno;
    if (!S_ISDIR(info.st_mode))
        return ENOTDIR;
    return access(folder, W_OK | X_OK) == 0 ? 0 : errno;
}

typedef int trial(const char *path);

/* Where it cannot become a child, httpd itself will say that. */
static int try_as_child(trial *what, const char *path)
{
    return geteuid() == 0 && !become_child() ? 0 : what(path);
}

/*
 * Only a process of that user can tell: access lists, and the folders above, count as well. One
 * that ends without a word, for whatever reason, has nothing against the file. What is behind
 * ChrootDir has another path now.
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

/* Every virtual host inherits what names a file: one process for each file is enough. */
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
        na_error_new(pool, NA_ERR_CONFIGURATION, "cannot read %s: %s", path, strerror(code));
    if (code != EACCES)
        return error;
    return na_error_with_hint(
        na_error_wrap(pool, error, NULL, "httpd's children"),
        apr_psprintf(pool, "chgrp %d %s; chmod g+r %s; and let them pass the folders above",
                     (int)ap_unixd_config.group_id, path, path));
}

na_error *na_children_check_folder(apr_pool_t *pool, const char *folder, int *is_there)
{
    int code = ask_once(pool, try_to_make_files, folder);
    *is_there = code != ENOENT && code != ENOTDIR;
    if (!code)
        return NULL;
    return na_error_with_hint(
        na_error_new(pool, NA_ERR_CONFIGURATION, "httpd's children cannot make files in %s: %s",
                     folder, strerror(code)),
        *is_there ? apr_psprintf(pool,
                                 "give the folder to httpd's user (chown %d %s), and let it pass "
                                 "the folders above",
                                 (int)ap_unixd_config.user_id, folder)
                  : "make the folder, for httpd's user, or name another");
}

/* ── what is written to ────────────────────────────────────────────────────────────────────── */

/* As the server starts it: "||" is "|", and "|$" is for a shell, which has its own ways to find
 * one. */
static na_error *check_program(na_builder *b, const char *command)
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

na_error *na_build_check_target(na_builder *b, const char *target)
{
    if (*target == '|') {
        NA_TRY(na_pipe_check(b->pool, target));
        return check_program(b, target + strspn(target, "| "));
    }
    const char *path = ap_server_root_relative(b->pool, target);
    return path ? na_writable_file(b->pool, path) : na_wrong(b, "'%s' is no path", target);
}
