/* SPDX-License-Identifier: Apache-2.0 */
#include "session/registry.h"

#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "base/json.h"
#include "session/epoch.h"
#include "session/list.h"
#include "session/listing.h"
#include "session/provider_session.h"
#include "tap.h"

#define NOW apr_time_from_sec(1780000000)
#define SECONDS(n) (NOW + apr_time_from_sec(n))
#define DAY 86400

/* A store in memory that can be told to fail, or to have somebody come between. */
typedef struct memory {
    apr_pool_t *pool;
    apr_hash_t *values; /* na_bytes by kind and hash */
    apr_time_t lasting; /* what expires later counts as lasting */
    int lasting_count;  /* writes of sessions that do */
    int failing;
    int fail_after; /* this many writes; 0: never */
    int writes;
    int list_reads;
    int pages;
    void (*between)(struct memory *memory); /* before the next swap, once */
} memory;

static const char *name_of(const memory *m, const na_store_key *key)
{
    return apr_pstrcat(m->pool, key->kind, na_hex(m->pool, key->hash, sizeof key->hash), NULL);
}

static na_error *down(apr_pool_t *pool)
{
    return na_error_new(pool, NA_ERR_UNAVAILABLE, "told to fail");
}

static na_error *get(void *self, apr_pool_t *pool, const na_store_key *keys, int count,
                     na_bytes *values)
{
    memory *m = self;
    for (int i = 0; i < count; i++) {
        const na_bytes *kept = apr_hash_get(m->values, name_of(m, &keys[i]), APR_HASH_KEY_STRING);
        values[i] = kept ? *kept : (na_bytes){0};
        m->list_reads += strcmp(keys[i].kind, NA_KIND_LIST) == 0;
    }
    return m->failing ? down(pool) : NULL;
}

static na_error *put(void *self, apr_pool_t *pool, const na_store_key *key, na_bytes value,
                     apr_time_t expires)
{
    memory *m = self;
    na_bytes *kept = apr_palloc(m->pool, sizeof *kept);
    *kept = (na_bytes){apr_pmemdup(m->pool, value.data, value.len), value.len};
    apr_hash_set(m->values, name_of(m, key), APR_HASH_KEY_STRING, kept);
    m->writes++;
    m->lasting_count +=
        m->lasting && expires > m->lasting && strcmp(key->kind, NA_KIND_SESSION) == 0;
    return m->failing || (m->fail_after && --m->fail_after == 0) ? down(pool) : NULL;
}

static na_error *swap(void *self, apr_pool_t *pool, const na_store_key *key, na_bytes expected,
                      na_bytes value, apr_time_t expires, int *swapped)
{
    memory *m = self;
    na_bytes there;
    void (*between)(memory *) = m->between;
    m->between = NULL;
    if (between)
        between(m);
    get(self, pool, key, 1, &there);
    *swapped = there.len == expected.len &&
               (!there.len || memcmp(there.data, expected.data, there.len) == 0);
    return *swapped ? put(self, pool, key, value, expires) : NULL;
}

static int compare_entries(const void *a, const void *b)
{
    return memcmp(((const na_store_entry *)a)->key.hash, ((const na_store_entry *)b)->key.hash,
                  NA_SHA256_LEN);
}

static na_error *page(void *self, apr_pool_t *pool, const char *kind, const char *cursor, int max,
                      na_store_page *page)
{
    memory *m = self;
    na_store_key after = {0};
    m->pages++;
    if (cursor && !na_hex_decode_to(after.hash, sizeof after.hash, cursor, strlen(cursor)))
        return na_store_bad_cursor(pool);
    for (apr_hash_index_t *i = apr_hash_first(pool, m->values); i; i = apr_hash_next(i)) {
        const char *name = apr_hash_this_key(i), *hex = name + strlen(kind);
        na_store_key key = {.kind = kind};
        if (strncmp(name, kind, strlen(kind)) == 0 &&
            na_hex_decode_to(key.hash, sizeof key.hash, hex, strlen(hex)) &&
            memcmp(key.hash, after.hash, sizeof key.hash) > 0)
            na_store_page_add(page, &key, *(na_bytes *)apr_hash_this_val(i));
    }
    apr_array_header_t *all = page->entries;
    qsort(all->elts, (size_t)all->nelts, (size_t)all->elt_size, compare_entries);
    if (all->nelts < max)
        return NULL;
    all->nelts = max;
    const unsigned char *last = APR_ARRAY_IDX(all, max - 1, na_store_entry).key.hash;
    page->next = na_hex(pool, last, NA_SHA256_LEN);
    page->share = na_store_share(last);
    return NULL;
}

static const na_store_driver driver = {get, put, swap, page, 16384};
static const na_store_driver small_driver = {get, put, swap, page, 900};

static memory *memory_of(const na_store *store)
{
    return store->self;
}

static na_store *make_store(apr_pool_t *pool, const na_store_driver *of)
{
    memory *m = apr_pcalloc(pool, sizeof *m);
    na_store *store = apr_pcalloc(pool, sizeof *store);
    *m = (memory){.pool = pool, .values = apr_hash_make(pool)};
    *store = (na_store){.driver = of,
                        .self = m,
                        .breaker = {.name = "memory",
                                    .health = apr_pcalloc(pool, sizeof(na_breaker_state))}};
    return store;
}

static apr_pool_t *the_pool;
static na_record_keys keys;
static const char *const *namespaces;
static const na_client client = {"192.0.2.1", "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0", 0};

static na_registry *make_registry(apr_pool_t *pool, const na_store *first, const na_store *second)
{
    const na_store **stores = apr_palloc(pool, 2 * sizeof *stores);
    na_registry *registry = apr_palloc(pool, sizeof *registry);
    stores[0] = first;
    stores[1] = second;
    na_epoch_cache *epoch;
    na_epoch_cache_make(pool, &keys, namespaces, &epoch);
    *registry = (na_registry){.keys = &keys,
                              .namespaces = namespaces,
                              .stores = stores,
                              .store_count = second ? 2 : 1,
                              .remember = 60 * DAY,
                              .use_interval = 60,
                              .epoch = epoch};
    return registry;
}

static na_store_key begin(apr_pool_t *pool, const na_registry *registry, const char *user,
                          const char *id, const json_t *claims, apr_time_t now,
                          apr_int64_t *auth_time)
{
    na_store_key key;
    apr_int64_t expires = apr_time_sec(now) + 30 * DAY;
    na_store_key_make(&key, NA_KIND_SESSION, id);
    succeeds(na_registry_begin(registry, pool, user, &key, expires, now, auth_time), "a session");
    const na_record begun = {.user = user,
                             .created = *auth_time,
                             .expires = expires,
                             .claims = claims};
    succeeds(na_registry_record(registry, pool, &key, &client, &begun, now), "and its record");
    return key;
}

