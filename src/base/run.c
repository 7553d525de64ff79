/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a program with a text as its input, and reads its output, within limits. */
#include "base/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_time.h>

#include "base/crypto.h"

/* interval in which the end of a program that has closed its output is checked */
#define LOOK_AGAIN_US 1000

typedef struct running {
    apr_pool_t *pool;
    const char *name;
    const na_run_limits *limits;
    apr_time_t until;
    pid_t pid;
    int in, out; /* our ends of its pipes; -1 when closed */
} running;

static na_error *failure(const running *r, const char *what)
{
    return na_error_new(r->pool, NA_ERR_UNAVAILABLE, "program '%s' %s", r->name, what);
}

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ── starting ──────────────────────────────────────────────────────────────────────────────── */

/* Threads of httpd block signals, and SIGPIPE is ignored; the program gets neither. A group of its
 * own lets its children be killed with it. */
static int spawn(running *r, const char *const *argv, int in, int out)
{
    static const char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8",
                                              NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    int failed = posix_spawn(&r->pid, argv[0], &files, &attributes, (char *const *)argv,
                             (char *const *)environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return failed;
}

/* Pipes are closed in whatever other threads start meanwhile. */
static na_error *start(running *r, const char *const *argv)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    int failed = pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) ||
                 fcntl(in[1], F_SETFL, O_NONBLOCK) || fcntl(out[0], F_SETFL, O_NONBLOCK);
    if (!failed)
        failed = spawn(r, argv, in[0], out[1]);
    close_end(&in[0]);
    close_end(&out[1]);
    r->in = in[1];
    r->out = out[0];
    if (!failed)
        return NULL;
    close_end(&r->in);
    close_end(&r->out);
    return failure(r, "could not be started");
}

/* ── its input and output ──────────────────────────────────────────────────────────────────── */

static int milliseconds_left(const running *r)
{
    apr_interval_time_t left = r->until - apr_time_now();
    return left > 0 ? (int)apr_time_as_msec(left) + 1 : 0;
}

/* A program need not read its input: what is left of it is dropped then. */
static void write_some(running *r, const char **input)
{
    ssize_t n = write(r->in, *input, strlen(*input));
    *input += n > 0 ? n : 0;
    if (!**input || (n < 0 && errno != EAGAIN && errno != EINTR))
        close_end(&r->in);
}

/* Closes `out` at the end of the output. */
static na_error *read_some(running *r, char *text, apr_size_t *len)
{
    ssize_t n = read(r->out, text + *len, r->limits->max_bytes + 1 - *len);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? NULL : failure(r, "could not be read from");
    *len += (apr_size_t)n;
    if (!n)
        close_end(&r->out);
    return *len > r->limits->max_bytes ? failure(r, "wrote too much") : NULL;
}

static na_error *exchange(running *r, const char *input, char *text, apr_size_t *len)
{
    while (r->out >= 0) {
        struct pollfd ends[] = {{.fd = r->out, .events = POLLIN}, {.fd = r->in, .events = POLLOUT}};
        int left = milliseconds_left(r);
        if (!left)
            return failure(r, "did not answer in time");
        if (poll(ends, 2, left) < 0 && errno != EINTR)
            return failure(r, "could not be waited for");
        if (ends[1].revents)
            write_some(r, &input);
        if (ends[0].revents)
            NA_TRY(read_some(r, text, len));
    }
    return NULL;
}

/* ── its end ───────────────────────────────────────────────────────────────────────────────── */

static na_error *wait_for_end(running *r)
{
    int status = 0;
    pid_t ended;
    while ((ended = waitpid(r->pid, &status, WNOHANG)) == 0 && milliseconds_left(r))
        apr_sleep(LOOK_AGAIN_US);
    if (!ended)
        return failure(r, "did not end in time");
    r->pid = 0;
    /* where SIGCHLD is ignored, the status is unknown */
    return ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? NULL : failure(r, "failed");
}

static void kill_all(running *r)
{
    if (!r->pid)
        return;
    kill(-r->pid, SIGKILL);
    while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

na_error *na_run(apr_pool_t *pool, const char *const *argv, const char *input,
                 const na_run_limits *limits, const char **output)
{
    running r = {.pool = pool,
                 .name = argv[0],
                 .limits = limits,
                 .until = apr_time_now() + apr_time_from_msec(limits->timeout_ms)};
    char *text = apr_palloc(pool, limits->max_bytes + 1);
    apr_size_t len = 0;
    na_wipe_with_pool(pool, text, limits->max_bytes + 1);
    NA_TRY(start(&r, argv));
    na_error *error = exchange(&r, input, text, &len);
    close_end(&r.in);
    close_end(&r.out);
    if (!error)
        error = wait_for_end(&r);
    kill_all(&r);
    text[len <= limits->max_bytes ? len : 0] = '\0';
    *output = text;
    return error;
}
