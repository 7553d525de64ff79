/* SPDX-License-Identifier: Apache-2.0 */
/* Files of lines to which many processes append, and from which one reads and removes. */
#include "event/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#define FILLING "filling"
#define SENDING "sending"
#define OFFSET "offset"
#define LOCK "lock"

#define OFFSET_DIGITS 20

struct na_segment {
    const char *directory;
    int fd, offset_fd;
    apr_off_t offset;                   /* of the first line that is not done */
    apr_size_t len;                     /* of that line, with its line feed */
    apr_off_t at;                       /* of `text` in the file */
    apr_size_t used;                    /* bytes in `text` */
    char text[2 * NA_SEGMENT_LINE_MAX]; /* so that most lines are read without a system call */
};

static na_error *segment_error(apr_pool_t *pool, const char *what, const char *directory,
                               const char *name, int code)
{
    return na_error_new(pool, NA_ERR_CONFIGURATION, "queue: could not %s '%s/%s': %s", what,
                        directory, name, strerror(code));
}

static const char *segment_path(apr_pool_t *pool, const char *directory, const char *name)
{
    return apr_pstrcat(pool, directory, "/", name, NULL);
}

/* The main process is root and logs errors, too: what it creates must not be closed to children. */
static int give_to_owner_of(const char *directory, int fd)
{
    struct stat info;
    return geteuid() != 0 || (stat(directory, &info) == 0 && fchown(fd, info.st_uid, -1) == 0);
}

static na_error *open_file(apr_pool_t *pool, const char *directory, const char *name, int flags,
                           int *fd)
{
    struct stat info;
    /* O_NONBLOCK, because a named pipe would block until it has a reader */
    *fd = open(segment_path(pool, directory, name), flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
               0600);
    if (*fd < 0)
        return segment_error(pool, "open", directory, name, errno);
    if (fstat(*fd, &info) == 0 && S_ISREG(info.st_mode) &&
        (!(flags & O_CREAT) || give_to_owner_of(directory, *fd)))
        return NULL;
    close(*fd);
    return na_error_new(pool, NA_ERR_CONFIGURATION, "queue: '%s/%s' is not a usable file",
                        directory, name);
}

static int exists(apr_pool_t *pool, const char *directory, const char *name)
{
    struct stat info;
    return lstat(segment_path(pool, directory, name), &info) == 0;
}

/* ── appending ─────────────────────────────────────────────────────────────────────────────── */

/* flock(2) excludes threads of one process as well, unlike fcntl(2), as each opens the file. */
na_error *na_segment_lock(apr_pool_t *pool, const char *directory, int *lock)
{
    int result;
    NA_TRY(open_file(pool, directory, LOCK, O_RDWR | O_CREAT, lock));
    do
        result = flock(*lock, LOCK_EX);
    while (result != 0 && errno == EINTR);
    if (result == 0)
        return NULL;
    int code = errno;
    close(*lock);
    return segment_error(pool, "lock", directory, LOCK, code);
}

/* Closing alone would leave it to a process that another thread forks at this moment. */
void na_segment_unlock(int lock)
{
    flock(lock, LOCK_UN);
    close(lock);
}

/* Returns 1 if a process was killed while it wrote the last line. */
static int has_open_line(int fd, apr_off_t size)
{
    char last;
    return size && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

static na_error *append_line(apr_pool_t *pool, const char *directory, int fd, na_bytes line)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return segment_error(pool, "read", directory, FILLING, errno);
    if (has_open_line(fd, info.st_size) && write(fd, "\n", 1) != 1)
        return segment_error(pool, "write", directory, FILLING, errno);
    ssize_t written = write(fd, line.data, line.len);
    if (written == (ssize_t)line.len)
        return NULL;
    int code = written < 0 ? errno : ENOSPC;
    if (written > 0 && ftruncate(fd, info.st_size) != 0)
        return segment_error(pool, "remove part of a line from", directory, FILLING, errno);
    return segment_error(pool, "write", directory, FILLING, code);
}

na_error *na_segment_append(apr_pool_t *pool, const char *directory, na_bytes line)
{
    int fd;
    NA_TRY(open_file(pool, directory, FILLING, O_RDWR | O_APPEND | O_CREAT, &fd));
    na_error *error = append_line(pool, directory, fd, line);
    close(fd);
    return error;
}

/* ── taking over ───────────────────────────────────────────────────────────────────────────── */

static int write_offset(int fd, apr_off_t offset)
{
    char text[OFFSET_DIGITS + 2];
    snprintf(text, sizeof text, "%020lld\n", (long long)offset);
    return pwrite(fd, text, OFFSET_DIGITS + 1, 0) == OFFSET_DIGITS + 1;
}

/* Whatever is not an offset is 0: lines are then read again rather than never. */
static apr_off_t read_offset(int fd)
{
    char text[OFFSET_DIGITS + 1] = "";
    if (pread(fd, text, OFFSET_DIGITS, 0) != OFFSET_DIGITS ||
        strspn(text, "0123456789") != OFFSET_DIGITS)
        return 0;
    apr_off_t offset = strtoll(text, NULL, 10);
    return offset >= 0 ? offset : 0;
}

int na_segment_is_filling(apr_pool_t *pool, const char *directory)
{
    return exists(pool, directory, FILLING);
}