/* As if read from a token. */
static na_session session_of(const char *sub, const na_store_key *key, apr_int64_t auth_time)
{
    static const na_claim provider[] = {{NA_CLAIM_PROVIDER, "acme", 0}};
    na_store_key none;
    na_session_key_without_id(the_pool, apr_pstrcat(the_pool, "acme/", sub, NULL), auth_time,
                              &none);
    return (na_session){.user = sub,
                        .claims = provider,
                        .claim_count = 1,
                        .auth_time = auth_time,
                        .issued_at = auth_time,
                        .expires = auth_time + 30 * DAY,
                        .has_id = key != NULL,
                        .key = key ? *key : none};
}

static int listed(apr_pool_t *pool, const na_registry *registry, const char *user, apr_time_t now)
{
    apr_array_header_t *list = apr_array_make(pool, 8, sizeof(na_listed));
    succeeds(na_registry_list(registry, pool, user, now, list), "a list");
    return list->nelts;
}

static apr_int64_t count_of(apr_pool_t *pool, const na_registry *registry, apr_time_t now)
{
    apr_int64_t count = -1;
    succeeds(na_registry_count(registry, pool, now, &count), "a count");
    return count;
}

static apr_int64_t used(apr_pool_t *pool, const na_registry *registry, const na_store_key *key)
{
    na_record record = {0};
    int is_there;
    succeeds(na_registry_look(registry, pool, key, &record, &is_there), "its record");
    return record.used;
}

static na_error *check_session(const na_registry *registry, apr_pool_t *pool,
                               const na_session *session, const na_client *seen, apr_time_t now)
{
    const json_t *newer;
    return na_registry_check(registry, pool, session, seen, now, &newer);
}

/* A request that does not count as use is answered, and leaves the time of the last use alone. */
static void passive_requests(apr_pool_t *pool)
{
    apr_int64_t auth_time;
    na_client passive = client;
    na_registry *registry = make_registry(pool, make_store(pool, &driver), NULL);
    const apr_time_t later = NOW + apr_time_from_sec(3600);
    na_store_key key = begin(pool, registry, "acme/42", "an id", NULL, NOW, &auth_time);
    na_session session = session_of("42", &key, auth_time);
    passive.is_passive = 1;
    succeeds(check_session(registry, pool, &session, &passive, later), "a passive request");
    ok(used(pool, registry, &key) == apr_time_sec(NOW), "is no use");
    succeeds(na_registry_extend(registry, pool, &session, &passive, NULL, 1, 0,
                                apr_time_sec(later) + 30 * DAY, later),
             "nor is one that extends the session");
    ok(used(pool, registry, &key) == apr_time_sec(NOW), "for an application");
    succeeds(check_session(registry, pool, &session, &client, later), "any other");
    ok(used(pool, registry, &key) == apr_time_sec(later), "is one");
}

static json_t *claims_due(apr_pool_t *pool, int due)
{
    return na_json_own(pool, json_pack("{s:i}", NA_CLAIM_PROFILE_DUE, due));
}

/* Two requests know the same session; what the faster one wrote is newer than what both know. */
static void newer_claims(apr_pool_t *pool)
{
    static const na_claim known[] = {{NA_CLAIM_PROVIDER, "acme", 0},
                                     {NA_CLAIM_PROFILE_DUE, "100", 0}};
    apr_int64_t auth_time;
    na_record record;
    na_registry *registry = make_registry(pool, make_store(pool, &driver), NULL);
    na_store_key key =
        begin(pool, registry, "acme/42", "an id", claims_due(pool, 100), NOW, &auth_time);
    na_session session = session_of("42", &key, auth_time);
    session.claims = known;
    session.claim_count = 2;
    succeeds(na_registry_replace_claims(registry, pool, &session, claims_due(pool, 300), NOW),
             "claims are replaced");
    fails(na_registry_replace_claims(registry, pool, &session, claims_due(pool, 400), NOW),
          "but not by what follows from older ones");
    succeeds(na_registry_extend(registry, pool, &session, &client, claims_due(pool, 100), 0, 0,
                                auth_time + 31 * DAY, NOW),
             "the session is extended");
    succeeds(na_registry_find(registry, pool, &key, &client, NOW, &record), "and found");
    ok(na_profile_due(record.claims) == 300, "with the newer claims");
    ok(record.expires == auth_time + 31 * DAY, "and the later end");
}

static void records(apr_pool_t *pool)
{
    static const char *const rotated[] = {"a new secret of more than 32 bytes",
                                          "the secret that records are sealed with"};
    static const char *const other[] = {"a wholly other secret of 32 bytes"};
    na_record_keys with_new, with_other;
    na_store_key key, another;
    na_bytes sealed;
    na_record opened, record = {.user = "acme/42", .address = "", .device = "", .expires = 7};
    na_record_keys_derive(pool, rotated, 2, "", NA_KEYS_OF_RECORDS, &with_new);
    na_record_keys_derive(pool, other, 1, "", NA_KEYS_OF_RECORDS, &with_other);
    na_store_key_make(&key, NA_KIND_SESSION, "one");
    na_store_key_make(&another, NA_KIND_SESSION, "two");
    succeeds(na_record_seal(pool, &keys, &key, &record, &sealed), "a record is sealed");
    ok(!memmem(sealed.data, sealed.len, "acme", 4), "and not to be read");
    succeeds(na_record_open(pool, &keys, &key, sealed, &opened), "it opens");
    is(opened.user, "acme/42", "with what it had");
    fails(na_record_open(pool, &keys, &another, sealed, &opened), "but under no other key");
    succeeds(na_record_open(pool, &with_new, &key, sealed, &opened), "an older secret's opens");
    fails(na_record_open(pool, &with_other, &key, sealed, &opened), "a foreign secret's does not");
    for (apr_size_t len = 0; len < sealed.len; len++)
        if (!na_record_open(pool, &keys, &key, (na_bytes){sealed.data, len}, &opened)) {
            ok(0, "%d bytes of it open", (int)len);
            return;
        }
    ok(1, "nor does any part of it");
}

