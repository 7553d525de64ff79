/* SPDX-License-Identifier: Apache-2.0 */
/* Items of a queue that are a file each: those that are tried again, and those of older versions.
 */
#include "event/spool_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_strings.h>

#include "base/crypto.h"

#define TIME_DIGITS 16 /* microseconds: until the year 2286 */
#define ATTEMPT_DIGITS 4
#define HALF_WRITTEN ".new-"

/* File systems with coarse times can change a directory twice at one time. */
#define CERTAIN_AFTER apr_time_from_sec(2)

static na_error *file_error(apr_pool_t *pool, const char *what, const char *path, int code)
{
    return na_error_new(pool, NA_ERR_CONFIGURATION, "queue: could not %s '%s': %s", what, path,
                        strerror(code));
}

static const char *file_path(apr_pool_t *pool, const char *directory, const char *name)
{
    return apr_pstrcat(pool, directory, "/", name, NULL);
}

/* ── names ─────────────────────────────────────────────────────────────────────────────────── */

const char *na_spool_digits(const char *text, int digits, char end, apr_int64_t *value)
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
    const char *rest = na_spool_digits(name, TIME_DIGITS, '-', &due);
    rest = rest ? na_spool_digits(rest, ATTEMPT_DIGITS, '-', &attempts) : NULL;
    rest = rest ? na_spool_digits(rest, TIME_DIGITS, '-', &created) : NULL;
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

/* ── writing and reading ───────────────────────────────────────────────────────────────────── */

static na_error *write_file(apr_pool_t *pool, const char *path, na_bytes content)
{
    apr_size_t written = 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return file_error(pool, "create", path, errno);
    while (written < content.len) {
        ssize_t n = write(fd, content.data + written, content.len - written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int code = errno;
            close(fd);
            return file_error(pool, "write", path, code);
        }
        written += (apr_size_t)n;
    }
    return close(fd) == 0 ? NULL : file_error(pool, "write", path, errno);
}

na_error *na_spool_file_write(apr_pool_t *pool, const char *directory, const na_spool_item *item,
                              na_bytes content)
{
    const char *path = file_path(pool, directory, na_spool_name(pool, item));
    const char *half =
        file_path(pool, directory,
                  apr_pstrcat(pool, HALF_WRITTEN, item->id, "-", na_random_hex(pool, 4), NULL));
    na_error *error = write_file(pool, half, content);
    if (!error && rename(half, path) != 0)
        error = file_error(pool, "rename", half, errno);
    if (error)
        unlink(half);
    return error;
}

static na_error *read_error(apr_pool_t *pool, const char *path, int code)
{
    int is_temporary = code == EMFILE || code == ENFILE || code == ENOMEM || code == EINTR;
    na_error *error = file_error(pool, "read", path, code);
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

na_error *na_spool_file_read(apr_pool_t *pool, const char *directory, const na_spool_item *item,
                             na_bytes *content)
{
    const char *path = file_path(pool, directory, item->name);
    /* O_NONBLOCK, because a named pipe would block until it has a writer */
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return read_error(pool, path, errno);
    na_error *error = read_content(pool, fd, path, content);
    close(fd);
    return error;
}

na_error *na_spool_file_rename(apr_pool_t *pool, const char *directory, const char *from,
                               const char *to)
{
    const char *path = file_path(pool, directory, from);
    return rename(path, file_path(pool, directory, to)) == 0
               ? NULL
               : file_error(pool, "rename", path, errno);
}

na_error *na_spool_file_remove(apr_pool_t *pool, const char *directory, const na_spool_item *item)
{
    const char *path = file_path(pool, directory, item->name);
    return unlink(path) == 0 ? NULL : file_error(pool, "remove", path, errno);
}

/* ── looking ───────────────────────────────────────────────────────────────────────────────── */

/* No process writes for as long as half an hour. */
static void remove_if_left(apr_pool_t *pool, const char *directory, const char *name)
{
    struct stat info;
    const char *path = file_path(pool, directory, name);
    if (strncmp(name, HALF_WRITTEN, sizeof HALF_WRITTEN - 1) == 0 && lstat(path, &info) == 0 &&
        S_ISREG(info.st_mode) && info.st_mtime < apr_time_sec(apr_time_now()) - 1800)
        unlink(path);
}

typedef struct looking {
    apr_pool_t *pool;
    apr_time_t now;
    na_spool_look *look;
    apr_array_header_t *items; /* na_spool_item */
} looking;

static void note_item(looking *l, const char *name, const na_spool_item *item)
{
    l->look->items++;
    if (item->due > l->now) {
        l->look->next_due = item->due < l->look->next_due ? item->due : l->look->next_due;
        return;
    }
    na_spool_item *kept = apr_array_push(l->items);
    *kept = *item;
    kept->name = apr_pstrdup(l->pool, name);
}

static na_error *visit_items(looking *l, const char *directory)
{
    apr_dir_t *dir;
    apr_finfo_t info;
    apr_status_t status = apr_dir_open(&dir, directory, l->pool);
    if (status != APR_SUCCESS)
        return file_error(l->pool, "read", directory, APR_TO_OS_ERROR(status));
    while ((status = apr_dir_read(&info, APR_FINFO_NAME, dir)) == APR_SUCCESS ||
           status == APR_INCOMPLETE) {
        na_spool_item item;
        if (na_spool_name_parse(info.name, &item))
            note_item(l, info.name, &item);
        else
            remove_if_left(l->pool, directory, info.name);
    }
    apr_dir_close(dir);
    return NULL;
}

static apr_time_t change_time(const char *directory)
{
    struct stat info;
    if (stat(directory, &info) != 0)
        return 0;
    return apr_time_from_sec(info.st_mtim.tv_sec) + info.st_mtim.tv_nsec / 1000;
}

/* Numbers in names have a fixed width, so that their order is the order of the items. */
static int compare_names(const void *a, const void *b)
{
    return strcmp(((const na_spool_item *)a)->name, ((const na_spool_item *)b)->name);
}

na_error *na_spool_files_due(apr_pool_t *pool, const char *directory, apr_time_t now, int most,
                             na_spool_look *look, const apr_array_header_t **items)
{
    looking l = {pool, now, look, apr_array_make(pool, 16, sizeof(na_spool_item))};
    apr_time_t changed = change_time(directory);
    *items = l.items;
    if (look->changed && look->changed == changed && now < look->next_due)
        return NULL;
    *look = (na_spool_look){.next_due = APR_INT64_MAX};
    NA_TRY(visit_items(&l, directory));
    look->changed = changed < now - CERTAIN_AFTER ? changed : 0;
    qsort(l.items->elts, (size_t)l.items->nelts, sizeof(na_spool_item), compare_names);
    if (l.items->nelts)
        look->next_due = now;
    if (l.items->nelts > most)
        l.items->nelts = most;
    return NULL;
}
