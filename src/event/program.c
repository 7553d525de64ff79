/* SPDX-License-Identifier: Apache-2.0 */
#include "event/program.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <apr_portable.h>
#include <apr_strings.h>

/* How long the program may take to read a line, and how often it is looked whether it has. */
#define READ_TIMEOUT_MS 5000
#define LOOK_AGAIN_MS 2

static int descriptor(const na_program *program)
{
    apr_os_file_t fd = -1;
    apr_os_file_get(&fd, program->pipe);
    return fd;
}

/* Bytes in the pipe that nobody has read yet, as Linux tells at its writing end; -1: not known. */
static int unread(const na_program *program)
{
    int bytes = 0;
    return ioctl(descriptor(program), FIONREAD, &bytes) == 0 ? bytes : -1;
}

/* 1 once the program has read all that is in the pipe. */
static int is_read(const na_program *program, const na_courier *courier)
{
    for (int waited = 0; waited < READ_TIMEOUT_MS; waited += LOOK_AGAIN_MS) {
        if (!unread(program))
            return 1;
        if (courier->is_stopping(courier->data))
            return 0;
        apr_sleep(LOOK_AGAIN_MS * 1000);
    }
    return 0;
}

/*
 * The pipe is empty, so that a line fits in, unless the system made it smaller than a page: then a
 * line without its end may stay in there, which the next one must not be joined to.
 */
static int write_line(na_program *program, const char *line)
{
    int fd = descriptor(program);
    size_t len = strlen(line), written = 0;
    while (written < len) {
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        if (poll(&wait, 1, READ_TIMEOUT_MS) != 1 || !(wait.revents & POLLOUT))
            break;
        ssize_t n = write(fd, line + written, len - written);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            break;
        written += n > 0 ? (size_t)n : 0;
    }
    program->is_torn = written > 0 && written < len;
    return written == len;
}

/* A line that came after its item was put off was read since: the pipe is empty. */
static int write_next(na_program *program, const na_spool_item *item, const char *line)
{
    if (*program->written)
        memcpy(program->was_read, program->written, sizeof program->was_read);
    program->written[0] = '\0';
    if (!write_line(program, line))
        return 0;
    memcpy(program->written, item->id, sizeof program->written);
    return 1;
}

static void wait_for(na_attempt *attempt, const char *reason)
{
    *attempt = (na_attempt){.outcome = NA_LATER, .reason = reason};
}

void na_program_send(const na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                     const na_spool_item *item, const json_t *json, na_attempt *attempt)
{
    na_program *program = sink->data;
    const char *line =
        apr_pstrcat(pool, program->is_torn ? "\n" : "", na_json_dump(pool, json), "\n", NULL);
    if (unread(program)) {
        wait_for(attempt, "the program has not read what it was given before");
        return;
    }
    if (strcmp(program->was_read, item->id) == 0) {
        program->was_read[0] = '\0';
        *attempt = (na_attempt){.outcome = NA_DELIVERED};
        return;
    }
    if (strcmp(program->written, item->id) != 0 && !write_next(program, item, line)) {
        wait_for(attempt, "the pipe to the program takes nothing");
        return;
    }
    if (!is_read(program, courier)) {
        wait_for(attempt, "the program does not read");
        return;
    }
    program->written[0] = '\0';
    *attempt = (na_attempt){.outcome = NA_DELIVERED};
}