static void checking(apr_pool_t *pool)
{
    na_store *store = make_store(pool, &driver);
    na_registry *registry = make_registry(pool, store, NULL);
    apr_int64_t auth_time;
    na_store_key key = begin(pool, registry, "acme/42", "id one", NULL, NOW, &auth_time);
    na_session session = session_of("42", &key, auth_time);
    succeeds(check_session(registry, pool, &session, &client, SECONDS(1)), "it is good");
    int before = memory_of(store)->writes;
    check_session(registry, pool, &session, &client, SECONDS(30));
    is_number(memory_of(store)->writes, before, "looking at it soon writes nothing");
    check_session(registry, pool, &session, &client, SECONDS(90));
    is_number(memory_of(store)->writes, before + 1, "after a while, that it was used");
    session.expires += 20 * DAY;
    check_session(registry, pool, &session, &client, SECONDS(95));
    is_number(memory_of(store)->writes, before + 3, "a later end goes to record and list");
    session.expires = auth_time + 1;
    check_session(registry, pool, &session, &client, SECONDS(98));
    is_number(memory_of(store)->writes, before + 3, "an earlier one of an older token does not");

    succeeds(na_registry_end(registry, pool, "acme/42", &key, auth_time, SECONDS(100)),
             "it is ended");
    fails(check_session(registry, pool, &session, &client, SECONDS(101)), "and refused");
    is_number(listed(pool, registry, "acme/42", SECONDS(101)), 0, "and on no list");
    na_session stranger = session_of("42", NULL, auth_time);
    fails(check_session(registry, pool, &stranger, &client, SECONDS(101)),
          "a token of the same sign-in from before it had an id, too");
    na_session_key_without_id(pool, "acme/42", auth_time - 7, &stranger.key);
    stranger.auth_time = auth_time - 7;
    stranger.issued_at = auth_time + 60;
    succeeds(check_session(registry, pool, &stranger, &client, SECONDS(101)),
             "that of another sign-in stands on its own");
    succeeds(na_registry_end_user(registry, pool, "acme/42", NULL, SECONDS(200)), "all are ended");
    fails(check_session(registry, pool, &stranger, &client, SECONDS(201)), "that one too");
    na_session other = session_of("43", NULL, auth_time);
    other.issued_at = auth_time + 60;
    succeeds(check_session(registry, pool, &other, &client, SECONDS(201)), "no other user's");
}

static void same_second(apr_pool_t *pool)
{
    na_registry *registry = make_registry(pool, make_store(pool, &driver), NULL);
    apr_int64_t first, second;
    na_store_key before = begin(pool, registry, "acme/42", "before", NULL, NOW, &first);
    na_registry_end_user(registry, pool, "acme/42", NULL, NOW);
    na_store_key after = begin(pool, registry, "acme/42", "after", NULL, NOW, &second);
    na_session ended = session_of("42", &before, first), begun = session_of("42", &after, second);
    fails(check_session(registry, pool, &ended, &client, NOW),
          "what began in the second of \"sign out everywhere\" is ended");
    succeeds(check_session(registry, pool, &begun, &client, NOW),
             "what began after it, in the same second, is not");
}

static void all_but_one(apr_pool_t *pool)
{
    na_registry *registry = make_registry(pool, make_store(pool, &driver), NULL);
    apr_int64_t at;
    na_store_key kept = {0};
    for (int i = 0; i < 5; i++) {
        na_store_key key = begin(pool, registry, "acme/42", apr_itoa(pool, i), NULL, NOW, &at);
        if (i == 2)
            kept = key;
    }
    begin(pool, registry, "acme/43", "another's", NULL, NOW, &at);
    is_number(listed(pool, registry, "acme/42", SECONDS(1)), 5, "five sessions of a user's");
    is_number(count_of(pool, registry, SECONDS(1)), 6, "six of everybody's");
    memory_of(registry->stores[0])->fail_after = 2;
    fails(na_registry_end_user(registry, pool, "acme/42", &kept, SECONDS(2)),
          "ending the others may fail halfway");
    memory_of(registry->stores[0])->fail_after = 0;
    apr_sleep(apr_time_from_msec(300));
    na_registry_end_user(registry, pool, "acme/42", &kept, SECONDS(2));
    is_number(listed(pool, registry, "acme/42", SECONDS(3)), 1,
              "and done again, all but one are ended");
    na_session session = session_of("42", &kept, at);
    succeeds(check_session(registry, pool, &session, &client, SECONDS(3)), "that one is good");
    na_listed found;
    int there;
    na_registry_by_handle(registry, pool, "acme/42", na_registry_handle(pool, &kept), SECONDS(3),
                          &found, &there);
    ok(there, "it is found by its handle");
    na_registry_by_handle(registry, pool, "acme/43", na_registry_handle(pool, &kept), SECONDS(3),
                          &found, &there);
    ok(!there, "but not as another user's");
    na_registry_by_handle(registry, pool, NULL, "../../etc/passwd", SECONDS(3), &found, &there);
    ok(!there, "a handle that is none finds nothing");
}

/* Two sites in one store, and servers whose secrets are changed one after the other. */
static void namespaced(apr_pool_t *pool)
{
    static const char *const secrets[] = {"a newer secret of more than 32 bytes",
                                          "the secret that records are sealed with",
                                          "a wholly other secret of 32 bytes"};
    na_store *store = make_store(pool, &driver);
    na_registry *old = make_registry(pool, store, NULL), *new = make_registry(pool, store, NULL);
    na_registry *other = make_registry(pool, store, NULL);
    na_record_keys new_keys, other_keys;
    apr_int64_t at;
    na_record_keys_derive(pool, secrets, 2, "", NA_KEYS_OF_RECORDS, &new_keys);
    na_record_namespaces_derive(pool, secrets, 2, "", &new->namespaces);
    new->keys = &new_keys;
    na_epoch_cache_make(pool, &new_keys, new->namespaces, &new->epoch);
    na_record_keys_derive(pool, secrets + 2, 1, "", NA_KEYS_OF_RECORDS, &other_keys);
    na_record_namespaces_derive(pool, secrets + 2, 1, "", &other->namespaces);
    other->keys = &other_keys;
    na_epoch_cache_make(pool, &other_keys, other->namespaces, &other->epoch);

    na_store_key here = begin(pool, old, "acme/42", "here", NULL, NOW, &at);
    begin(pool, other, "acme/42", "there", NULL, NOW, &at);
    na_session session = session_of("42", &here, apr_time_sec(NOW));
    succeeds(check_session(old, pool, &session, &client, SECONDS(1)),
             "another site's user of the same name is another user");
    na_registry_end_user(other, pool, "acme/42", NULL, SECONDS(2));
    succeeds(check_session(old, pool, &session, &client, SECONDS(3)), "ending that is, too");

    succeeds(check_session(new, pool, &session, &client, SECONDS(4)),
             "a server with a newer secret knows the session");
    is_number(listed(pool, new, "acme/42", SECONDS(4)), 1, "and lists it");
    na_registry_end_user(old, pool, "acme/42", NULL, SECONDS(5));
    fails(check_session(new, pool, &session, &client, SECONDS(6)),
          "and learns of its end from one that has it not yet");
}

