/* SPDX-License-Identifier: Apache-2.0 */
#include "event/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_atomic.h>
#include <apr_strings.h>

#include "base/crypto.h"
#include "event/deliver.h"
#include "tap.h"

static const char *folder_of_test(apr_pool_t *pool)
{
    char *directory = apr_pstrdup(pool, "/tmp/nextauth-spool-XXXXXX");
    ok(mkdtemp(directory) != NULL, "a directory");
    return directory;
}

static na_spool open_spool(apr_pool_t *pool, apr_uint32_t max)
{
    na_spool spool = {folder_of_test(pool), max, apr_pcalloc(pool, sizeof(apr_uint32_t))};
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

static const apr_array_header_t *due(const na_spool *spool, apr_pool_t *pool, apr_time_t now)
{
    const apr_array_header_t *items = NULL;
    na_error *error = na_spool_due(spool, pool, now, 100, &items);
    return error ? apr_array_make(pool, 1, sizeof(na_spool_item)) : items;
}

static const char *text_of(const na_spool *spool, apr_pool_t *pool, const na_spool_item *item)
{
    na_bytes content;
    return na_spool_read(spool, pool, item, &content) ? NULL : (const char *)content.data;
}

static void write_file(apr_pool_t *pool, const na_spool *spool, const char *name, const char *text)
{
    FILE *file = fopen(apr_pstrcat(pool, spool->directory, "/", name, NULL), "w");
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
    succeeds(put(&spool, pool, "{\"n\":2}", 2000), "an item");
    succeeds(put(&spool, pool, "{\"n\":1}", 1000), "an older one");
    succeeds(put(&spool, pool, "{\"n\":3}", 3000), "a newer one");
    na_error *error = put(&spool, pool, "{\"n\":4}", 4000);
    is(error ? error->code : NULL, NA_ERR_BUSY, "a fourth finds it full");
    is_number(*spool.depth, 3, "three are there");
    is_number(due(&spool, pool, 999)->nelts, 0, "none is due before its time");
    const apr_array_header_t *items = due(&spool, pool, 5000);
    is_number(items->nelts, 3, "all are later");
    const na_spool_item *first = &APR_ARRAY_IDX(items, 0, na_spool_item);
    is(text_of(&spool, pool, first), "{\"n\":1}", "the oldest first");
    succeeds(na_spool_postpone(&spool, pool, first, 9000), "it is put off");
    items = due(&spool, pool, 5000);
    is(text_of(&spool, pool, &APR_ARRAY_IDX(items, 0, na_spool_item)), "{\"n\":2}",
       "then the next is first");
    succeeds(na_spool_remove(&spool, pool, &APR_ARRAY_IDX(items, 0, na_spool_item)), "done with");
    items = due(&spool, pool, 9000);
    is_number(items->nelts, 2, "two are left");
    const na_spool_item *last = &APR_ARRAY_IDX(items, 1, na_spool_item);
    is_number(last->attempts, 1, "the one that was put off has one attempt behind it");
    is_number(last->created, 1000, "and is as old as it was");
    is_number(*spool.depth, 2, "the count is right");
    char *large = apr_pcalloc(pool, NA_SPOOL_ITEM_MAX + 2);
    memset(large, 'x', NA_SPOOL_ITEM_MAX + 1);
    fails(put(&spool, pool, large, 1), "an item that is too large");
    apr_uint32_t depth = 0;
    na_spool again = {spool.directory, 3, &depth};
    succeeds(na_spool_open(&again, pool), "opened again");
    is_number(depth, 2, "it has what it had");
    empty(&spool, pool);
}

static void foreign(apr_pool_t *pool)
{
    na_spool spool = open_spool(pool, 10);
    const char *name = "0000000000000001-0000-0000000000000002-" ID ".json";
    write_file(pool, &spool, name, "");
    write_file(pool, &spool, "README", "hello");
    write_file(pool, &spool, ".new-x", "half");
    const apr_array_header_t *items = due(&spool, pool, 5);
    is_number(items->nelts, 1, "foreign names are none of its business");
    is_number(*spool.depth, 1, "and not counted; what somebody else put is");
    const na_spool_item *item = &APR_ARRAY_IDX(items, 0, na_spool_item);
    is(text_of(&spool, pool, item), NULL, "an empty file is no item");
    succeeds(na_spool_set_aside(&spool, pool, item), "set aside");
    is_number(due(&spool, pool, 5)->nelts, 0, "it is out of the way");
    const char *link = apr_pstrcat(pool, spool.directory, "/", name, NULL);
    is_number(symlink("/etc/passwd", link), 0, "a link");
    items = due(&spool, pool, 5);
    na_bytes content;
    fails(na_spool_read(&spool, pool, &APR_ARRAY_IDX(items, 0, na_spool_item), &content),
          "a symbolic link is not followed");
    empty(&spool, pool);
}

static void processes(apr_pool_t *pool)
{
    na_spool spool = open_spool(pool, 1000);
    for (int child = 0; child < 4; child++)
        if (fork() == 0) {
            for (int i = 0; i < 50; i++)
                if (put(&spool, pool, "{}", apr_time_now()))
                    _exit(1);
            _exit(0);
        }
    int status, failed = 0;
    while (wait(&status) > 0)
        failed |= status;
    is_number(failed, 0, "four processes put fifty each");
    const apr_array_header_t *items = NULL;
    succeeds(na_spool_due(&spool, pool, apr_time_now(), 1000, &items), "looked up");
    is_number(items ? items->nelts : 0, 200, "all are there");
    is_number(*spool.depth, 200, "and the count was put right");
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
    sink.spool = (na_spool){folder_of_test(pool), 10, &state.depth};
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
    foreign(pool);
    processes(pool);
    delivery(pool);
    return tap_done();
}
