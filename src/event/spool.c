/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded queue in a directory. */
#include "event/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_atomic.h>
#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>

#include "base/crypto.h"

#define TIME_DIGITS 16 /* microseconds: until the year 2286 */
#define ATTEMPT_DIGITS 4
#define ATTEMPTS_MAX 9999
#define HALF_WRITTEN ".new-"

static na_error *spool_error(apr_pool_t *pool, const char *what, const char *path, int code)
{
    return na_error_new(pool, NA_ERR_CONFIGURATION, "queue: could not %s '%s': %s", what, path,
                        strerror(code));
}

static const char *spool_path(const na_spool *spool, apr_pool_t *pool, const char *name)
{
    return apr_pstrcat(pool, spool->directory, "/", name, NULL);
}

/* ── names ─────────────────────────────────────────────────────────────────────────────────── */

/* Reads exactly `digits` digits and then `end`. Returns what follows; NULL if it is not there. */
static const char *read_digits(const char *text, int digits, char end, apr_int64_t *value)
{
    *value = 0;
    for (; digits; digits--, text++) {
        if (*text < '0' || *text > '9')
            return NULL;
        *value = *value * 10 + (*text - '0');
    }
    return *text == end ? text + 1 : NULL;
}

int na_spool_name_parse(const char *name, na_spool_item *item)
{
    apr_int64_t due, attempts, created;
    const char *rest = read_digits(name, TIME_DIGITS, '-', &due);
    rest = rest ? read_digits(rest, ATTEMPT_DIGITS, '-', &attempts) : NULL;
    rest = rest ? read_digits(rest, TIME_DIGITS, '-', &created) : NULL;
    if (!rest || strspn(rest, "0123456789abcdef") != NA_SPOOL_ID_LEN ||
        strcmp(rest + NA_SPOOL_ID_LEN, ".json") != 0)
        return 0;
    *item =
        (na_spool_item){.name = name, .due = due, .created = created, .attempts = (int)attempts};
    memcpy(item->id, rest, NA_SPOOL_ID_LEN);
    return 1;
}

const char *na_spool_name(apr_pool_t *pool, const na_spool_item *item)
{
    return apr_psprintf(pool, "%016" APR_INT64_T_FMT "-%04d-%016" APR_INT64_T_FMT "-%s.json",
                        item->due, item->attempts, item->created, item->id);
}

/* ── putting ───────────────────────────────────────────────────────────────────────────────── */

static na_error *write_file(apr_pool_t *pool, const char *path, na_bytes content)
{
    apr_size_t written = 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return spool_error(pool, "create", path, errno);
    while (written < content.len) {
        ssize_t n = write(fd, content.data + written, content.len - written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int code = errno;
            close(fd);
            return spool_error(pool, "write", path, code);
        }
        written += (apr_size_t)n;
    }
    return close(fd) == 0 ? NULL : spool_error(pool, "write", path, errno);
}

static na_error *store_item(const na_spool *spool, apr_pool_t *pool, const na_spool_item *item,
                            na_bytes content)
{
    const char *path = spool_path(spool, pool, na_spool_name(pool, item));
    const char *half =
        spool_path(spool, pool,
                   apr_pstrcat(pool, HALF_WRITTEN, item->id, "-", na_random_hex(pool, 4), NULL));
    na_error *error = write_file(pool, half, content);
    if (!error && rename(half, path) != 0)
        error = spool_error(pool, "rename", half, errno);
    if (error)
        unlink(half);
    return error;
}

na_error *na_spool_put(const na_spool *spool, apr_pool_t *pool, const char *id, na_bytes content,
                       apr_time_t now)
{
    na_spool_item item = {.due = now, .created = now};
    if (content.len > NA_SPOOL_ITEM_MAX)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "queue: the item is %" APR_SIZE_T_FMT " bytes; at most %d are allowed",
                            content.len, NA_SPOOL_ITEM_MAX);
    apr_cpystrn(item.id, id, sizeof item.id);
    if (apr_atomic_inc32(spool->depth) >= spool->max_items) {
        apr_atomic_dec32(spool->depth);
        return na_error_new(pool, NA_ERR_BUSY, "queue: '%s' is full with %u items",
                            spool->directory, spool->max_items);
    }
    na_error *error = store_item(spool, pool, &item, content);
    if (error)
        apr_atomic_dec32(spool->depth);
    return error;
}

/* ── taking ────────────────────────────────────────────────────────────────────────────────── */

na_error *na_spool_lock(const na_spool *spool, apr_pool_t *pool, int *locked)
{
    const char *path = spool_path(spool, pool, ".lock");
    apr_file_t *file;
    *locked = 0;
    apr_status_t status = apr_file_open(&file, path, APR_FOPEN_WRITE | APR_FOPEN_CREATE,
                                        APR_FPROT_UREAD | APR_FPROT_UWRITE, pool);
    if (status != APR_SUCCESS)
        return spool_error(pool, "open", path, APR_TO_OS_ERROR(status));
    *locked = apr_file_lock(file, APR_FLOCK_EXCLUSIVE | APR_FLOCK_NONBLOCK) == APR_SUCCESS;
    return NULL;
}

/* Called with the file name of every item. */
typedef void visitor(void *data, const char *name, const na_spool_item *item);

/* No process writes for as long as half an hour. */
static void remove_if_left(const na_spool *spool, apr_pool_t *pool, const char *name)
{
    struct stat info;
    const char *path = spool_path(spool, pool, name);
    if (strncmp(name, HALF_WRITTEN, sizeof HALF_WRITTEN - 1) == 0 && lstat(path, &info) == 0 &&
        S_ISREG(info.st_mode) && info.st_mtime < apr_time_sec(apr_time_now()) - 1800)
        unlink(path);
}