static void crowds(apr_pool_t *pool)
{
    na_registry *registry = make_registry(pool, make_store(pool, &small_driver), NULL);
    apr_int64_t at;
    na_store_key first = begin(pool, registry, "acme/42", "first", NULL, NOW, &at);
    for (int i = 0; i < 30; i++)
        begin(pool, registry, "acme/42", apr_psprintf(pool, "s%d", i), NULL, SECONDS(10 + i), &at);
    is_number(listed(pool, registry, "acme/42", SECONDS(60)), 23, "a list holds what fits");
    na_session session = session_of("42", &first, apr_time_sec(NOW));
    fails(check_session(registry, pool, &session, &client, SECONDS(60)),
          "and what it has no room for is ended, not forgotten");
}

/* ── somebody comes between ────────────────────────────────────────────────────────────────── */

static na_registry *raced;
static na_store_key raced_key;

static void end_meanwhile(memory *m)
{
    na_registry_end(raced, the_pool, "acme/42", &raced_key, 0, SECONDS(100));
}

static void sign_in_meanwhile(memory *m)
{
    apr_int64_t at;
    na_store_key key;
    na_store_key_make(&key, NA_KIND_SESSION, "meanwhile");
    na_registry_begin(raced, the_pool, "acme/42", &key, apr_time_sec(NOW) + DAY, NOW, &at);
}

static void races(apr_pool_t *pool)
{
    na_store *store = make_store(pool, &driver);
    na_bytes value;
    na_store_key list_key;
    apr_array_header_t *list = apr_array_make(pool, 8, sizeof(na_listing));
    apr_int64_t at;
    raced = make_registry(pool, store, NULL);
    raced_key = begin(pool, raced, "acme/42", "id", NULL, NOW, &at);
    na_session session = session_of("42", &raced_key, at);
    memory_of(store)->between = end_meanwhile;
    check_session(raced, pool, &session, &client, SECONDS(100));
    fails(check_session(raced, pool, &session, &client, SECONDS(101)),
          "a session that is ended while its use is noted stays ended");

    memory_of(store)->between = sign_in_meanwhile;
    begin(pool, raced, "acme/42", "second", NULL, NOW, &at);
    na_store_key_make(&list_key, NA_KIND_LIST, apr_pstrcat(pool, namespaces[0], " acme/42", NULL));
    na_store_get(store, pool, &list_key, 1, &value);
    succeeds(na_list_open(pool, &keys, &list_key, value, list), "the list opens");
    is_number(list->nelts, 2, "two sign-ins at once are both listed");
}

/* ── stores that come and go ───────────────────────────────────────────────────────────────── */

static void moving(apr_pool_t *pool)
{
    na_store *old = make_store(pool, &driver), *new = make_store(pool, &driver);
    na_registry *before = make_registry(pool, old, NULL), *both = make_registry(pool, new, old);
    na_registry *after = make_registry(pool, new, NULL);
    json_t *claims = na_json_own(pool, json_pack("{s:s}", "sub", "42"));
    apr_int64_t at;
    na_record record;
    na_store_key one = begin(pool, before, "acme/42", "one", claims, NOW, &at);
    na_store_key two = begin(pool, before, "acme/42", "two", claims, NOW, &at);
    na_store_key three = begin(pool, before, "acme/42", "three", claims, NOW, &at);
    succeeds(na_registry_find(both, pool, &one, &client, SECONDS(5), &record),
             "a session of the store before is found");
    is(na_json_string(record.claims, "sub"), "42", "with its claims");
    succeeds(na_registry_find(after, pool, &one, &client, SECONDS(6), &record),
             "and has moved to the new one");
    na_registry_end(both, pool, "acme/42", &two, at, SECONDS(7));
    fails(na_registry_find(both, pool, &two, &client, SECONDS(8), &record),
          "one that was ended since does not come back from the old store");
    na_registry_end_user(both, pool, "acme/42", NULL, SECONDS(9));
    fails(na_registry_find(both, pool, &three, &client, SECONDS(10), &record),
          "nor one of a user whose sessions were all ended");
    memory_of(old)->failing = 1;
    const na_error *error = na_registry_find(both, pool, &three, &client, SECONDS(11), &record);
    ok(error != NULL, "with the old store down, nothing is taken for missing there");
}

/* ── a store that is emptied ───────────────────────────────────────────────────────────────── */

static int forgotten;
static void count_forgotten(void *data, const char *store)
{
    forgotten++;
}

/* As its token says of itself. */
static na_session registered(const char *sub, const na_store_key *key, apr_int64_t auth_time)
{
    static const na_claim claims[] = {{NA_CLAIM_PROVIDER, "acme", 0},
                                      {NA_CLAIM_REGISTERED, "true", 0}};
    na_session session = session_of(sub, key, auth_time);
    session.claims = claims;
    session.claim_count = 2;
    return session;
}

static void empty(const na_store *store)
{
    apr_hash_clear(memory_of(store)->values);
}

static void remove_key(const na_store *store, const na_store_key *key)
{
    memory *m = memory_of(store);
    apr_hash_set(m->values, name_of(m, key), APR_HASH_KEY_STRING, NULL);
}

