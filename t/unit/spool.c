/* SPDX-License-Identifier: Apache-2.0 */
#include "event/spool.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_atomic.h>
#include <apr_strings.h>

#include "base/crypto.h"
#include "event/deliver.h"
#include "event/segment.h"
#include "tap.h"

static const char *folder_of_test(apr_pool_t *pool)
{
    char *directory = apr_pstrdup(pool, "/tmp/nextauth-spool-XXXXXX");
    ok(mkdtemp(directory) != NULL, "a directory");
    return directory;
}

static na_spool open_spool(apr_pool_t *pool, apr_uint32_t max)
{
    na_spool spool = {.directory = folder_of_test(pool),
                      .max_items = max,
                      .depth = apr_pcalloc(pool, sizeof(apr_uint32_t))};
    succeeds(na_spool_open(&spool, pool), "an empty queue");
    return spool;
}

static void empty(const na_spool *spool, apr_pool_t *pool)
{
    is_number(system(apr_pstrcat(pool, "rm -rf ", spool->directory, NULL)), 0, "cleaned up");
}

static na_error *put(const na_spool *spool, apr_pool_t *pool, const char *text, apr_time_t now)
{
    return na_spool_put(spool, pool, na_random_hex(pool, 16), na_bytes_of(text), now);
}

/* The item that is due first, in a new round; NULL if none. */
static const na_spool_item *first_due(na_spool *spool, apr_pool_t *pool, apr_time_t now)
{
    const na_spool_item *item = NULL;
    na_error *error = na_spool_begin(spool, pool, now);
    error = error ? error : na_spool_next(spool, pool, &item);
    return error ? NULL : item;
}

static const char *text_of(const na_spool *spool, apr_pool_t *pool, const na_spool_item *item)
{
    na_bytes content;
    return !item || na_spool_read(spool, pool, item, &content) ? NULL : (const char *)content.data;
}

/* The texts of all items that are due, in their order, which are removed. */
static const char *take_all(na_spool *spool, apr_pool_t *pool, apr_time_t now)
{
    const char *texts = "";
    const na_spool_item *item;
    if (na_spool_begin(spool, pool, now))
        return "?";
    while (!na_spool_next(spool, pool, &item) && item) {
        texts = apr_pstrcat(pool, texts, text_of(spool, pool, item), NULL);
        if (na_spool_remove(spool, pool, item))
            return "??";
    }
    return texts;
}

static const char *in_spool(apr_pool_t *pool, const na_spool *spool, const char *name)
{
    return apr_pstrcat(pool, spool->directory, "/", name, NULL);
}

static int is_there(apr_pool_t *pool, const na_spool *spool, const char *name)
{
    return access(in_spool(pool, spool, name), F_OK) == 0;
}

static void write_file(apr_pool_t *pool, const na_spool *spool, const char *name, const char *text)
{
    FILE *file = fopen(in_spool(pool, spool, name), "w");
    if (file) {
        fputs(text, file);
        fclose(file);
    }
}

static void names(apr_pool_t *pool)
{
#define ID "0123456789abcdef0123456789abcdef"
    static const char *const bad[] = {
        "",
        "x",
        ".",
        "..",
        ".new-x",
        "0000000000000001-0000-0000000000000002-" ID,
        "0000000000000001-0000-0000000000000002-" ID ".json.json",
        "bad-0000000000000001-0000-0000000000000002-" ID ".json",
        "000000000000001-0000-0000000000000002-" ID ".json",
        "00000000000000001-0000-0000000000000002-" ID ".json",
        "-000000000000001-0000-0000000000000002-" ID ".json",
        "0000000000000001-00x0-0000000000000002-" ID ".json",
        "0000000000000001-0000-0000000000000002-0123456789ABCDEF0123456789abcdef.json",
        "0000000000000001-0000-0000000000000002-" ID "0.json",
        "0000000000000001"};
    na_spool_item item = {0};
    const char *good = "0000000000000001-0003-0000000000000002-" ID ".json";
    ok(na_spool_name_parse(good, &item), "a name");
    is_number(item.due, 1, "when it is due");
    is_number(item.attempts, 3, "its attempts");
    is_number(item.created, 2, "when it was made");
    is(item.id, ID, "its id");
    is(na_spool_name(pool, &item), good, "and back");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ok(!na_spool_name_parse(bad[i], &item), "no item: '%s'", bad[i]);
}

