/* SPDX-License-Identifier: Apache-2.0 */
/* Appends records to the hash chain of a file or a program. */
#include "audit/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_shm.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include "audit/flush.h"
#include "base/writable.h"

struct na_audit_chain {
    const char *name, *key;
    int fd, head_fd;
    int is_pipe;
    int is_stuck;              /* the program did not read in time, so it is not waited for again */
    apr_thread_mutex_t *mutex; /* between threads, because file locks belong to the process */
    na_audit_flushes *flushes; /* shared with processes that inherited the chain; NULL for a pipe */
};

/* The end of the file. */
typedef struct tail {
    apr_off_t size;
    na_bytes last; /* the last line, without its line feed */
    int is_open;   /* it has no line feed */
    char text[NA_AUDIT_LINE_MAX];
} tail;

static na_error *chain_error(const na_audit_chain *chain, apr_pool_t *pool, const char *what,
                             const char *why)
{
    return na_error_new(pool, NA_ERR_UNAVAILABLE, "could not %s '%s': %s", what, chain->name, why);
}

/* ── the end of the chain ──────────────────────────────────────────────────────────────────── */

static void find_last_line(tail *t, apr_size_t len)
{
    t->is_open = t->text[len - 1] != '\n';
    len -= !t->is_open;
    const char *before = memrchr(t->text, '\n', len);
    const char *start = before ? before + 1 : t->text;
    t->last = (na_bytes){(const unsigned char *)start, (apr_size_t)(t->text + len - start)};
}

static na_error *read_tail(const na_audit_chain *chain, apr_pool_t *pool, tail *t)
{
    struct stat info;
    t->size = 0;
    t->last = na_bytes_of("");
    t->is_open = 0;
    if (chain->is_pipe)
        return NULL;
    if (fstat(chain->fd, &info) != 0)
        return chain_error(chain, pool, "read", strerror(errno));
    t->size = info.st_size;
    apr_off_t from = t->size > NA_AUDIT_LINE_MAX ? t->size - NA_AUDIT_LINE_MAX : 0;
    ssize_t len = pread(chain->fd, t->text, (size_t)(t->size - from), from);
    if (len != t->size - from)
        return chain_error(chain, pool, "read the end of",
                           len < 0 ? strerror(errno) : "it changed");
    if (len)
        find_last_line(t, (apr_size_t)len);
    return NULL;
}

static int is_last_record(const na_audit_chain *chain, apr_pool_t *pool, const tail *t,
                          na_audit_link *link)
{
    na_audit_line line;
    if (!t->last.len || t->is_open ||
        na_audit_line_read(pool, t->last, chain->key, &line) != NA_AUDIT_RIGHT)
        return 0;
    *link = line.link;
    return 1;
}

/*
 * After a crash, the last record can be newer than the head; after lines were removed, it is older.
 * The newer of both counts. Normally they are the same, which is seen without computing a hash.
 */
static na_error *find_last_link(const na_audit_chain *chain, apr_pool_t *pool, tail *t,
                                na_audit_link *last)
{
    na_audit_link record;
    NA_TRY(read_tail(chain, pool, t));
    na_audit_head_state head = na_audit_head_read(chain->head_fd, last);
    int is_same =
        head == NA_AUDIT_HEAD_THERE && !t->is_open && na_audit_line_has_link(t->last, last);
    if (!is_same && is_last_record(chain, pool, t, &record) &&
        (head != NA_AUDIT_HEAD_THERE || record.seq > last->seq))
        *last = record;
    else if (head == NA_AUDIT_HEAD_BROKEN || (head == NA_AUDIT_HEAD_EMPTY && t->size))
        return chain_error(chain, pool, "continue",
                           "it does not end with a record, and there is no valid head file: "
                           "move it and its .head file away");
    return last->seq < NA_AUDIT_SEQ_MAX
               ? NULL
               : chain_error(chain, pool, "continue", "it is full: rotate it");
}

/* ── writing ───────────────────────────────────────────────────────────────────────────────── */