static void emptied(apr_pool_t *pool)
{
    na_store *store = make_store(pool, &driver);
    na_registry *registry = make_registry(pool, store, NULL);
    apr_int64_t at;
    registry->forgot = count_forgotten;
    forgotten = 0;
    na_store_key one = begin(pool, registry, "acme/42", "one", NULL, NOW, &at);
    na_store_key two = begin(pool, registry, "acme/42", "two", NULL, NOW, &at);
    na_session first = registered("42", &one, at), second = registered("42", &two, at);
    succeeds(check_session(registry, pool, &first, &client, SECONDS(1)), "a session");
    is_number(forgotten, 1, "a new store's memory begins with the first that is asked for");
    na_registry_end(registry, pool, "acme/42", &two, at, SECONDS(2));
    fails(check_session(registry, pool, &second, &client, SECONDS(3)), "one that was ended");

    empty(store);
    fails(check_session(registry, pool, &second, &client, SECONDS(10)),
          "is refused after the store was emptied");
    fails(check_session(registry, pool, &first, &client, SECONDS(10)),
          "as is every other that the store does not know any more");
    is_number(forgotten, 2, "which the log is told of, once");
    na_store_key three = begin(pool, registry, "acme/42", "three", NULL, SECONDS(20), &at);
    na_session third = registered("42", &three, at);
    succeeds(check_session(registry, pool, &third, &client, SECONDS(21)), "a new one is good");
    remove_key(store, &three);
    fails(check_session(registry, pool, &third, &client, SECONDS(22)),
          "and is refused when its record alone is gone");

    na_store_key key;
    na_store_key_make(&key, NA_KIND_SESSION, "while it was down");
    na_session unknown = session_of("42", &key, at);
    succeeds(check_session(registry, pool, &unknown, &client, SECONDS(23)),
             "one that began while the store was down is good");
    na_session foreign = session_of("42", NULL, at);
    succeeds(check_session(registry, pool, &foreign, &client, SECONDS(23)),
             "and a token of an application's own");
    foreign.issued_at = at - 15;
    fails(check_session(registry, pool, &foreign, &client, SECONDS(23)),
          "unless it is from before the store was emptied");
    succeeds(check_session(registry, pool, &unknown, &client, SECONDS(24)), "the first");
    na_registry_end(registry, pool, "acme/42", &key, at, SECONDS(25));
    fails(check_session(registry, pool, &unknown, &client, SECONDS(26)), "can be ended");

    registry->accepts_lost = 1;
    empty(store);
    succeeds(check_session(registry, pool, &first, &client, SECONDS(30)),
             "where the operator says so, tokens from before are accepted");
    is_number(listed(pool, registry, "acme/42", SECONDS(31)), 1, "and get a record");
    remove_key(store, &one);
    first.auth_time = apr_time_sec(SECONDS(31));
    fails(check_session(registry, pool, &first, &client, SECONDS(32)),
          "not those from after it that lost theirs");
}

static apr_array_header_t *read_list(apr_pool_t *pool, const unsigned char *data, apr_size_t len)
{
    apr_array_header_t *list = apr_array_make(pool, 8, sizeof(na_listing));
    return na_list_read(pool, (na_bytes){data, len}, list) ? NULL : list;
}

/* The list of a user's sessions, as the header has it. */
static void listings(apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 8, sizeof(na_listing));
    na_listing *first = apr_array_push(list);
    memset(first->hash, 'h', sizeof first->hash);
    first->until = 0x0102030405;
    na_bytes text = na_list_write(pool, list);
    is_number(text.len, 1 + NA_LISTING_LEN, "a version, and 37 bytes a session");
    ok(text.data[0] == 1 && text.data[32] == 'h' && memcmp(text.data + 33, "\1\2\3\4\5", 5) == 0,
       "its hash, and its end with the greatest byte first");
    apr_array_header_t *read = read_list(pool, text.data, text.len);
    is_number(read ? APR_ARRAY_IDX(read, 0, na_listing).until : 0, 0x0102030405, "are read");
    for (apr_size_t len = 0; len < text.len; len++)
        if (len != 1 && read_list(pool, text.data, len))
            ok(0, "%d bytes of it are taken for a list", (int)len);
    unsigned char hostile[1 + 101 * NA_LISTING_LEN] = {1};
    ok(read_list(pool, hostile, 1 + 100 * NA_LISTING_LEN) != NULL, "a hundred are a list");
    ok(!read_list(pool, hostile, sizeof hostile), "more are not");
    hostile[0] = 2;
    ok(!read_list(pool, hostile, 1 + NA_LISTING_LEN), "nor is another version");
    first->until = -1;
    is_number(APR_ARRAY_IDX(read_list(pool, na_list_write(pool, list).data, text.len), 0,
                            na_listing)
                  .until,
              0, "no end is before 1970");
    first->until = APR_INT64_MAX;
    is_number(APR_ARRAY_IDX(read_list(pool, na_list_write(pool, list).data, text.len), 0,
                            na_listing)
                  .until,
              0xffffffffff, "nor beyond what five bytes hold");
}

static na_store_key user_key(const char *kind)
{
    na_store_key key;
    na_store_key_make(&key, kind, apr_pstrcat(the_pool, namespaces[0], " acme/42", NULL));
    return key;
}

/* No session depends on the list, which fills again where it is lost. */
static void lost_lists(apr_pool_t *pool)
{
    na_store *store = make_store(pool, &driver);
    na_registry *registry = make_registry(pool, store, NULL);
    apr_int64_t at;
    na_store_key list = user_key(NA_KIND_LIST), user = user_key(NA_KIND_USER);
    na_store_key one = begin(pool, registry, "acme/42", "one", NULL, NOW, &at);
    na_store_key two = begin(pool, registry, "acme/42", "two", NULL, NOW, &at);
    na_session first = registered("42", &one, at), second = registered("42", &two, at);
    check_session(registry, pool, &first, &client, SECONDS(1));
    int reads = memory_of(store)->list_reads;
    succeeds(check_session(registry, pool, &first, &client, SECONDS(2)), "a session is good");
    is_number(memory_of(store)->list_reads, reads, "which is known without the user's list");

    put(store->self, pool, &list, na_bytes_of("neither a record nor a list"), SECONDS(DAY));
    succeeds(check_session(registry, pool, &first, &client, SECONDS(3)), "that was tampered with");
    is_number(listed(pool, registry, "acme/42", SECONDS(4)), 0, "it has nothing");
    succeeds(check_session(registry, pool, &first, &client, SECONDS(70)), "as it is used,");
    is_number(listed(pool, registry, "acme/42", SECONDS(71)), 1, "a session is listed again");
    na_registry_end_user(registry, pool, "acme/42", NULL, SECONDS(72));
    fails(check_session(registry, pool, &first, &client, SECONDS(73)), "all are ended: it,");
    fails(check_session(registry, pool, &second, &client, SECONDS(73)),
          "and the one that was not listed yet");

    remove_key(store, &user);
    fails(check_session(registry, pool, &first, &client, SECONDS(74)),
          "what was listed stays ended without the user's record");
    na_store_key three = begin(pool, registry, "acme/42", "three", NULL, SECONDS(80), &at);
    na_session third = registered("42", &three, at);
    put(store->self, pool, &user, na_bytes_of("no record of a user's"), SECONDS(DAY));
    fails(check_session(registry, pool, &third, &client, SECONDS(81)),
          "with one that was tampered with, no session is good");
    na_store_key four = begin(pool, registry, "acme/42", "four", NULL, SECONDS(82), &at);
    na_session fourth = registered("42", &four, at);
    fails(check_session(registry, pool, &third, &client, SECONDS(83)), "nor later,");
    succeeds(check_session(registry, pool, &fourth, &client, SECONDS(83)),
             "except those that begin then");
}

