/* SPDX-License-Identifier: Apache-2.0 */
/* Runs httpd's configuration test and reads the module's report. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_strings.h>

#include "base/json.h"
#include "ctl/check.h"

#define OUTPUT_MAX (64 * 1024)
#define REPORT_MAX (16 * 1024 * 1024)

extern char **environ;

/* ── which program ─────────────────────────────────────────────────────────────────────────── */

static const char *find_in(apr_pool_t *pool, const char *directories, const char *name)
{
    char *last, *list = apr_pstrdup(pool, directories);
    for (char *directory = apr_strtok(list, ":", &last); directory;
         directory = apr_strtok(NULL, ":", &last)) {
        const char *path = apr_pstrcat(pool, directory, "/", name, NULL);
        if (access(path, X_OK) == 0)
            return path;
    }
    return NULL;
}

/* An administrator's path often lacks /usr/sbin. */
static const char *find_program(apr_pool_t *pool)
{
    static const char *const names[] = {"apachectl", "apache2ctl", "httpd", "apache2"};
    const char *path = getenv("PATH");
    const char *directories = apr_pstrcat(pool, path ? path : "", ":/usr/sbin", NULL);
    for (int i = 0; i < 4; i++) {
        const char *found = find_in(pool, directories, names[i]);
        if (found)
            return found;
    }
    return NULL;
}

/* ── running it ────────────────────────────────────────────────────────────────────────────── */

/* httpd takes a relative name for one below its ServerRoot. */
static const char *absolute(apr_pool_t *pool, const char *path)
{
    char *here, *merged;
    if (apr_filepath_get(&here, 0, pool) != APR_SUCCESS ||
        apr_filepath_merge(&merged, here, path, 0, pool) != APR_SUCCESS)
        return path;
    return merged;
}

static char **arguments(apr_pool_t *pool, const char *program, const char *config, int connect)
{
    char **argv = apr_pcalloc(pool, 9 * sizeof *argv);
    int count = 0;
    argv[count++] = apr_pstrdup(pool, program);
    argv[count++] = apr_pstrdup(pool, "-t");
    argv[count++] = apr_pstrdup(pool, "-D");
    argv[count++] = apr_pstrdup(pool, "NEXTAUTH_CHECK");
    if (connect) {
        argv[count++] = apr_pstrdup(pool, "-D");
        argv[count++] = apr_pstrdup(pool, "NEXTAUTH_CHECK_CONNECT");
    }
    if (config) {
        argv[count++] = apr_pstrdup(pool, "-f");
        argv[count] = apr_pstrdup(pool, absolute(pool, config));
    }
    return argv;
}

/* As much as is kept is given back; the rest is read, too, for the writer to go on. */
static const char *read_all(apr_pool_t *pool, int file, size_t max)
{
    char *text = apr_palloc(pool, max + 1), rest[4096];
    size_t len = 0;
    ssize_t got;
    do {
        int is_full = len == max;
        got = read(file, is_full ? rest : text + len, is_full ? sizeof rest : max - len);
        len += !is_full && got > 0 ? (size_t)got : 0;
    } while (got > 0 || (got < 0 && errno == EINTR));
    text[len] = '\0';
    return text;
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static na_error *run(apr_pool_t *pool, char **argv, na_tested *tested)
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not create a pipe: %s",
                            strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    int failed = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (!failed) {
        tested->output = read_all(pool, ends[0], OUTPUT_MAX);
        tested->status = wait_for(pid);
    }
    close(ends[0]);
    return failed ? na_error_new(pool, NA_ERR_CONFIGURATION, "could not run '%s': %s", argv[0],
                                 strerror(failed))
                  : NULL;
}

/* ── the report ────────────────────────────────────────────────────────────────────────────── */

static na_error *read_report(apr_pool_t *pool, int file, na_tested *tested)
{
    const char *text = lseek(file, 0, SEEK_SET) == 0 ? read_all(pool, file, REPORT_MAX) : "";
    if (!*text)
        return NULL;
    na_error *error =
        na_json_parse(pool, NA_ERR_CONFIGURATION, text, strlen(text), &tested->findings);
    return error ? na_error_wrap(pool, error, NULL, "invalid report of the module") : NULL;
}

/* mkostemp's file is private: the module writes it, no other user can read it. */
na_error *na_ctl_run_test(apr_pool_t *pool, const char *program, const char *config, int connect,
                          na_tested *tested)
{
    const char *directory = getenv("TMPDIR");
    char *path =
        apr_pstrcat(pool, directory && *directory ? directory : "/tmp", "/nextauth-XXXXXX", NULL);
    *tested = (na_tested){.output = ""};
    if (!program)
        program = find_program(pool);
    if (!program)
        return na_error_with_hint(
            na_error_new(pool, NA_ERR_CONFIGURATION,
                         "could not find apachectl, apache2ctl, httpd, or apache2"),
            "use --httpd PROGRAM");
    int file = mkostemp(path, O_CLOEXEC);
    if (file < 0)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not create temporary file '%s': %s",
                            path, strerror(errno));
    setenv("NEXTAUTH_CHECK_REPORT", path, 1);
    na_error *error = run(pool, arguments(pool, program, config, connect), tested);
    if (!error)
        error = read_report(pool, file, tested);
    close(file);
    unlink(path);
    return error;
}