static void queueing(apr_pool_t *pool)
{
    na_spool spool = open_spool(pool, 3);
    succeeds(put(&spool, pool, "{\"n\":1}", 1000), "an item");
    succeeds(put(&spool, pool, "{\"n\":2}", 2000), "a newer one");
    succeeds(put(&spool, pool, "{\"n\":3}", 3000), "a third");
    na_error *error = put(&spool, pool, "{\"n\":4}", 4000);
    is(error ? error->code : NULL, NA_ERR_BUSY, "a fourth finds it full");
    is_number(*spool.depth, 3, "three are there");
    const na_spool_item *first = first_due(&spool, pool, 5000);
    is(text_of(&spool, pool, first), "{\"n\":1}", "the oldest first");
    is_number(first ? first->created : 0, 1000, "which was made at its time");
    succeeds(na_spool_postpone(&spool, pool, first, 9000), "it is put off");
    const na_spool_item *second = first_due(&spool, pool, 5000);
    is(text_of(&spool, pool, second), "{\"n\":2}", "then the next is first");
    succeeds(na_spool_remove(&spool, pool, second), "done with");
    is_number(*spool.depth, 2, "the count is right");
    apr_uint32_t depth = 0;
    na_spool again = {.directory = spool.directory, .max_items = 3, .depth = &depth};
    succeeds(na_spool_open(&again, pool), "opened again");
    is_number(depth, 2, "it has what it had");
    succeeds(put(&again, pool, "{\"n\":5}", 8000), "and takes more");
    const na_spool_item *third = first_due(&again, pool, 9000);
    is(text_of(&again, pool, third), "{\"n\":3}", "but goes on where it was");
    succeeds(na_spool_remove(&again, pool, third), "to the end of the segment");
    const na_spool_item *fifth = first_due(&again, pool, 9000);
    is(text_of(&again, pool, fifth), "{\"n\":5}", "and then to the next");
    succeeds(na_spool_remove(&again, pool, fifth), "done with");
    const na_spool_item *late = first_due(&again, pool, 8999);
    ok(!late, "what was put off is not due before its time");
    late = first_due(&again, pool, 9000);
    is(text_of(&again, pool, late), "{\"n\":1}", "and is then");
    is_number(late ? late->attempts : 0, 1, "with one attempt behind it");
    is_number(late ? late->created : 0, 1000, "and as old as it was");
    succeeds(na_spool_remove(&again, pool, late), "done with");
    is_number(depth, 0, "nothing is left");
    ok(!is_there(pool, &spool, "segments/sending") && !is_there(pool, &spool, "segments/filling"),
       "nor a segment");
    char *large = apr_pcalloc(pool, NA_SPOOL_ITEM_MAX + 2);
    memset(large, 'x', NA_SPOOL_ITEM_MAX + 1);
    fails(put(&again, pool, large, 1), "an item that is too large");
    large[NA_SPOOL_ITEM_MAX] = '\0';
    succeeds(put(&again, pool, large, 1), "one that is just not");
    is(take_all(&again, pool, 5), large, "comes back as it was");
    fails(put(&again, pool, "two\nlines", 1), "two lines are no item");
    is_number(depth, 0, "nothing is counted that is not there");
    empty(&spool, pool);
}