/* A user's record as it was when it had the list, in JSON: what ended stays ended. */
static void older_records(apr_pool_t *pool)
{
    na_store *store = make_store(pool, &driver);
    na_registry *registry = make_registry(pool, store, NULL);
    apr_int64_t at;
    na_bytes sealed;
    na_store_key list = user_key(NA_KIND_LIST), user = user_key(NA_KIND_USER);
    na_store_key key = begin(pool, registry, "acme/42", "one", NULL, NOW, &at);
    na_session session = registered("42", &key, at);
    remove_key(store, &list);
    const char *hash = na_base64url_encode(pool, key.hash, sizeof key.hash);
    const char *json = apr_psprintf(pool,
                                    "{\"s\":[[\"%s\",%" APR_INT64_T_FMT "]],\"n\":%" APR_INT64_T_FMT
                                    ",\"b\":\"%s\"}",
                                    hash, at + DAY, at, hash);
    na_record_seal_bytes(pool, &keys, &user, na_bytes_of(json), &sealed);
    put(store->self, pool, &user, sealed, SECONDS(DAY));
    succeeds(check_session(registry, pool, &session, &client, SECONDS(70)),
             "the session that was kept when all others were ended");
    is_number(listed(pool, registry, "acme/42", SECONDS(71)), 1, "is listed as it is used");
    na_session other = session_of("42", NULL, at);
    fails(check_session(registry, pool, &other, &client, SECONDS(71)), "others are ended");
}

/* What one user makes a store remember, whatever the user does. */
static void bounded(apr_pool_t *pool)
{
    na_store *store = make_store(pool, &driver);
    na_registry *registry = make_registry(pool, store, NULL);
    apr_int64_t at = 0, ended_at = 0;
    na_store_key ended = {0};
    apr_time_t now = NOW;
    na_session early = session_of("42", NULL, apr_time_sec(SECONDS(1)));
    na_store_key key = begin(pool, registry, "acme/42", "first", NULL, NOW, &at);
    na_session first = registered("42", &key, at);
    succeeds(check_session(registry, pool, &first, &client, NOW), "a store remembers");
    for (int i = 0; i < 3 * NA_USER_ENDS_MAX; i++) {
        now = SECONDS(10 + i);
        memory_of(store)->lasting = 0;
        key = begin(pool, registry, "acme/42", apr_psprintf(pool, "n%d", i), NULL, now, &at);
        memory_of(store)->lasting = now + apr_time_from_sec(DAY);
        na_registry_end(registry, pool, "acme/42", &key, at, now);
        if (!ended_at) {
            ended = key;
            ended_at = at;
        }
    }
    is_number(memory_of(store)->lasting_count, NA_USER_ENDS_MAX,
              "of many sign-ins and sign-outs, some are remembered one by one");
    na_session one = registered("42", &ended, ended_at), last = registered("42", &key, at);
    fails(check_session(registry, pool, &one, &client, now), "the first is ended");
    fails(check_session(registry, pool, &last, &client, now), "as is the last");
    remove_key(store, &ended);
    remove_key(store, &key);
    fails(check_session(registry, pool, &one, &client, now), "also when that has expired");
    fails(check_session(registry, pool, &last, &client, now), "for both of them");
    fails(check_session(registry, pool, &early, &client, now),
          "a token without a record from before them ends with them");
    succeeds(check_session(registry, pool, &first, &client, now), "one with a record does not");

    memory_of(store)->lasting = 0;
    for (int i = 0; i < 2 * NA_USER_SESSIONS_MAX; i++)
        begin(pool, registry, "acme/43", apr_psprintf(pool, "m%d", i), NULL, now, &at);
    memory_of(store)->lasting = now + apr_time_from_sec(31 * DAY);
    memory_of(store)->lasting_count = 0;
    begin(pool, registry, "acme/43", "one more", NULL, now, &at);
    is_number(memory_of(store)->lasting_count, 0,
              "what gives way to further sign-ins needs no memory at all");
}

static void kept_memory(apr_pool_t *pool)
{
    static const char *const secrets[] = {"a newer secret of more than 32 bytes",
                                          "the secret that records are sealed with"};
    na_store *old = make_store(pool, &driver), *new = make_store(pool, &driver);
    na_registry *before = make_registry(pool, old, NULL), *both = make_registry(pool, new, old);
    na_registry *rotated = make_registry(pool, old, NULL);
    na_registry *later = make_registry(pool, old, NULL);
    na_record_keys two_keys, new_key;
    apr_int64_t at;
    na_record_keys_derive(pool, secrets, 2, "", NA_KEYS_OF_RECORDS, &two_keys);
    na_record_namespaces_derive(pool, secrets, 2, "", &rotated->namespaces);
    rotated->keys = &two_keys;
    na_epoch_cache_make(pool, &two_keys, rotated->namespaces, &rotated->epoch);
    na_record_keys_derive(pool, secrets, 1, "", NA_KEYS_OF_RECORDS, &new_key);
    na_record_namespaces_derive(pool, secrets, 1, "", &later->namespaces);
    later->keys = &new_key;
    na_epoch_cache_make(pool, &new_key, later->namespaces, &later->epoch);
    na_store_key one = begin(pool, before, "acme/42", "one", NULL, NOW, &at);
    na_store_key two = begin(pool, before, "acme/42", "two", NULL, NOW, &at);
    na_session first = registered("42", &one, at), second = registered("42", &two, at);
    na_session foreign = session_of("43", NULL, at + 5);
    forgotten = 0;
    before->forgot = both->forgot = rotated->forgot = later->forgot = count_forgotten;
    check_session(before, pool, &first, &client, SECONDS(1));
    is_number(forgotten, 1, "a store remembers");
    succeeds(check_session(both, pool, &foreign, &client, SECONDS(10)),
             "a new store goes on with the memory of the one before");
    na_registry_end(both, pool, "acme/42", &two, at, SECONDS(11));
    fails(check_session(both, pool, &second, &client, SECONDS(12)), "an end is one in both:");
    empty(new);
    fails(check_session(both, pool, &second, &client, SECONDS(13)),
          "it holds where the new one is emptied meanwhile");
    na_registry_end_user(both, pool, "acme/42", NULL, SECONDS(14));
    empty(new);
    fails(check_session(both, pool, &first, &client, SECONDS(15)), "so does that of them all");
    succeeds(check_session(rotated, pool, &foreign, &client, SECONDS(16)),
             "a new secret goes on with the memory of the old one");
    succeeds(check_session(later, pool, &foreign, &client, SECONDS(17)),
             "also once that is dropped");
    is_number(forgotten, 1, "and nothing was forgotten");
    succeeds(check_session(later, pool, &foreign, &client, SECONDS(2 * DAY)), "days later");
    int writes = memory_of(old)->writes;
    check_session(later, pool, &foreign, &client, SECONDS(2 * DAY + 5));
    is_number(memory_of(old)->writes, writes, "the entry is not written at each look");
}