/* *number is that of the record, for the flush. */
static na_error *write_file(const na_audit_chain *chain, apr_pool_t *pool, const char *line,
                            apr_size_t len, apr_off_t size, apr_uint64_t *number)
{
    *number = na_audit_flush_begin(chain->flushes);
    ssize_t written = write(chain->fd, line, len);
    if (written == (ssize_t)len) {
        na_audit_flush_written(chain->flushes, *number);
        return NULL;
    }
    if (written < 0)
        return chain_error(chain, pool, "write", strerror(errno));
    if (ftruncate(chain->fd, size) != 0)
        return chain_error(chain, pool, "write",
                           "no space left, and a partial record could not be removed");
    return chain_error(chain, pool, "write", "no space left");
}

/* A line is shorter than PIPE_BUF, so the pipe accepts all of it or nothing. */
static na_error *write_pipe(na_audit_chain *chain, apr_pool_t *pool, const char *line,
                            apr_size_t len)
{
    apr_time_t until = apr_time_now() + (chain->is_stuck ? 0 : NA_AUDIT_PIPE_WAIT * 1000);
    ssize_t written;
    while ((written = write(chain->fd, line, len)) < 0 && errno == EAGAIN) {
        struct pollfd pipe = {.fd = chain->fd, .events = POLLOUT};
        apr_time_t left = until - apr_time_now();
        if (left <= 0 || poll(&pipe, 1, (int)apr_time_as_msec(left) + 1) == 0) {
            chain->is_stuck = 1;
            return chain_error(chain, pool, "write to", "the program is not reading");
        }
    }
    chain->is_stuck = 0;
    return written == (ssize_t)len ? NULL : chain_error(chain, pool, "write to", strerror(errno));
}

static na_error *append_locked(na_audit_chain *chain, apr_pool_t *pool,
                               const na_audit_fields *fields, apr_uint64_t *number)
{
    tail t;
    na_audit_link last, next;
    NA_TRY(find_last_link(chain, pool, &t, &last));
    char *line = na_audit_line_make(pool, fields, chain->key, &last, &next);
    if (!line)
        return chain_error(chain, pool, "write", "out of memory");
    if (t.is_open)
        line = apr_pstrcat(pool, "\n", line, NULL);
    if (chain->is_pipe)
        NA_TRY(write_pipe(chain, pool, line, strlen(line)));
    else
        NA_TRY(write_file(chain, pool, line, strlen(line), t.size, number));
    /* for a file, the next append finds the record at its end */
    return na_audit_head_write(chain->head_fd, &next) || !chain->is_pipe
               ? NULL
               : chain_error(chain, pool, "write the head file of", strerror(errno));
}

/* Waits for the disk without the lock, so that others write meanwhile and share the next flush. */
static na_error *flush_record(const na_audit_chain *chain, apr_pool_t *pool, apr_uint64_t number)
{
    return na_audit_flush(chain->flushes, chain->fd, number)
               ? NULL
               : chain_error(chain, pool, "flush to disk", strerror(errno));
}

na_error *na_audit_chain_append(na_audit_chain *chain, apr_pool_t *pool,
                                const na_audit_fields *fields)
{
    apr_uint64_t number;
    apr_thread_mutex_lock(chain->mutex);
    na_error *error = na_audit_head_lock(chain->head_fd, F_WRLCK)
                          ? append_locked(chain, pool, fields, &number)
                          : chain_error(chain, pool, "lock", strerror(errno));
    na_audit_head_lock(chain->head_fd, F_UNLCK);
    apr_thread_mutex_unlock(chain->mutex);
    if (error || chain->is_pipe)
        return error;
    return flush_record(chain, pool, number);
}

/* ── checking ──────────────────────────────────────────────────────────────────────────────── */

static int is_of_another_key(const na_audit_chain *chain, apr_pool_t *pool, const tail *t,
                             const na_audit_link *last)
{
    na_audit_line line;
    return !t->is_open && na_audit_line_read(pool, t->last, chain->key, &line) == NA_AUDIT_EDITED &&
           line.link.seq == last->seq && strcmp(line.link.hash, last->hash) == 0;
}