/* The offset is reset before there is a segment to which the old one would apply. */
na_error *na_segment_take(apr_pool_t *pool, const char *directory, int *taken)
{
    int fd;
    *taken = exists(pool, directory, FILLING);
    if (!*taken)
        return NULL;
    NA_TRY(open_file(pool, directory, OFFSET, O_RDWR | O_CREAT, &fd));
    int is_reset = write_offset(fd, 0);
    int code = errno;
    close(fd);
    if (!is_reset)
        return segment_error(pool, "write", directory, OFFSET, code);
    return rename(segment_path(pool, directory, FILLING), segment_path(pool, directory, SENDING)) ==
                   0
               ? NULL
               : segment_error(pool, "rename", directory, FILLING, errno);
}

/* ── reading ───────────────────────────────────────────────────────────────────────────────── */

static apr_status_t close_segment(void *data)
{
    na_segment *segment = data;
    close(segment->fd);
    close(segment->offset_fd);
    return APR_SUCCESS;
}

/* After a power failure, the offset can be newer than the segment. */
static apr_off_t valid_offset(int fd, apr_off_t offset)
{
    struct stat info;
    return fstat(fd, &info) == 0 && offset <= info.st_size && !has_open_line(fd, offset) ? offset
                                                                                         : 0;
}

na_error *na_segment_open(apr_pool_t *pool, const char *directory, na_segment **segment)
{
    na_segment *opened = apr_palloc(pool, sizeof *opened);
    *segment = NULL;
    if (!exists(pool, directory, SENDING))
        return NULL;
    NA_TRY(open_file(pool, directory, SENDING, O_RDONLY, &opened->fd));
    na_error *error = open_file(pool, directory, OFFSET, O_RDWR | O_CREAT, &opened->offset_fd);
    if (error) {
        close(opened->fd);
        return error;
    }
    opened->directory = apr_pstrdup(pool, directory);
    opened->offset = opened->at = valid_offset(opened->fd, read_offset(opened->offset_fd));
    opened->len = opened->used = 0;
    apr_pool_cleanup_register(pool, opened, close_segment, apr_pool_cleanup_null);
    *segment = opened;
    return NULL;
}

/* Returns the end of the first line in `text`; NULL if that is not in it. */
static const char *line_end(const na_segment *s)
{
    apr_size_t skip = (apr_size_t)(s->offset - s->at);
    return skip < s->used ? memchr(s->text + skip, '\n', s->used - skip) : NULL;
}

static na_error *fill_text(na_segment *s, apr_pool_t *pool)
{
    ssize_t len = pread(s->fd, s->text, sizeof s->text, s->offset);
    if (len < 0)
        return na_error_new(pool, NA_ERR_UNAVAILABLE, "queue: could not read '%s/" SENDING "': %s",
                            s->directory, strerror(errno));
    s->at = s->offset;
    s->used = (apr_size_t)len;
    return NULL;
}

na_error *na_segment_line(na_segment *s, apr_pool_t *pool, na_bytes *line, int *is_whole,
                          int *there)
{
    const char *end = line_end(s);
    if (!end) {
        NA_TRY(fill_text(s, pool));
        end = line_end(s);
    }
    const char *start = s->text + (s->offset - s->at);
    const char *stop = end ? end : s->text + s->used;
    if (stop - start >= NA_SEGMENT_LINE_MAX)
        stop = start + NA_SEGMENT_LINE_MAX;
    *is_whole = stop == end;
    s->len = (apr_size_t)(stop - start) + (apr_size_t)*is_whole;
    *line = (na_bytes){(const unsigned char *)start, (apr_size_t)(stop - start)};
    *there = s->len > 0;
    return NULL;
}

na_error *na_segment_done(na_segment *s, apr_pool_t *pool)
{
    if (!write_offset(s->offset_fd, s->offset + (apr_off_t)s->len))
        return segment_error(pool, "write", s->directory, OFFSET, errno);
    s->offset += (apr_off_t)s->len;
    s->len = 0;
    return NULL;
}

na_error *na_segment_remove(na_segment *s, apr_pool_t *pool)
{
    if (unlink(segment_path(pool, s->directory, SENDING)) != 0)
        return segment_error(pool, "remove", s->directory, SENDING, errno);
    return NULL;
}

/* ── counting ──────────────────────────────────────────────────────────────────────────────── */

static na_error *count_lines(apr_pool_t *pool, const char *directory, const char *name,
                             apr_off_t from, apr_uint32_t *lines)
{
    char text[16 * 1024];
    int fd, is_open = 0;
    ssize_t len;
    if (!exists(pool, directory, name))
        return NULL;
    NA_TRY(open_file(pool, directory, name, O_RDONLY, &fd));
    from = valid_offset(fd, from);
    for (; (len = pread(fd, text, sizeof text, from)) > 0; from += len) {
        for (const char *p = text; (p = memchr(p, '\n', (apr_size_t)(text + len - p))); p++)
            ++*lines;
        is_open = text[len - 1] != '\n';
    }
    *lines += (apr_uint32_t)is_open;
    int code = errno;
    close(fd);
    return len == 0 ? NULL : segment_error(pool, "read", directory, name, code);
}

na_error *na_segment_count(apr_pool_t *pool, const char *directory, apr_uint32_t *lines)
{
    int fd;
    apr_off_t offset = 0;
    *lines = 0;
    if (exists(pool, directory, OFFSET)) {
        NA_TRY(open_file(pool, directory, OFFSET, O_RDONLY, &fd));
        offset = read_offset(fd);
        close(fd);
    }
    NA_TRY(count_lines(pool, directory, SENDING, offset, lines));
    return count_lines(pool, directory, FILLING, 0, lines);
}
