/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of providers' tokens: found, moved, removed, and changed by several at once. */
#include "session/token_entry.h"

#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "base/json.h"
#include "session/session.h"
#include "tap.h"

#define NOW apr_time_from_sec(1780000000)
#define END 1780086400

/* ── a store in memory ─────────────────────────────────────────────────────────────────────── */

typedef struct memory {
    apr_pool_t *pool;
    apr_hash_t *values; /* na_bytes by kind and hash */
} memory;

static const char *name_of(const memory *m, const na_store_key *key)
{
    return apr_pstrcat(m->pool, key->kind, na_hex(m->pool, key->hash, sizeof key->hash), NULL);
}

static na_error *get(void *self, apr_pool_t *pool, const na_store_key *keys, int count,
                     na_bytes *values)
{
    memory *m = self;
    for (int i = 0; i < count; i++) {
        const na_bytes *kept = apr_hash_get(m->values, name_of(m, &keys[i]), APR_HASH_KEY_STRING);
        values[i] = kept ? *kept : (na_bytes){0};
    }
    return NULL;
}

static na_error *put(void *self, apr_pool_t *pool, const na_store_key *key, na_bytes value,
                     apr_time_t expires)
{
    memory *m = self;
    na_bytes *kept = apr_palloc(m->pool, sizeof *kept);
    *kept = (na_bytes){apr_pmemdup(m->pool, value.data, value.len), value.len};
    apr_hash_set(m->values, name_of(m, key), APR_HASH_KEY_STRING, kept);
    return NULL;
}

static na_error *swap(void *self, apr_pool_t *pool, const na_store_key *key, na_bytes expected,
                      na_bytes value, apr_time_t expires, int *swapped)
{
    na_bytes there;
    get(self, pool, key, 1, &there);
    *swapped = there.len == expected.len &&
               (!there.len || memcmp(there.data, expected.data, there.len) == 0);
    return *swapped ? put(self, pool, key, value, expires) : NULL;
}

static const na_store_driver driver = {get, put, swap, NULL, 4096};

static const na_store *store_make(apr_pool_t *pool)
{
    memory *m = apr_palloc(pool, sizeof *m);
    na_store *store = apr_pcalloc(pool, sizeof *store);
    *m = (memory){pool, apr_hash_make(pool)};
    store->driver = &driver;
    store->self = m;
    store->breaker.name = "memory";
    store->breaker.health = apr_pcalloc(pool, sizeof *store->breaker.health);
    return store;
}

/* ── tests ─────────────────────────────────────────────────────────────────────────────────── */

static na_registry registry_of(apr_pool_t *pool, const char *secret, const na_store *first,
                               const na_store *second)
{
    const char *const secrets[] = {secret};
    na_record_keys *keys = apr_palloc(pool, sizeof *keys);
    const na_store **stores = apr_palloc(pool, 2 * sizeof *stores);
    stores[0] = first;
    stores[1] = second;
    na_record_keys_derive(pool, secrets, 1, "site", NA_KEYS_OF_TOKENS, keys);
    return (na_registry){.token_keys = keys,
                         .stores = stores,
                         .store_count = second ? 2 : 1,
                         .use_interval = 60};
}

static na_store_key session_of(const char *id)
{
    na_store_key key;
    na_store_key_make(&key, NA_KIND_SESSION, id);
    return key;
}

static void add(const na_registry *registry, apr_pool_t *pool, const char *id, const char *token)
{
    const na_store_key key = session_of(id);
    json_t *json = na_json_own(pool, json_pack("{s:s}", "a", token));
    ok(!na_token_entry_add(registry, pool, &key, json, END), "the tokens of %s are added", id);
}

/* Returns the token that a session has now. */
static const char *token_of(const na_registry *registry, apr_pool_t *pool, const char *id)
{
    const na_store_key key = session_of(id);
    na_token_entry entry;
    if (na_token_entry_find(registry, pool, &key, &entry))
        return "an error";
    return entry.json ? na_json_string(entry.json, "a") : NULL;
}

static int writes(const na_registry *registry, apr_pool_t *pool, na_token_entry *entry,
                  const char *token)
{
    int written = 0;
    json_object_set_new(entry->json, "a", json_string(token));
    return !na_token_entry_write(registry, pool, entry, &written) && written;
}

