/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded queue in a directory. */
#include "event/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_atomic.h>
#include <apr_file_io.h>
#include <apr_strings.h>

#include "event/segment.h"

/* A line of a segment is "CREATED-ID CONTENT". */
#define CREATED_DIGITS 16
#define PREFIX_LEN (CREATED_DIGITS + 1 + NA_SPOOL_ID_LEN + 1)

#define BAD_PREFIX "bad-"
#define BAD_LINES BAD_PREFIX "lines"

/* files that one look into the directory returns */
#define FILES_MAX 5000

/* as many as a file name has digits for */
#define ATTEMPTS_MAX 9999

typedef struct na_spool_round {
    apr_pool_t *pool;
    const apr_array_header_t *files; /* na_spool_item */
    int next_file;
    const char *segments;
    na_segment *segment; /* NULL if there is none */
    int has_taken;       /* a new segment was begun, or looked for */
    na_spool_item line;  /* the first line of the segment */
    na_bytes text;       /* of that line */
    int is_damaged;
} na_spool_round;

static na_error *spool_error(apr_pool_t *pool, const char *what, const char *path, int code)
{
    return na_error_new(pool, NA_ERR_CONFIGURATION, "queue: could not %s '%s': %s", what, path,
                        strerror(code));
}

const char *na_spool_segments(apr_pool_t *pool, const char *directory)
{
    return apr_pstrcat(pool, directory, "/segments", NULL);
}

/* ── putting ───────────────────────────────────────────────────────────────────────────────── */

static na_error *full_error(const na_spool *spool, apr_pool_t *pool)
{
    return na_error_new(pool, NA_ERR_BUSY, "queue: '%s' is full with %u items", spool->directory,
                        spool->max_items);
}

/* Counts under the lock, whose holder can therefore compare the number with the lines. */
static na_error *append_counted(const na_spool *spool, apr_pool_t *pool, const char *segments,
                                na_bytes line)
{
    if (apr_atomic_read32(spool->depth) >= spool->max_items)
        return full_error(spool, pool);
    NA_TRY(na_segment_append(pool, segments, line));
    apr_atomic_inc32(spool->depth);
    return NULL;
}

static const char *line_of(apr_pool_t *pool, const char *id, na_bytes content, apr_time_t now)
{
    return apr_psprintf(pool, "%016" APR_INT64_T_FMT "-%s %.*s\n", now, id, (int)content.len,
                        (const char *)content.data);
}

na_error *na_spool_put(const na_spool *spool, apr_pool_t *pool, const char *id, na_bytes content,
                       apr_time_t now)
{
    int lock;
    const char *segments = na_spool_segments(pool, spool->directory);
    if (content.len > NA_SPOOL_ITEM_MAX || memchr(content.data, '\n', content.len))
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "queue: the item is %" APR_SIZE_T_FMT
                            " bytes; one line of at most %d is allowed",
                            content.len, NA_SPOOL_ITEM_MAX);
    if (apr_atomic_read32(spool->depth) >= spool->max_items)
        return full_error(spool, pool);
    na_bytes line = na_bytes_of(line_of(pool, id, content, now));
    NA_TRY(na_segment_lock(pool, segments, &lock));
    na_error *error = append_counted(spool, pool, segments, line);
    na_segment_unlock(lock);
    return error;
}

/* ── opening ───────────────────────────────────────────────────────────────────────────────── */

static na_error *make_segments(const na_spool *spool, apr_pool_t *pool)
{
    const char *path = na_spool_segments(pool, spool->directory);
    return mkdir(path, S_IRWXU) == 0 || errno == EEXIST ? NULL
                                                        : spool_error(pool, "create", path, errno);
}

na_error *na_spool_open(na_spool *spool, apr_pool_t *pool)
{
    apr_uint32_t lines;
    const apr_array_header_t *files;
    na_spool_look look = {0};
    NA_TRY(make_segments(spool, pool));
    NA_TRY(na_spool_files_due(pool, spool->directory, 0, 0, &look, &files));
    NA_TRY(na_segment_count(pool, na_spool_segments(pool, spool->directory), &lines));
    apr_atomic_set32(spool->depth, look.items + lines);
    return NULL;
}