static na_error *visit_items(const na_spool *spool, apr_pool_t *pool, visitor *each, void *data)
{
    apr_dir_t *dir;
    apr_finfo_t info;
    apr_status_t status = apr_dir_open(&dir, spool->directory, pool);
    if (status != APR_SUCCESS)
        return spool_error(pool, "read", spool->directory, APR_TO_OS_ERROR(status));
    while ((status = apr_dir_read(&info, APR_FINFO_NAME, dir)) == APR_SUCCESS ||
           status == APR_INCOMPLETE) {
        na_spool_item item;
        if (na_spool_name_parse(info.name, &item))
            each(data, info.name, &item);
        else
            remove_if_left(spool, pool, info.name);
    }
    apr_dir_close(dir);
    return NULL;
}

static void count_item(void *data, const char *name, const na_spool_item *item)
{
    ++*(apr_uint32_t *)data;
}

na_error *na_spool_open(na_spool *spool, apr_pool_t *pool)
{
    apr_uint32_t items = 0;
    NA_TRY(visit_items(spool, pool, count_item, &items));
    apr_atomic_set32(spool->depth, items);
    return NULL;
}

typedef struct looking {
    apr_pool_t *pool;
    apr_time_t now;
    apr_uint32_t seen;
    apr_array_header_t *items; /* na_spool_item */
} looking;

static void collect_due_item(void *data, const char *name, const na_spool_item *item)
{
    looking *l = data;
    l->seen++;
    if (item->due > l->now)
        return;
    na_spool_item *kept = apr_array_push(l->items);
    *kept = *item;
    kept->name = apr_pstrdup(l->pool, name);
}

/* Numbers in names have a fixed width, so that their order is the order of the items. */
static int compare_names(const void *a, const void *b)
{
    return strcmp(((const na_spool_item *)a)->name, ((const na_spool_item *)b)->name);
}

na_error *na_spool_due(const na_spool *spool, apr_pool_t *pool, apr_time_t now, int most,
                       const apr_array_header_t **items)
{
    looking l = {pool, now, 0, apr_array_make(pool, 16, sizeof(na_spool_item))};
    apr_uint32_t before = apr_atomic_read32(spool->depth);
    NA_TRY(visit_items(spool, pool, collect_due_item, &l));
    apr_atomic_cas32(spool->depth, l.seen, before); /* unless an item was added meanwhile */
    qsort(l.items->elts, (size_t)l.items->nelts, sizeof(na_spool_item), compare_names);
    if (l.items->nelts > most)
        l.items->nelts = most;
    *items = l.items;
    return NULL;
}

static na_error *read_error(apr_pool_t *pool, const char *path, int code)
{
    int is_temporary = code == EMFILE || code == ENFILE || code == ENOMEM || code == EINTR;
    na_error *error = spool_error(pool, "read", path, code);
    error->code = is_temporary ? NA_ERR_UNAVAILABLE : NA_ERR_CONFIGURATION;
    return error;
}

static na_error *read_content(apr_pool_t *pool, int fd, const char *path, na_bytes *content)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size < 1 ||
        info.st_size > NA_SPOOL_ITEM_MAX)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "queue: '%s' is not an item", path);
    unsigned char *data = apr_palloc(pool, (apr_size_t)info.st_size + 1);
    apr_size_t len = 0;
    ssize_t n = 1;
    while (len < (apr_size_t)info.st_size && n > 0) {
        n = read(fd, data + len, (apr_size_t)info.st_size - len);
        len += n > 0 ? (apr_size_t)n : 0;
    }
    data[len] = '\0';
    *content = (na_bytes){data, len};
    return n > 0 ? NULL : read_error(pool, path, n < 0 ? errno : EIO);
}

na_error *na_spool_read(const na_spool *spool, apr_pool_t *pool, const na_spool_item *item,
                        na_bytes *content)
{
    const char *path = spool_path(spool, pool, item->name);
    /* O_NONBLOCK, because a named pipe would block until it has a writer */
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return read_error(pool, path, errno);
    na_error *error = read_content(pool, fd, path, content);
    close(fd);
    return error;
}

static void decrease_depth(const na_spool *spool)
{
    if (apr_atomic_read32(spool->depth))
        apr_atomic_dec32(spool->depth);
}

na_error *na_spool_remove(const na_spool *spool, apr_pool_t *pool, const na_spool_item *item)
{
    const char *path = spool_path(spool, pool, item->name);
    if (unlink(path) != 0)
        return spool_error(pool, "remove", path, errno);
    decrease_depth(spool);
    return NULL;
}

static na_error *rename_item(const na_spool *spool, apr_pool_t *pool, const char *from,
                             const char *to)
{
    const char *path = spool_path(spool, pool, from);
    return rename(path, spool_path(spool, pool, to)) == 0
               ? NULL
               : spool_error(pool, "rename", path, errno);
}

na_error *na_spool_postpone(const na_spool *spool, apr_pool_t *pool, const na_spool_item *item,
                            apr_time_t due)
{
    na_spool_item later = *item;
    later.due = due;
    later.attempts += later.attempts < ATTEMPTS_MAX;
    return rename_item(spool, pool, item->name, na_spool_name(pool, &later));
}

na_error *na_spool_set_aside(const na_spool *spool, apr_pool_t *pool, const na_spool_item *item)
{
    NA_TRY(rename_item(spool, pool, item->name, apr_pstrcat(pool, "bad-", item->name, NULL)));
    decrease_depth(spool);
    return NULL;
}