static void test_changes(apr_pool_t *pool)
{
    const na_registry registry = registry_of(pool, "a secret", store_make(pool), NULL);
    const na_store_key key = session_of("one");
    na_token_entry mine, other;
    add(&registry, pool, "one", "first");
    na_token_entry_find(&registry, pool, &key, &mine);
    na_token_entry_find(&registry, pool, &key, &other);
    ok(mine.expires == END, "its end is known");
    ok(writes(&registry, pool, &mine, "second"), "who comes first writes");
    ok(!writes(&registry, pool, &other, "third"), "the other one does not");
    is(token_of(&registry, pool, "one"), "second", "and nothing is lost");
    ok(writes(&registry, pool, &mine, "fourth"), "who wrote can write again");
    ok(!na_token_entry_extend(&registry, pool, &key, END + 600), "it can be kept longer");
    na_token_entry_find(&registry, pool, &key, &mine);
    ok(mine.expires == END + 600, "  as long as that");
    is(token_of(&registry, pool, "none"), NULL, "another session has none");
}

static void test_moves(apr_pool_t *pool)
{
    const na_registry registry = registry_of(pool, "a secret", store_make(pool), NULL);
    const na_store_key one = session_of("one"), two = session_of("two"),
                       three = session_of("three");
    na_token_entry before;
    add(&registry, pool, "one", "first");
    na_token_entry_find(&registry, pool, &one, &before);
    ok(!na_token_entry_move(&registry, pool, &one, &two), "another session takes them over");
    is(token_of(&registry, pool, "two"), "first", "  it has them");
    is(token_of(&registry, pool, "one"), "first", "  and who looks in the old place finds them");
    ok(!writes(&registry, pool, &before, "late"), "  but not who writes them there");
    ok(!na_token_entry_remove(&registry, pool, &one, NOW), "the first session ends");
    is(token_of(&registry, pool, "two"), "first", "  which takes nothing from the second");
    ok(!na_token_entry_move(&registry, pool, &two, &three), "a third takes them over");
    is(token_of(&registry, pool, "one"), "first", "  and is found from the first");
}

static void test_removals(apr_pool_t *pool)
{
    const na_registry registry = registry_of(pool, "a secret", store_make(pool), NULL);
    const na_store_key one = session_of("one"), two = session_of("two");
    na_token_entry before;
    add(&registry, pool, "one", "first");
    na_token_entry_find(&registry, pool, &one, &before);
    ok(!na_token_entry_remove(&registry, pool, &one, NOW), "the session ends");
    is(token_of(&registry, pool, "one"), NULL, "  and has no tokens");
    ok(!writes(&registry, pool, &before, "late"), "  nor does a late renewal bring them back");
    ok(!na_token_entry_extend(&registry, pool, &one, END + 600), "  nor a renewal of the session");
    ok(!na_token_entry_move(&registry, pool, &one, &two), "  nor a session that replaces it");
    is(token_of(&registry, pool, "one"), NULL, "  as it stays");
    is(token_of(&registry, pool, "two"), NULL, "  for both");
    ok(!na_token_entry_remove(&registry, pool, &two, NOW), "what is not there can be removed");
}

static void test_keys(apr_pool_t *pool)
{
    const na_store *store = store_make(pool);
    const na_registry registry = registry_of(pool, "a secret", store, NULL);
    const na_registry foreign = registry_of(pool, "another secret", store, NULL);
    const na_store_key key = session_of("one");
    na_token_entry entry;
    add(&registry, pool, "one", "the access token");
    na_token_entry_find(&registry, pool, &key, &entry);
    const na_bytes value = entry.was.value;
    ok(value.data && !memmem(value.data, value.len, "access", 6), "tokens are encrypted");
    ok(memcmp(entry.key.hash, key.hash, sizeof key.hash) != 0,
       "and their hash is not that of the session's record, for stores without kinds");
    is(token_of(&foreign, pool, "one"), NULL, "another secret does not find them");
}

static void test_stores(apr_pool_t *pool)
{
    const na_store *older = store_make(pool), *newer = store_make(pool);
    const na_registry before = registry_of(pool, "a secret", older, NULL);
    const na_registry both = registry_of(pool, "a secret", newer, older);
    const na_registry after = registry_of(pool, "a secret", newer, NULL);
    const na_store_key key = session_of("one");
    na_token_entry entry;
    add(&before, pool, "one", "first");
    is(token_of(&both, pool, "one"), "first", "a previous store is read");
    na_token_entry_find(&both, pool, &key, &entry);
    ok(writes(&both, pool, &entry, "second"), "a change goes to the new one");
    is(token_of(&after, pool, "one"), "second", "  which then has them");
}

int main(void)
{
    static void (*const tests[])(apr_pool_t *) = {test_changes, test_moves, test_removals,
                                                  test_keys, test_stores};
    apr_pool_t *pool = tap_start();
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tests[i](pool);
    return tap_done();
}