static int changes;
static void count_change(void *data, int is_down, const char *message)
{
    changes++;
}

static void outages(apr_pool_t *pool)
{
    na_store *store = make_store(pool, &driver);
    na_registry *registry = make_registry(pool, store, NULL);
    apr_int64_t at;
    na_store_key key = begin(pool, registry, "acme/42", "id", NULL, NOW, &at);
    na_session session = session_of("42", &key, at);
    store->breaker.changed = count_change;
    memory_of(store)->failing = 1;
    const na_error *error = check_session(registry, pool, &session, &client, SECONDS(1));
    is(error ? error->code : NULL, NA_ERR_UNAVAILABLE, "a store that fails leaves it open");
    for (int i = 0; i < 10; i++)
        check_session(registry, pool, &session, &client, SECONDS(1));
    is_number(changes, 1, "the log is told once");
    memory_of(store)->failing = 0;
    error = check_session(registry, pool, &session, &client, SECONDS(1));
    ok(error != NULL, "at once after a failure the store is not even asked");
    apr_sleep(apr_time_from_msec(300));
    succeeds(check_session(registry, pool, &session, &client, SECONDS(1)), "then it is again");
    is_number(changes, 2, "and the log is told of that");
}

/* How many sessions ended, and the sum of how long they lasted. */
typedef struct endings {
    int count;
    apr_int64_t seconds;
} endings;

static void note_end(void *data, apr_int64_t seconds)
{
    endings *e = data;
    e->count++;
    e->seconds += seconds;
}

/* ── pages of all sessions ── */

static void note_user(void *data, const na_listed *listed)
{
    apr_hash_t *users = data;
    apr_pool_t *pool = apr_hash_pool_get(users);
    const char *name = apr_pstrdup(pool, listed->record.user);
    int *times = apr_hash_get(users, name, APR_HASH_KEY_STRING);
    if (!times)
        apr_hash_set(users, name, APR_HASH_KEY_STRING, times = apr_pcalloc(pool, sizeof *times));
    ++*times;
}

/* Lists all sessions by pages of `max`; returns the number of pages, and each user's sessions. */
static int list_all(apr_pool_t *pool, const na_registry *registry, int max, apr_hash_t **users)
{
    const char *cursor = NULL;
    int pages = 0;
    *users = apr_hash_make(pool);
    do {
        succeeds(na_registry_list_page(registry, pool, cursor, max, SECONDS(1), note_user, *users,
                                       &cursor),
                 "a page");
        pages++;
    } while (cursor && pages < 100);
    return pages;
}

static int times(apr_hash_t *users, const char *name)
{
    const int *count = apr_hash_get(users, name, APR_HASH_KEY_STRING);
    return count ? *count : 0;
}

static void cursor_fails(apr_pool_t *pool, const na_registry *registry, const char *cursor)
{
    const char *next;
    ok(na_error_is(na_registry_list_page(registry, pool, cursor, 10, NOW, note_user,
                                         apr_hash_make(pool), &next),
                   NA_ERR_INVALID_CHECK),
       "no cursor: \'%s\'", cursor);
}