/* What versions before wrote: a file for each item. */
static void former_files(apr_pool_t *pool)
{
    na_spool spool = open_spool(pool, 100);
    na_spool_item item = {.id = ID};
    for (item.due = 9; item.due > 0; item.due -= 2) {
        item.created = item.due;
        write_file(pool, &spool, na_spool_name(pool, &item),
                   apr_psprintf(pool, "%d", (int)item.due));
    }
    succeeds(na_spool_open(&spool, pool), "files of another version");
    is_number(*spool.depth, 5, "are counted");
    succeeds(put(&spool, pool, "6", 6), "a new item");
    is(take_all(&spool, pool, 7), "13567", "each is taken at its time");
    is_number(*spool.depth, 1, "one is left");
    is(take_all(&spool, pool, 9), "9", "until its time");
    is(take_all(&spool, pool, 9), "", "and then none");
    is_number(*spool.depth, 0, "nor counted");
    empty(&spool, pool);
}

static void foreign(apr_pool_t *pool)
{
    na_spool spool = open_spool(pool, 10);
    const char *name = "0000000000000001-0000-0000000000000002-" ID ".json";
    write_file(pool, &spool, name, "");
    write_file(pool, &spool, "README", "hello");
    write_file(pool, &spool, ".new-x", "half");
    const na_spool_item *item = first_due(&spool, pool, 5);
    is(item ? item->name : NULL, name, "foreign names are none of its business");
    is_number(*spool.depth, 1, "and not counted; what somebody else put is");
    is(text_of(&spool, pool, item), NULL, "an empty file is no item");
    succeeds(na_spool_set_aside(&spool, pool, item), "set aside");
    ok(!first_due(&spool, pool, 5), "it is out of the way");
    const char *link = in_spool(pool, &spool, name);
    is_number(symlink("/etc/passwd", link), 0, "a link");
    na_bytes content;
    fails(na_spool_read(&spool, pool, first_due(&spool, pool, 5), &content),
          "a symbolic link is not followed");
    unlink(link);
    is_number(symlink("/etc/passwd", in_spool(pool, &spool, "segments/filling")), 0, "another");
    fails(put(&spool, pool, "{}", 1), "nor is that written to");
    empty(&spool, pool);
}

#define LINE(created, text) "000000000000000" #created "-" ID " " text "\n"

/* Takes all items, setting aside what cannot be read. */
static const char *take_whole(na_spool *spool, apr_pool_t *pool)
{
    const char *texts = "";
    const na_spool_item *item;
    if (na_spool_begin(spool, pool, 9))
        return "?";
    while (!na_spool_next(spool, pool, &item) && item) {
        const char *text = text_of(spool, pool, item);
        texts = apr_pstrcat(pool, texts, text ? text : "-", NULL);
        if (text ? na_spool_remove(spool, pool, item) : na_spool_set_aside(spool, pool, item))
            return "??";
    }
    return texts;
}

static void damaged(apr_pool_t *pool)
{
    apr_size_t len;
    na_spool spool = open_spool(pool, 10);
    char *endless = apr_pcalloc(pool, 3 * NA_SPOOL_ITEM_MAX);
    memset(endless, 'x', 3 * NA_SPOOL_ITEM_MAX - 1);
    write_file(pool, &spool, "segments/filling", LINE(1, "a") "what\n\n" LINE(2, "b") "0000");
    succeeds(put(&spool, pool, "c", 3), "behind half a line");
    is(take_whole(&spool, pool), "a--b-c", "whole lines are taken, others set aside");
    is(slurp(pool, in_spool(pool, &spool, "bad-lines"), &len), "what\n\n0000\n", "as they were");
    is_number(*spool.depth, 0, "and no longer counted");
    write_file(pool, &spool, "segments/filling",
               apr_pstrcat(pool, LINE(1, "a"), endless, "\n", LINE(2, "b"), NULL));
    is(take_whole(&spool, pool), "a---b", "a line without end is taken in pieces");
    write_file(pool, &spool, "segments/filling", LINE(1, "a") "0000000000000002-" ID " b");
    is(take_whole(&spool, pool), "a-", "so is the last one, if it has no end");
    static const char *const offsets[] = {"", "x\n", "00000000000000000003\n",
                                          "00000000000000099999\n", "99999999999999999999\n"};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        write_file(pool, &spool, "segments/sending", LINE(1, "a") LINE(2, "b"));
        write_file(pool, &spool, "segments/offset", offsets[i]);
        is(take_whole(&spool, pool), "ab", "without a valid offset, all are taken again");
    }
    write_file(pool, &spool, "segments/sending", LINE(1, "a") LINE(2, "b"));
    write_file(pool, &spool, "segments/offset", "00000000000000000052\n");
    is(take_whole(&spool, pool), "b", "with one, those that are left");
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++)
            put(&spool, pool, i == 0 ? "a" : i == 1 ? "b" : "c", 1);
        is(take_whole(&spool, pool), "abc", "which the next segment does not inherit");
    }
    empty(&spool, pool);
}