/* A chain that cannot be continued must be reported at startup, not at the first sign-in. */
static na_error *check_end(const na_audit_chain *chain, apr_pool_t *pool)
{
    tail t;
    na_audit_link last;
    na_error *error = find_last_link(chain, pool, &t, &last);
    if (!error && is_of_another_key(chain, pool, &t, &last))
        error = chain_error(chain, pool, "continue",
                            "its last record has another key, or was edited: move it and its .head "
                            "file away");
    return error ? na_error_new(pool, NA_ERR_CONFIGURATION, "audit log: %s",
                                na_error_text(pool, error))
                 : NULL;
}

/* Opens a file for reading. A file that does not exist is treated as empty. */
static na_error *open_for_check(apr_pool_t *pool, const char *path, int *fd)
{
    struct stat info;
    na_error *error = na_writable_file(pool, path);
    if (error)
        return na_error_wrap(pool, error, NULL, "could not open '%s'", path);
    *fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (*fd >= 0 && (fstat(*fd, &info) != 0 || !S_ISREG(info.st_mode))) {
        close(*fd);
        return na_error_new(pool, NA_ERR_CONFIGURATION, "'%s' is not a regular file", path);
    }
    if (*fd < 0 && errno == ENOENT)
        *fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return *fd >= 0 ? NULL
                    : na_error_new(pool, NA_ERR_CONFIGURATION, "could not read '%s': %s", path,
                                   strerror(errno));
}

static na_error *check_with_head(apr_pool_t *pool, na_audit_chain *chain, const char *head_path)
{
    NA_TRY(open_for_check(pool, head_path, &chain->head_fd));
    na_error *error = check_end(chain, pool);
    close(chain->head_fd);
    return error;
}

na_error *na_audit_chain_check(apr_pool_t *pool, const char *path, const char *key)
{
    na_audit_chain chain = {.name = path, .key = key};
    NA_TRY(open_for_check(pool, path, &chain.fd));
    na_error *error = check_with_head(pool, &chain, na_audit_head_path(pool, path));
    close(chain.fd);
    return error;
}

na_error *na_audit_chain_check_pipe(apr_pool_t *pool, const char *name, const char *head_path)
{
    na_audit_chain chain = {.name = name, .is_pipe = 1};
    return check_with_head(pool, &chain, head_path);
}

/* ── opening ───────────────────────────────────────────────────────────────────────────────── */

static na_error *make_chain(apr_pool_t *pool, const char *name, const char *head_path,
                            const char *key, na_audit_chain **made)
{
    na_audit_chain *chain = *made = apr_pcalloc(pool, sizeof *chain);
    chain->name = name;
    chain->key = key;
    if (apr_thread_mutex_create(&chain->mutex, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not create a mutex for '%s'", name);
    return na_audit_open(pool, head_path, O_RDWR | O_CREAT, &chain->head_fd);
}

static na_error *share_flushes(apr_pool_t *pool, na_audit_chain *chain)
{
    apr_shm_t *shm;
    if (apr_shm_create(&shm, sizeof *chain->flushes, NULL, pool) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not create shared memory for '%s'",
                            chain->name);
    chain->flushes = memset(apr_shm_baseaddr_get(shm), 0, sizeof *chain->flushes);
    return NULL;
}

na_error *na_audit_chain_open(apr_pool_t *pool, const char *path, const char *key,
                              na_audit_chain **chain)
{
    int fd;
    NA_TRY(na_audit_chain_check(pool, path, key));
    NA_TRY(na_audit_open(pool, path, O_RDWR | O_APPEND | O_CREAT, &fd));
    NA_TRY(make_chain(pool, path, na_audit_head_path(pool, path), key, chain));
    (*chain)->fd = fd;
    return share_flushes(pool, *chain);
}

na_error *na_audit_chain_over_pipe(apr_pool_t *pool, int fd, const char *name,
                                   const char *head_path, const char *key, na_audit_chain **chain)
{
    int flags = fcntl(fd, F_GETFL);
    NA_TRY(na_audit_chain_check_pipe(pool, name, head_path));
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not set up the pipe to '%s': %s",
                            name, strerror(errno));
    NA_TRY(make_chain(pool, name, head_path, key, chain));
    (*chain)->fd = fd;
    (*chain)->is_pipe = 1;
    return NULL;
}
