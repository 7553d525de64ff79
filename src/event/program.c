/* SPDX-License-Identifier: Apache-2.0 */
/* Delivers items to a program, as lines of JSON through a pipe. */
#include "event/program.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <apr_portable.h>
#include <apr_strings.h>

/* time for the program to read a line, and interval in which that is checked */
#define READ_TIMEOUT_MS 5000
#define LOOK_AGAIN_MS 2

static int pipe_descriptor(const na_program *program)
{
    apr_os_file_t fd = -1;
    apr_os_file_get(&fd, program->pipe);
    return fd;
}

/* Returns the bytes in the pipe that are not read yet, which Linux reports; -1 if unknown. */
static int unread_bytes(const na_program *program)
{
    int bytes = 0;
    return ioctl(pipe_descriptor(program), FIONREAD, &bytes) == 0 ? bytes : -1;
}

/* Waits until the program has read all that is in the pipe. Returns 1 if it has. */
static int wait_until_read(const na_program *program, const na_courier *courier)
{
    for (int waited = 0; waited < READ_TIMEOUT_MS; waited += LOOK_AGAIN_MS) {
        if (!unread_bytes(program))
            return 1;
        if (courier->is_stopping(courier->data))
            return 0;
        apr_sleep(LOOK_AGAIN_MS * 1000);
    }
    return 0;
}

/*
 * The pipe is empty, so the line fits, unless the system made the pipe smaller than a page. Then a
 * partial line can stay there, and the next line must not be joined to it (is_torn).
 */
static int write_line(na_program *program, const char *line)
{
    int fd = pipe_descriptor(program);
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

/*
 * The pipe is empty, so the program has read the previous line, even if its item was postponed.
 * That item is not written again.
 */
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

static void set_retry(na_attempt *attempt, const char *reason)
{
    *attempt = (na_attempt){.outcome = NA_LATER, .reason = reason};
}

void na_program_send(const na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                     const na_spool_item *item, const json_t *json, na_attempt *attempt)
{
    na_program *program = sink->data;
    const char *line =
        apr_pstrcat(pool, program->is_torn ? "\n" : "", na_json_dump(pool, json), "\n", NULL);
    if (unread_bytes(program)) {
        set_retry(attempt, "the program has not read the previous line");
        return;
    }
    if (strcmp(program->was_read, item->id) == 0) {
        program->was_read[0] = '\0';
        *attempt = (na_attempt){.outcome = NA_DELIVERED};
        return;
    }
    if (strcmp(program->written, item->id) != 0 && !write_next(program, item, line)) {
        set_retry(attempt, "could not write to the program's pipe");
        return;
    }
    if (!wait_until_read(program, courier)) {
        set_retry(attempt, "the program is not reading");
        return;
    }
    program->written[0] = '\0';
    *attempt = (na_attempt){.outcome = NA_DELIVERED};
}
