/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "store/redis.h"
#include "tap.h"

/*
 * What every store keeps to, against the Redis that NEXTAUTH_TEST_REDIS names: an address, then
 * options as name=value. With the argument "ask" it does what each line of its input says instead.
 */

#define THREADS 8
#define SWAPS 40
#define MINUTE apr_time_from_sec(60)

static na_breaker_state health;
static na_store store = {.breaker = {.health = &health}};

static int set_option(na_redis_options *options, const char *name, const char *value)
{
    static const struct {
        const char *name;
        size_t offset;
    } texts[] = {{"ca", offsetof(na_redis_options, ca_file)},
                 {"cert", offsetof(na_redis_options, cert_file)},
                 {"key", offsetof(na_redis_options, key_file)},
                 {"prefix", offsetof(na_redis_options, prefix)},
                 {"sentinel", offsetof(na_redis_options, sentinels)},
                 {"master", offsetof(na_redis_options, master)},
                 {"sentinel_user", offsetof(na_redis_options, sentinel_user)},
                 {"sentinel_password", offsetof(na_redis_options, sentinel_password)}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(name, texts[i].name) == 0) {
            *(const char **)((char *)options + texts[i].offset) = value;
            return 1;
        }
    if (strcmp(name, "cluster") == 0)
        options->cluster = atoi(value);
    else if (strcmp(name, "timeout_ms") == 0)
        options->timeout_ms = atol(value);
    else if (strcmp(name, "max") == 0)
        options->max_connections = atoi(value);
    else
        return 0;
    return 1;
}

static na_error *open_store(apr_pool_t *pool, const char *setting)
{
    char *state, *text = apr_pstrdup(pool, setting);
    na_redis_options *options = apr_palloc(pool, sizeof *options);
    NA_TRY(na_redis_url_parse(pool, apr_strtok(text, " ", &state), options));
    for (char *name = apr_strtok(NULL, " ", &state); name; name = apr_strtok(NULL, " ", &state)) {
        char *value = strchr(name, '=');
        if (value)
            *value++ = '\0';
        if (!value || !set_option(options, name, value))
            return na_error_new(pool, NA_ERR_CONFIGURATION, "no option: %s", name);
    }
    NA_TRY(na_redis_options_check(pool, options));
    return na_redis_make(pool, options, &store);
}

/* A kind of its own for each run and purpose, so that nothing is there before. */
static na_store_key key_of(const char *kind, const char *name)
{
    na_store_key key;
    na_store_key_make(&key, kind, name);
    return key;
}

static const char *new_kind(apr_pool_t *pool)
{
    return apr_pstrcat(pool, "test", na_random_hex(pool, 8), NULL);
}