static void pages(apr_pool_t *pool)
{
    na_store *store = make_store(pool, &driver), *older = make_store(pool, &driver);
    na_registry *first = make_registry(pool, older, NULL);
    na_registry *registry = make_registry(pool, store, older);
    apr_hash_t *users;
    apr_int64_t at;
    is_number(list_all(pool, registry, 4, &users), 1, "nobody's sessions are a page");
    is_number(apr_hash_count(users), 0, "  that is empty");
    for (int i = 0; i < 10; i++)
        begin(pool, i < 5 ? first : registry, apr_psprintf(pool, "acme/%d", i),
              apr_psprintf(pool, "session %d", i), NULL, NOW, &at);
    na_store_key moved;
    na_store_key_make(&moved, NA_KIND_SESSION, "session 3");
    na_session session = session_of("3", &moved, apr_time_sec(NOW));
    succeeds(check_session(registry, pool, &session, &client, SECONDS(1)), "one moves");
    na_store_key_make(&moved, NA_KIND_SESSION, "session 4");
    succeeds(na_registry_end(first, pool, "acme/4", &moved, at, SECONDS(1)), "another ends");
    ok(list_all(pool, registry, 4, &users) > 1, "ten sessions are pages of four");
    is_number(apr_hash_count(users), 9, "with all that have not ended, of every store");
    is_number(times(users, "acme/3"), 1, "  each once, the moved one as well");
    is_number(times(users, "acme/9"), 1, "  and the last");
    is_number(count_of(pool, registry, SECONDS(1)), 9, "as many as are counted");
    is_number(list_all(pool, registry, 1000, &users), 1, "all are one page");
    is_number(apr_hash_count(users), 9, "  too");
    static const char *const none[] = {"", "x", "0", "2:", "-1:", "0:zz", "9999999999:", "0:00"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        cursor_fails(pool, registry, none[i]);
}

static na_error *endless_page(void *self, apr_pool_t *pool, const char *kind, const char *cursor,
                              int max, na_store_page *page)
{
    page->next = "x";
    page->share = 0.5;
    return NULL;
}

static void endless(apr_pool_t *pool)
{
    static const na_store_driver without_end = {get, put, swap, endless_page, 16384};
    const na_registry *registry = make_registry(pool, make_store(pool, &without_end), NULL);
    apr_hash_t *users = apr_hash_make(pool);
    const char *next = NULL;
    succeeds(na_registry_list_page(registry, pool, NULL, 10, NOW, note_user, users, &next),
             "a store without a last page is listed for a while");
    is(next, "0:x", "and no longer");
    is_number(count_of(pool, registry, NOW), 0, "nor counted");
}

/* Names are hashed, so that the estimate is the same each time. */
static void many(apr_pool_t *pool)
{
    enum { MANY = 60000, ENDED = MANY / 4 };
    na_store *store = make_store(pool, &driver);
    na_registry *registry = make_registry(pool, store, NULL);
    na_record record = {.user = "acme/42", .address = "", .device = ""};
    for (int i = 0; i < MANY; i++) {
        na_store_key key;
        int swapped;
        na_bytes value;
        na_store_key_make(&key, NA_KIND_SESSION, apr_itoa(pool, i));
        record.expires = apr_time_sec(SECONDS(100));
        record.ended = i < ENDED;
        if (na_record_seal(pool, &keys, &key, &record, &value) ||
            na_store_swap(store, pool, &key, (na_bytes){0}, value, SECONDS(100), &swapped))
            ok(0, "one of many is put");
    }
    apr_int64_t count = count_of(pool, registry, SECONDS(1)), right = MANY - ENDED;
    ok(count > right * 98 / 100 && count < right * 102 / 100,
       "many sessions are counted by a part of them: %d", (int)count);
    ok(((memory *)store->self)->pages <= 20, "of so many pages, however many there are");
}

static void account(apr_pool_t *pool)
{
    endings e = {0, 0};
    const na_session_observer observer = {.data = &e, .ended = note_end};
    na_store *store = make_store(pool, &driver), *older = make_store(pool, &driver);
    na_registry *registry = make_registry(pool, store, NULL);
    registry->observer = &observer;
    apr_int64_t at;
    na_store_key key = begin(pool, registry, "acme/42", "one", NULL, NOW, &at);
    for (int i = 0; i < 3; i++)
        begin(pool, registry, "acme/42", apr_psprintf(pool, "more %d", i), NULL, NOW, &at);
    begin(pool, registry, "acme/43", "other", NULL, NOW, &at);
    is_number(count_of(pool, registry, SECONDS(1)), 5, "as many as began; lists are none");
    na_registry_end(registry, pool, "acme/42", &key, at, SECONDS(100));
    is_number(e.count, 1, "who observes is told of an end");
    is_number(e.seconds, 100, "and how long it took to come");
    na_registry_end(registry, pool, "acme/42", &key, at, SECONDS(200));
    is_number(e.count, 1, "once");
    na_registry_end_user(registry, pool, "acme/42", NULL, SECONDS(1000));
    is_number(e.count, 4, "and of each when all are ended");
    is_number(count_of(pool, registry, SECONDS(1001)), 1, "what has ended is not counted");
    is_number(count_of(pool, registry, SECONDS(31 * DAY)), 0, "nor what ended by its time");
    begin(pool, make_registry(pool, older, NULL), "acme/44", "old", NULL, NOW, &at);
    begin(pool, make_registry(pool, older, NULL), "acme/43", "other", NULL, NOW, &at);
    is_number(count_of(pool, make_registry(pool, store, older), SECONDS(1001)), 2,
              "what two stores have is counted once");
}

static apr_int64_t end_kept_until(apr_pool_t *pool, const na_registry *registry,
                                  const na_session *session, int seconds)
{
    na_record record = {0};
    int is_there;
    succeeds(na_registry_end(registry, pool, "acme/42", &session->key, session->auth_time,
                             SECONDS(seconds)),
             "an end");
    succeeds(na_registry_look(registry, pool, &session->key, &record, &is_there), "its record");
    return record.ended ? record.expires : 0;
}

/* The token of an application does not say that there is a record. */
static void ended_twice(apr_pool_t *pool)
{
    na_registry *registry = make_registry(pool, make_store(pool, &driver), NULL);
    apr_int64_t at;
    na_store_key key = begin(pool, registry, "acme/42", "twice", NULL, NOW, &at);
    na_session session = session_of("42", &key, at);
    succeeds(check_session(registry, pool, &session, &client, SECONDS(10)), "in use");
    apr_int64_t until = end_kept_until(pool, registry, &session, 20);
    ok(until > apr_time_sec(SECONDS(30 * DAY)), "is kept until no token can be valid");
    is_number(end_kept_until(pool, registry, &session, 30), until, "a second one shortens nothing");
    fails(check_session(registry, pool, &session, &client, SECONDS(DAY)), "no token is valid");
}

static int is_alive(apr_pool_t *pool, const na_registry *registry, apr_int64_t since)
{
    na_provider_session session = {.provider = "acme", .issuer = "i", .id = "7", .since = since};
    na_provider_names names = na_provider_names_of(pool, &session);
    na_error *error = na_provider_check_alive(registry, pool, &names);
    return !na_error_is(error, NA_ERR_ACCESS_DENIED);
}

static void end_at_provider(const na_registry *registry, apr_int64_t since)
{
    na_provider_session session = {.provider = "acme", .issuer = "i", .id = "7", .since = since};
    na_provider_names names = na_provider_names_of(the_pool, &session);
    succeeds(na_provider_remember_end(registry, the_pool, &names, NOW), "an end at the provider");
}

static na_registry *both;

static void later_end(memory *m)
{
    end_at_provider(both, 300);
}

static void ends_at_providers(apr_pool_t *pool)
{
    na_store *store = make_store(pool, &driver), *older = make_store(pool, &driver);
    both = make_registry(pool, store, older);
    end_at_provider(both, 200);
    ok(!is_alive(pool, both, 200) && is_alive(pool, both, 201), "covers the sign-ins until then");
    end_at_provider(both, 100);
    ok(!is_alive(pool, both, 200), "an earlier one that arrives later takes nothing back");
    ok(!is_alive(pool, make_registry(pool, older, NULL), 200), "  in no store");
    memory_of(store)->between = later_end;
    end_at_provider(both, 250);
    ok(!is_alive(pool, both, 300), "  nor does one that is written at the same time");
    end_at_provider(both, 400);
    ok(!is_alive(pool, both, 400), "a later one covers more");
}

int main(void)
{
    static const char *const secret[] = {"the secret that records are sealed with"};
    apr_pool_t *pool = the_pool = tap_start();
    succeeds(na_record_keys_derive(pool, secret, 1, "", NA_KEYS_OF_RECORDS, &keys),
             "keys for records");
    succeeds(na_record_namespaces_derive(pool, secret, 1, "", &namespaces), "and a namespace");
    records(pool);
    passive_requests(pool);
    newer_claims(pool);
    checking(pool);
    pages(pool);
    endless(pool);
    many(pool);
    account(pool);
    same_second(pool);
    all_but_one(pool);
    namespaced(pool);
    crowds(pool);
    races(pool);
    moving(pool);
    emptied(pool);
    listings(pool);
    lost_lists(pool);
    older_records(pool);
    bounded(pool);
    kept_memory(pool);
    outages(pool);
    ends_at_providers(pool);
    ended_twice(pool);
    return tap_done();
}