/* The directory is read again only if it changed, or an item became due. */
static void looks(apr_pool_t *pool)
{
    na_spool spool = open_spool(pool, 10);
    const apr_array_header_t *items;
    na_spool_item item = {.due = 7, .id = ID};
    const struct timespec long_ago[2] = {{1000, 0}, {1000, 0}};
    apr_time_t now = apr_time_now();
    write_file(pool, &spool, na_spool_name(pool, &item), "{}");
    utimensat(AT_FDCWD, spool.directory, long_ago, 0);
    na_spool_files_due(pool, spool.directory, 5, 9, &spool.look, &items);
    is_number(spool.look.changed, 0, "a directory of the future is not trusted");
    spool.look.changed = 0;
    item.due = now + 1000;
    write_file(pool, &spool, na_spool_name(pool, &item), "{}");
    utimensat(AT_FDCWD, spool.directory, long_ago, 0);
    na_spool_files_due(pool, spool.directory, now, 9, &spool.look, &items);
    is_number(items->nelts, 1, "one of two is due");
    is_number(spool.look.items, 2, "both are there");
    unlink(in_spool(pool, &spool, items->nelts ? APR_ARRAY_IDX(items, 0, na_spool_item).name : ""));
    utimensat(AT_FDCWD, spool.directory, long_ago, 0);
    na_spool_files_due(pool, spool.directory, now, 9, &spool.look, &items);
    is_number(items->nelts, 0, "what was due is looked for again");
    item.due = now + 2000;
    write_file(pool, &spool, na_spool_name(pool, &item), "{}");
    utimensat(AT_FDCWD, spool.directory, long_ago, 0);
    na_spool_files_due(pool, spool.directory, now + 500, 9, &spool.look, &items);
    is_number(spool.look.items, 1, "a directory that did not change is not read");
    na_spool_files_due(pool, spool.directory, now + 1000, 9, &spool.look, &items);
    is_number(items->nelts, 1, "until an item is due");
    is_number(spool.look.items, 2, "which finds the other as well");
    write_file(pool, &spool, na_spool_name(pool, &(na_spool_item){.due = 3, .id = ID}), "{}");
    na_spool_files_due(pool, spool.directory, now + 600, 9, &spool.look, &items);
    is_number(spool.look.items, 3, "one that changed is");
    empty(&spool, pool);
}

/* ── many processes ────────────────────────────────────────────────────────────────────────── */

#define PROCESSES 4
#define THREADS 3
#define EACH 50

static const na_spool *written;
static int writer_number;

static void *put_some(void *thread)
{
    apr_pool_t *pool;
    apr_pool_create(&pool, NULL);
    for (int i = 0; i < EACH; i++) {
        const char *text =
            apr_psprintf(pool, "<%d.%d.%d>", writer_number, (int)(intptr_t)thread, i);
        if (put(written, pool, text, apr_time_now()))
            _exit(1);
    }
    apr_pool_destroy(pool);
    return NULL;
}