static int same(na_bytes a, na_bytes b)
{
    return a.data && b.data && a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static na_bytes get(apr_pool_t *pool, const na_store_key *key)
{
    na_bytes value = {NULL, 0};
    na_error *error = na_store_get(&store, pool, key, 1, &value);
    if (error)
        succeeds(error, "reading");
    return value;
}

static na_error *put(apr_pool_t *pool, const na_store_key *key, na_bytes value)
{
    return na_store_put(&store, pool, key, value, apr_time_now() + MINUTE);
}

static void values(apr_pool_t *pool)
{
    static const unsigned char binary[] = "\0\r\n$5\r\n\xff\0end";
    na_bytes value = {binary, sizeof binary};
    na_store_key key = key_of(new_kind(pool), "ada");
    na_bytes read = {binary, 1};
    succeeds(na_store_get(&store, pool, &key, 1, &read), "what was never put");
    ok(!read.data, "is not there");
    succeeds(put(pool, &key, value), "binary bytes are put");
    ok(same(get(pool, &key), value), "and come back as they are");
    succeeds(put(pool, &key, na_bytes_of("another")), "another value replaces them");
    ok(same(get(pool, &key), na_bytes_of("another")), "and is what is there");

    char *large = apr_palloc(pool, 1024 * 1024);
    na_random(large, 1024 * 1024);
    value = (na_bytes){(unsigned char *)large, 100 * 1024};
    succeeds(put(pool, &key, value), "100 KB are put");
    ok(same(get(pool, &key), value), "and come back");
    value.len = store.driver->value_max;
    succeeds(put(pool, &key, value), "as much as the store takes is put");
    ok(same(get(pool, &key), value), "and comes back");
    value.len = store.driver->value_max + 1;
    fails(put(pool, &key, value), "a byte more is refused");
}

static int goes(apr_pool_t *pool, const na_store_key *key)
{
    for (int i = 0; i < 1000 && get(pool, key).data; i++)
        apr_sleep(10 * 1000);
    return !get(pool, key).data;
}

static void expiry(apr_pool_t *pool)
{
    na_store_key key = key_of(new_kind(pool), "ada");
    succeeds(na_store_put(&store, pool, &key, na_bytes_of("v"), apr_time_now() + 2000000),
             "a value for two seconds");
    ok(get(pool, &key).data != NULL, "is there");
    ok(goes(pool, &key), "and goes");
    int swapped;
    succeeds(na_store_swap(&store, pool, &key, (na_bytes){NULL, 0}, na_bytes_of("w"),
                           apr_time_now() + 200000, &swapped),
             "one that was swapped in");
    ok(swapped && goes(pool, &key), "goes likewise");
}

#define MANY 120

static void several(apr_pool_t *pool)
{
    const char *kind = new_kind(pool);
    na_store_key keys[MANY];
    na_bytes read[MANY];
    int right = 0;
    for (int i = 0; i < MANY; i++) {
        keys[i] = key_of(kind, apr_itoa(pool, i));
        if (i % 3)
            succeeds(put(pool, &keys[i], na_bytes_of(apr_itoa(pool, i))), "one of many is put");
    }
    succeeds(na_store_get(&store, pool, keys, MANY, read), "many are read at once");
    for (int i = 0; i < MANY; i++)
        right += i % 3 ? same(read[i], na_bytes_of(apr_itoa(pool, i))) : !read[i].data;
    is_number(right, MANY, "each in its place, none where there is none");
}

static int swap(apr_pool_t *pool, const na_store_key *key, const char *expected, const char *value)
{
    int swapped = -1;
    na_bytes nothing = {NULL, 0};
    succeeds(na_store_swap(&store, pool, key, expected ? na_bytes_of(expected) : nothing,
                           na_bytes_of(value), apr_time_now() + MINUTE, &swapped),
             apr_psprintf(pool, "%s for %s", value, expected ? expected : "nothing"));
    return swapped;
}

static void swaps(apr_pool_t *pool)
{
    na_store_key key = key_of(new_kind(pool), "ada");
    is_number(swap(pool, &key, "one", "two"), 0, "nothing is no value");
    is_number(swap(pool, &key, NULL, "one"), 1, "nothing is replaced");
    is_number(swap(pool, &key, NULL, "two"), 0, "but once");
    is_number(swap(pool, &key, "ones", "two"), 0, "another value is not");
    is_number(swap(pool, &key, "one", "two"), 1, "the expected one is");
    ok(same(get(pool, &key), na_bytes_of("two")), "and the new one is there");
}

typedef struct adder {
    apr_pool_t *pool;
    const na_store_key *key;
    na_error *error;
} adder;

static na_error *add_one(apr_pool_t *pool, const na_store_key *key)
{
    for (int swapped = 0; !swapped;) {
        na_bytes now;
        NA_TRY(na_store_get(&store, pool, key, 1, &now));
        int number = now.data ? atoi(apr_pstrmemdup(pool, (const char *)now.data, now.len)) : 0;
        NA_TRY(na_store_swap(&store, pool, key, now, na_bytes_of(apr_itoa(pool, number + 1)),
                             apr_time_now() + MINUTE, &swapped));
    }
    return NULL;
}

static void *APR_THREAD_FUNC add(apr_thread_t *thread, void *data)
{
    adder *self = data;
    for (int i = 0; i < SWAPS && !self->error; i++)
        self->error = add_one(self->pool, self->key);
    return NULL;
}

static void threads(apr_pool_t *pool)
{
    apr_status_t status;
    apr_thread_t *thread[THREADS];
    adder adders[THREADS];
    na_store_key key = key_of(new_kind(pool), "counter");
    for (int i = 0; i < THREADS; i++) {
        adders[i] = (adder){.key = &key};
        apr_pool_create(&adders[i].pool, NULL);
        apr_thread_create(&thread[i], NULL, add, &adders[i], pool);
    }
    for (int i = 0; i < THREADS; i++) {
        apr_thread_join(&status, thread[i]);
        succeeds(adders[i].error, "a thread counts by swapping");
        apr_pool_destroy(adders[i].pool);
    }
    na_bytes total = get(pool, &key);
    is(total.data ? apr_pstrmemdup(pool, (const char *)total.data, total.len) : NULL,
       apr_itoa(pool, THREADS * SWAPS), "none of them loses a count");
}

/* Lists a kind by small pages, and asks the store on its way. */
typedef struct listing {
    int entries, right, pages;
    double share; /* of the last page */
} listing;

static listing list(apr_pool_t *pool, const char *kind, int max)
{
    listing l = {0};
    na_store_page page = {0};
    do {
        double before = page.share;
        succeeds(na_store_read_page(&store, pool, kind, page.next, max, &page), "a page");
        for (int i = 0; i < page.entries->nelts; i++) {
            const na_store_entry *entry = &APR_ARRAY_IDX(page.entries, i, na_store_entry);
            na_bytes again = get(pool, &entry->key);
            char *name = apr_pstrmemdup(pool, (const char *)entry->value.data, entry->value.len);
            na_store_key expected = key_of(kind, name);
            l.entries++;
            l.right += strcmp(entry->key.kind, kind) == 0 && same(entry->value, again) &&
                       memcmp(entry->key.hash, expected.hash, sizeof expected.hash) == 0;
        }
        if (page.share <= before)
            ok(0, "each page is a step: %f after %f", page.share, before);
        l.pages++;
        l.share = page.share;
    } while (page.next);
    return l;
}

static void listings(apr_pool_t *pool)
{
    const char *kind = new_kind(pool);
    const char *longer = apr_pstrcat(pool, kind, "er", NULL);
    na_store_page page;
    is_number(list(pool, kind, 100).entries, 0, "nothing of a kind is listed");
    for (int i = 0; i < MANY; i++) {
        const char *name = apr_itoa(pool, i);
        na_store_key key = key_of(kind, name), other = key_of(longer, name);
        if (put(pool, &key, na_bytes_of(name)) || put(pool, &other, na_bytes_of(name)))
            ok(0, "one of many is put");
    }
    listing all = list(pool, kind, 100);
    is_number(all.entries, MANY, "all of a kind is listed, and nothing of another");
    is_number(all.right, MANY, "each with its key and value");
    ok(all.pages > MANY / 200, "on pages: %d", all.pages);
    ok(all.share == 1, "the last of which is the end of all");
    is_number(list(pool, "t*", 1000).entries, 0, "a kind is no pattern");
    static const char *const none[] = {"",    "x",     "0",   "9.0",          "-1.0",
                                       "0.x", "0.1.2", "1:0", "99999999999.0"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        ok(na_error_is(na_store_read_page(&store, pool, kind, none[i], 10, &page),
                       NA_ERR_INVALID_CHECK),
           "no cursor: \'%s\'", none[i]);
    is_number(health.failures, 0, "which does not speak against the store");
}

static na_error *obey(apr_pool_t *pool, char *line, const char **answer)
{
    char *state;
    const char *verb = apr_strtok(line, " ", &state);
    const char *name = apr_strtok(NULL, " ", &state);
    const char *value = apr_strtok(NULL, " ", &state);
    na_store_key key = key_of("ask", name);
    na_bytes found;
    int swapped;
    *answer = "";
    if (strcmp(verb, "put") == 0)
        return store.driver->put(store.self, pool, &key, na_bytes_of(value),
                                 apr_time_now() + MINUTE);
    if (strcmp(verb, "swap") == 0) {
        NA_TRY(store.driver->swap(store.self, pool, &key, (na_bytes){NULL, 0}, na_bytes_of(value),
                                  apr_time_now() + MINUTE, &swapped));
        *answer = swapped ? "1" : "0";
        return NULL;
    }
    NA_TRY(store.driver->get(store.self, pool, &key, 1, &found));
    *answer = found.data ? apr_pstrmemdup(pool, (const char *)found.data, found.len) : "none";
    return NULL;
}

/* "put name value", "swap name value" (for nothing), "get name": one line of answer each. */
static int answer_lines(apr_pool_t *parent)
{
    char line[4096];
    apr_pool_t *pool;
    apr_pool_create(&pool, parent);
    while (fgets(line, sizeof line, stdin)) {
        const char *answer;
        line[strcspn(line, "\n")] = '\0';
        apr_time_t start = apr_time_now();
        na_error *error = obey(pool, line, &answer);
        printf("%s %d %s\n", error ? "error" : "ok", (int)apr_time_as_msec(apr_time_now() - start),
               error ? na_error_text(pool, error) : answer);
        fflush(stdout);
        apr_pool_clear(pool);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *setting = getenv("NEXTAUTH_TEST_REDIS");
    if (!setting)
        skip_all("NEXTAUTH_TEST_REDIS names no Redis");
    apr_pool_t *pool = tap_start();
    if (argc > 1 && strcmp(argv[1], "ask") == 0)
        return open_store(pool, setting) ? 2 : answer_lines(pool);
    if (!succeeds(open_store(pool, setting), "a store is made"))
        return tap_done();
    values(pool);
    expiry(pool);
    several(pool);
    swaps(pool);
    threads(pool);
    listings(pool);
    return tap_done();
}