na_error *na_spool_lock(const na_spool *spool, apr_pool_t *pool, int *locked)
{
    const char *path = apr_pstrcat(pool, spool->directory, "/.lock", NULL);
    apr_file_t *file;
    *locked = 0;
    apr_status_t status = apr_file_open(&file, path, APR_FOPEN_WRITE | APR_FOPEN_CREATE,
                                        APR_FPROT_UREAD | APR_FPROT_UWRITE, pool);
    if (status != APR_SUCCESS)
        return spool_error(pool, "open", path, APR_TO_OS_ERROR(status));
    *locked = apr_file_lock(file, APR_FLOCK_EXCLUSIVE | APR_FLOCK_NONBLOCK) == APR_SUCCESS;
    return NULL;
}

/* ── taking ────────────────────────────────────────────────────────────────────────────────── */

na_error *na_spool_begin(na_spool *spool, apr_pool_t *pool, apr_time_t now)
{
    na_spool_round *round = spool->round = apr_pcalloc(pool, sizeof *round);
    round->pool = pool;
    round->segments = na_spool_segments(pool, spool->directory);
    NA_TRY(na_spool_files_due(pool, spool->directory, now, FILES_MAX, &spool->look, &round->files));
    return na_segment_open(pool, round->segments, &round->segment);
}

/*
 * Processes that were killed, and those of the previous configuration, count otherwise. Under the
 * lock no process adds items, so a difference from the number of then stays right afterwards.
 */
static na_error *take_segment(na_spool *spool)
{
    na_spool_round *round = spool->round;
    int lock, taken;
    apr_uint32_t lines = 0;
    NA_TRY(na_segment_lock(round->pool, round->segments, &lock));
    apr_uint32_t counted = apr_atomic_read32(spool->depth);
    na_error *error = na_segment_take(round->pool, round->segments, &taken);
    na_segment_unlock(lock);
    if (error)
        return error;
    NA_TRY(na_segment_open(round->pool, round->segments, &round->segment));
    if (taken)
        NA_TRY(na_segment_count(round->pool, round->segments, &lines));
    apr_atomic_add32(spool->depth, spool->look.items + lines - counted);
    return NULL;
}

/* Without anything to take and to correct, the lock is not taken. */
static na_error *begin_segment(na_spool *spool)
{
    na_spool_round *round = spool->round;
    if (round->has_taken)
        return NULL;
    round->has_taken = 1;
    return na_segment_is_filling(round->pool, round->segments) ||
                   apr_atomic_read32(spool->depth) != spool->look.items
               ? take_segment(spool)
               : NULL;
}

static int parse_line(na_bytes text, na_spool_item *item)
{
    apr_int64_t created;
    const char *start = (const char *)text.data;
    const char *id =
        text.len > PREFIX_LEN ? na_spool_digits(start, CREATED_DIGITS, '-', &created) : NULL;
    *item = (na_spool_item){0};
    if (!id || strspn(id, "0123456789abcdef") != NA_SPOOL_ID_LEN || id[NA_SPOOL_ID_LEN] != ' ')
        return 0;
    item->due = item->created = created;
    memcpy(item->id, id, NA_SPOOL_ID_LEN);
    return 1;
}

static na_error *find_line(na_spool *spool, apr_pool_t *pool, int *there)
{
    na_spool_round *round = spool->round;
    int is_whole;
    *there = 0;
    while (!*there) {
        if (!round->segment)
            NA_TRY(begin_segment(spool));
        if (!round->segment)
            return NULL;
        NA_TRY(na_segment_line(round->segment, pool, &round->text, &is_whole, there));
        if (*there)
            break;
        NA_TRY(na_segment_remove(round->segment, pool));
        round->segment = NULL;
    }
    round->is_damaged = !parse_line(round->text, &round->line) || !is_whole;
    return NULL;
}