static void put_in_threads(const na_spool *spool, int number)
{
    pthread_t threads[THREADS];
    written = spool;
    writer_number = number;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, put_some, (void *)(intptr_t)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    _exit(0);
}

/* Returns how many items are not in the text, or not behind those that were put before them. */
static int count_misplaced(apr_pool_t *pool, const char *text)
{
    int misplaced = 0;
    for (int process = 0; process < PROCESSES; process++)
        for (int thread = 0; thread < THREADS; thread++) {
            const char *from = text;
            for (int i = 0; i < EACH; i++) {
                const char *found =
                    strstr(from, apr_psprintf(pool, "<%d.%d.%d>", process, thread, i));
                misplaced += !found;
                from = found ? found : from;
            }
        }
    return misplaced;
}

static na_spool open_shared(apr_pool_t *pool)
{
    na_spool spool = open_spool(pool, 1000);
    spool.depth =
        mmap(NULL, sizeof *spool.depth, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return spool;
}

static void processes(apr_pool_t *pool)
{
    na_spool spool = open_shared(pool);
    for (int child = 0; child < PROCESSES; child++)
        if (fork() == 0)
            put_in_threads(&spool, child);
    const char *taken = "";
    int status, failed = 0;
    for (int ended = 0; ended < PROCESSES;) {
        taken = apr_pstrcat(pool, taken, take_all(&spool, pool, apr_time_now()), NULL);
        if (waitpid(-1, &status, WNOHANG) <= 0)
            continue;
        failed |= status;
        ended++;
    }
    taken = apr_pstrcat(pool, taken, take_all(&spool, pool, apr_time_now()), NULL);
    is_number(failed, 0, "processes and threads put items while others are taken");
    is_number(count_misplaced(pool, taken), 0, "all are there, in the order of each");
    is_number(*spool.depth, 0, "and the count is right");
    int locked;
    succeeds(na_spool_lock(&spool, pool, &locked), "locked");
    ok(locked, "by this process");
    if (fork() == 0) {
        int theirs = 1;
        _exit(na_spool_lock(&spool, pool, &theirs) || theirs ? 1 : 0);
    }
    wait(&status);
    is_number(status, 0, "no other takes at the same time");
    empty(&spool, pool);
}

/* Returns 1 once the process waits for a lock, 0 if it ends before. */
static int waits_for_lock(pid_t child)
{
    char line[200], blocked[40];
    snprintf(blocked, sizeof blocked, " %d ", (int)child);
    while (waitpid(child, NULL, WNOHANG) == 0) {
        FILE *locks = fopen("/proc/locks", "r");
        int found = 0;
        while (locks && fgets(line, sizeof line, locks))
            found |= strstr(line, "-> FLOCK") && strstr(line, blocked);
        if (locks)
            fclose(locks);
        if (found || !locks)
            return 1;
    }
    return 0;
}

/* An item that is put while the segment changes hands would be lost with the old one. */
static void locking(apr_pool_t *pool)
{
    int lock, status;
    na_spool spool = open_shared(pool);
    const char *segments = na_spool_segments(pool, spool.directory);
    succeeds(na_segment_lock(pool, segments, &lock), "segments are locked");
    pid_t child = fork();
    if (child == 0)
        _exit(put(&spool, pool, "{}", 1) != NULL);
    ok(waits_for_lock(child), "who puts an item waits");
    ok(!na_segment_is_filling(pool, segments), "and has not begun");
    na_segment_unlock(lock);
    waitpid(child, &status, 0);
    is_number(status, 0, "until they are unlocked");
    is(take_all(&spool, pool, 2), "{}", "then the item is there");
    empty(&spool, pool);
}

/* A process puts items, and says so of each, until it is killed. */
static void put_until_killed(const na_spool *spool, apr_pool_t *pool, int number, int to)
{
    for (int i = 0;; i++) {
        const char *text = apr_psprintf(pool, "<%d.%06d>", number, i);
        if (put(spool, pool, text, apr_time_now()) || write(to, text, 10) != 10)
            _exit(1);
    }
}

/* A process takes items, and says so of each, until it is killed. */
static void take_until_killed(na_spool *spool, apr_pool_t *pool, int to)
{
    const na_spool_item *item;
    for (;;) {
        apr_pool_t *round;
        apr_pool_create(&round, pool);
        na_spool_begin(spool, round, apr_time_now());
        while (!na_spool_next(spool, round, &item) && item) {
            const char *text = text_of(spool, round, item);
            if (write(to, text, strlen(text)) < 0 || na_spool_remove(spool, round, item))
                _exit(1);
        }
        apr_pool_destroy(round);
    }
}

static const char *read_some(apr_pool_t *pool, int fd, apr_size_t least)
{
    char text[4096];
    ssize_t len = 1;
    const char *all = "";
    while (strlen(all) < least && (len = read(fd, text, sizeof text)) > 0)
        all = apr_pstrcat(pool, all, apr_pstrmemdup(pool, text, (apr_size_t)len), NULL);
    return all;
}

static int count_missing(apr_pool_t *pool, const char *items, const char *in)
{
    int missing = 0;
    for (; strlen(items) >= 10; items += 10)
        missing += !strstr(in, apr_pstrmemdup(pool, items, 10));
    return missing;
}

static void killed(apr_pool_t *pool)
{
    na_spool spool = open_shared(pool);
    int put_ends[2], taken_ends[2];
    pid_t children[3];
    spool.max_items = 1000 * 1000;
    if (pipe(put_ends) != 0 || pipe(taken_ends) != 0)
        return;
    for (int i = 0; i < 3; i++) {
        children[i] = fork();
        if (children[i] == 0 && i < 2)
            put_until_killed(&spool, pool, i, put_ends[1]);
        if (children[i] == 0)
            take_until_killed(&spool, pool, taken_ends[1]);
    }
    close(put_ends[1]);
    close(taken_ends[1]);
    const char *taken = read_some(pool, taken_ends[0], 3000);
    kill(children[2], SIGKILL);
    const char *added = read_some(pool, put_ends[0], 3000);
    kill(children[0], SIGKILL);
    kill(children[1], SIGKILL);
    while (wait(NULL) > 0)
        ;
    added = apr_pstrcat(pool, added, read_some(pool, put_ends[0], (apr_size_t)-1), NULL);
    taken = apr_pstrcat(pool, taken, read_some(pool, taken_ends[0], (apr_size_t)-1), NULL);
    const char *rest = take_whole(&spool, pool);
    ok(*rest != '?', "processes are killed while they put and take");
    taken = apr_pstrcat(pool, taken, rest, take_whole(&spool, pool), NULL);
    is_number(count_missing(pool, added, taken), 0, "no item is lost");
    is_number(*spool.depth, 0, "and the count is right again");
    empty(&spool, pool);
}

/* ── delivery ──────────────────────────────────────────────────────────────────────────────── */

typedef struct target {
    na_outcome outcome;
    apr_interval_time_t pause;
    const char *poison; /* an id that is never taken */
    int sends;
    const char *said;
    apr_pool_t *pool;
} target;

static void send_to(const na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                    const na_spool_item *item, const json_t *json, na_attempt *attempt)
{
    target *t = sink->data;
    int poisonous = t->poison && strcmp(t->poison, item->id) == 0;
    t->sends++;
    *attempt = (na_attempt){poisonous ? NA_LATER : t->outcome, "no", t->pause};
}

static int goes_on(void *data)
{
    return 0;
}

static void note(void *data, na_level level, const char *line)
{
    target *t = data;
    t->said = apr_pstrdup(t->pool, line);
}

/* One round; whoever takes holds the queue as long as his pool. */
static void deliver(na_sink *sink, const na_courier *courier, apr_pool_t *pool)
{
    apr_pool_t *round;
    apr_pool_create(&round, pool);
    na_deliver(sink, courier, round);
    apr_pool_destroy(round);
}

static int fates[3];

static void count_fate(na_fate fate)
{
    fates[fate]++;
}

static void delivery(apr_pool_t *pool)
{
    target t = {.outcome = NA_DELIVERED, .pool = pool};
    na_sink_state state = {0};
    na_courier courier = {&t, goes_on, note};
    na_sink sink = {
        .name = "test", .state = &state, .told = count_fate, .data = &t, .send = send_to};
    apr_time_t now = apr_time_now(), day = apr_time_from_sec(24 * 3600);
    sink.spool =
        (na_spool){.directory = folder_of_test(pool), .max_items = 10, .depth = &state.depth};
    succeeds(na_spool_open(&sink.spool, pool), "an empty queue");
    const char *poison = na_random_hex(pool, 16);

    t.poison = poison;
    na_spool_put(&sink.spool, pool, poison, na_bytes_of("{}"), now);
    put(&sink.spool, pool, "{}", now + 1);
    deliver(&sink, &courier, pool);
    is_number(t.sends, 1, "what is not taken ends the round");
    ok(state.resume > now && strstr(t.said, poison), "the sink rests, and the log says why");
    deliver(&sink, &courier, pool);
    is_number(t.sends, 1, "nothing is sent while it rests");
    state.resume = 0;
    deliver(&sink, &courier, pool);
    is_number(fates[NA_FATE_DELIVERED], 1, "then what is behind is delivered first");
    is_number(state.depth, 1, "the other one waits");
    is_number(state.failures, 0, "and the sink is well again");

    write_file(pool, &sink.spool,
               na_spool_name(pool, &(na_spool_item){.due = 1, .created = now - 3 * day, .id = ID}),
               "{}");
    t.outcome = NA_LATER;
    deliver(&sink, &courier, pool);
    ok(t.said && strstr(t.said, "gave up") && strstr(t.said, ID), "given up after three days");
    is_number(fates[NA_FATE_FAILED], 1, "and counted");
    is_number(na_delivery_wait(1), apr_time_from_sec(1), "a second at first");
    is_number(na_delivery_wait(4), apr_time_from_sec(120), "two minutes after four");
    is_number(na_delivery_wait(1000), apr_time_from_sec(3600), "an hour at most");

    state.resume = 0;
    state.failures = 0;
    put(&sink.spool, pool, "{}", now);
    t.outcome = NA_REFUSED;
    deliver(&sink, &courier, pool);
    is_number(fates[NA_FATE_FAILED], 2, "what is refused is not tried again");
    put(&sink.spool, pool, "{}", now);
    t.outcome = NA_DELIVERED;
    t.pause = 100 * day;
    deliver(&sink, &courier, pool);
    ok(state.resume > now && state.resume <= apr_time_now() + day,
       "a pause is kept, of a day at most");
    state.resume = apr_time_now() + 2 * day;
    t.pause = 0;
    put(&sink.spool, pool, "{}", now);
    deliver(&sink, &courier, pool);
    is_number(fates[NA_FATE_DELIVERED], 3, "a clock that was put back stops nothing");
    sink.spool.max_items = 1;
    fails(na_sink_put(&sink, pool, ID, na_json_own(pool, json_object()), now), "full");
    is_number(fates[NA_FATE_DROPPED], 1, "what is dropped is counted");
    empty(&sink.spool, pool);
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    names(pool);
    queueing(pool);
    former_files(pool);
    foreign(pool);
    damaged(pool);
    looks(pool);
    processes(pool);
    locking(pool);
    killed(pool);
    delivery(pool);
    return tap_done();
}