static const na_spool_item *find_file(const na_spool_round *round)
{
    return round->next_file < round->files->nelts
               ? &APR_ARRAY_IDX(round->files, round->next_file, na_spool_item)
               : NULL;
}

na_error *na_spool_next(na_spool *spool, apr_pool_t *pool, const na_spool_item **item)
{
    int there;
    const na_spool_item *file = find_file(spool->round);
    NA_TRY(find_line(spool, pool, &there));
    *item = there && (!file || spool->round->line.due <= file->due) ? &spool->round->line : file;
    return NULL;
}

na_error *na_spool_read(const na_spool *spool, apr_pool_t *pool, const na_spool_item *item,
                        na_bytes *content)
{
    const na_spool_round *round = spool->round;
    if (item->name)
        return na_spool_file_read(pool, spool->directory, item, content);
    if (round->is_damaged)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "queue: a line of '%s' is not an item",
                            round->segments);
    content->len = round->text.len - PREFIX_LEN;
    content->data =
        (const unsigned char *)apr_pstrmemdup(pool, (const char *)round->text.data + PREFIX_LEN,
                                              content->len);
    return NULL;
}

/* ── what becomes of an item ───────────────────────────────────────────────────────────────── */

/* Notes that the item is not in its place any more. */
static void leave_item(na_spool *spool, const na_spool_item *item)
{
    if (!item->name)
        return;
    spool->round->next_file++;
    spool->look.items--;
}

static void decrease_depth(const na_spool *spool)
{
    if (apr_atomic_read32(spool->depth))
        apr_atomic_dec32(spool->depth);
}

na_error *na_spool_remove(na_spool *spool, apr_pool_t *pool, const na_spool_item *item)
{
    NA_TRY(item->name ? na_spool_file_remove(pool, spool->directory, item)
                      : na_segment_done(spool->round->segment, pool));
    leave_item(spool, item);
    decrease_depth(spool);
    return NULL;
}

/* A line becomes a file before it is done: a crash in between leaves both, rather than none. */
static na_error *move_line(const na_spool *spool, apr_pool_t *pool, const na_spool_item *later)
{
    na_bytes content;
    NA_TRY(na_spool_read(spool, pool, &spool->round->line, &content));
    NA_TRY(na_spool_file_write(pool, spool->directory, later, content));
    return na_segment_done(spool->round->segment, pool);
}

na_error *na_spool_postpone(na_spool *spool, apr_pool_t *pool, const na_spool_item *item,
                            apr_time_t due)
{
    na_spool_item later = *item;
    later.due = due;
    later.attempts += later.attempts < ATTEMPTS_MAX;
    NA_TRY(item->name ? na_spool_file_rename(pool, spool->directory, item->name,
                                             na_spool_name(pool, &later))
                      : move_line(spool, pool, &later));
    leave_item(spool, item);
    spool->look.items++;
    return NULL;
}

const char *na_spool_bad_name(apr_pool_t *pool, const na_spool_item *item)
{
    return item->name ? apr_pstrcat(pool, BAD_PREFIX, item->name, NULL) : BAD_LINES;
}

static na_error *keep_bad_line(const na_spool *spool, apr_pool_t *pool)
{
    const char *path = apr_pstrcat(pool, spool->directory, "/" BAD_LINES, NULL);
    na_bytes text = spool->round->text;
    const char *line = apr_psprintf(pool, "%.*s\n", (int)text.len, (const char *)text.data);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0)
        return spool_error(pool, "open", path, errno);
    ssize_t written = write(fd, line, strlen(line));
    int code = errno;
    close(fd);
    return written >= 0 ? na_segment_done(spool->round->segment, pool)
                        : spool_error(pool, "write", path, code);
}

na_error *na_spool_set_aside(na_spool *spool, apr_pool_t *pool, const na_spool_item *item)
{
    NA_TRY(item->name ? na_spool_file_rename(pool, spool->directory, item->name,
                                             na_spool_bad_name(pool, item))
                      : keep_bad_line(spool, pool));
    leave_item(spool, item);
    decrease_depth(spool);
    return NULL;
}
