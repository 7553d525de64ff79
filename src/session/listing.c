/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of sessions, for their users and for administrators. */
#include "session/listing.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "session/list.h"
#include "session/user_entries.h"

/* A handle is this and a hash in base64url, so that commands never mistake it for an option. */
#define HANDLE_START "s"
#define HASH_LEN 43

/*
 * Pages of a store that one call reads at most. A page can lack live sessions of this site, and a
 * store that does not keep to its rules might have no last page.
 */
#define READS_MAX 50

/* Entries that are read to count sessions: so many that the number of all is known within 1 %. */
#define SAMPLE 20000
#define SAMPLE_PAGE 1000

const char *na_registry_handle(apr_pool_t *pool, const na_store_key *key)
{
    return apr_pstrcat(pool, HANDLE_START, na_base64url_encode(pool, key->hash, sizeof key->hash),
                       NULL);
}

na_error *na_registry_list(const na_registry *registry, apr_pool_t *pool, const char *user,
                           apr_time_t now, apr_array_header_t *list)
{
    na_found *values;
    na_user_record record;
    apr_array_header_t *listings = apr_array_make(pool, 8, sizeof(na_listing));
    na_store_key *keys = na_user_keys(registry, pool, NA_KIND_LIST, user, 0, &values);
    NA_TRY(na_look_up(registry, pool, keys, registry->keys->count, values));
    na_user_open_lists(registry, pool, keys, values, listings);
    int count = listings->nelts;
    if (!count)
        return NULL;
    NA_TRY(na_user_find(registry, pool, user, &record));
    keys = apr_palloc(pool, (apr_size_t)count * sizeof *keys);
    values = apr_palloc(pool, (apr_size_t)count * sizeof *values);
    for (int i = 0; i < count; i++)
        keys[i] = na_session_key_of_hash(APR_ARRAY_IDX(listings, i, na_listing).hash);
    NA_TRY(na_look_up(registry, pool, keys, count, values));
    for (int i = 0; i < count; i++) {
        na_listed listed = {.key = keys[i]};
        if (values[i].value.data &&
            !na_record_open(pool, registry->keys, &keys[i], values[i].value, &listed.record) &&
            na_record_is_live(&listed.record, now) &&
            !na_user_has_ended(&record, listed.record.created, &keys[i]))
            APR_ARRAY_PUSH(list, na_listed) = listed;
    }
    return NULL;
}

/* ── all sessions ──────────────────────────────────────────────────────────────────────────── */

/* A listing of one store after the other: "0:" and the store's own cursor. */
typedef struct position {
    int store;
    const char *cursor; /* NULL at the beginning of a store */
} position;

static na_error *read_position(apr_pool_t *pool, const na_registry *registry, const char *text,
                               position *at)
{
    char *end;
    *at = (position){0};
    if (!text)
        return NULL;
    at->store = (int)strtol(text, &end, 10);
    if (end == text || *end != ':' || at->store < 0 || at->store >= registry->store_count)
        return na_store_bad_cursor(pool);
    at->cursor = end[1] ? end + 1 : NULL;
    return NULL;
}

static int is_within(const na_registry *registry, const position *at)
{
    return at->store < registry->store_count;
}

static void advance(apr_pool_t *pool, position *at, const na_store_page *page)
{
    at->store += !page->next;
    at->cursor = page->next ? apr_pstrdup(pool, page->next) : NULL;
}

/*
 * Removes entries that a store before has as well: a session that moved leaves its older record
 * behind.
 */
static na_error *drop_moved(const na_registry *registry, apr_pool_t *pool, int store,
                            apr_array_header_t *entries)
{
    na_store_entry *all = (na_store_entry *)entries->elts;
    na_registry before = *registry;
    int count = entries->nelts;
    before.store_count = store;
    if (!store || !count)
        return NULL;
    na_store_key *keys = apr_palloc(pool, (apr_size_t)count * sizeof *keys);
    na_found *values = apr_palloc(pool, (apr_size_t)count * sizeof *values);
    for (int i = 0; i < count; i++)
        keys[i] = all[i].key;
    NA_TRY(na_look_up(&before, pool, keys, count, values));
    entries->nelts = 0;
    for (int i = 0; i < count; i++)
        if (!values[i].value.data)
            all[entries->nelts++] = all[i];
    return NULL;
}

static na_error *read_page(const na_registry *registry, apr_pool_t *pool, const position *at,
                           int max, na_store_page *page)
{
    NA_TRY(na_store_read_page(registry->stores[at->store], pool, NA_KIND_SESSION, at->cursor, max,
                              page));
    return drop_moved(registry, pool, at->store, page->entries);
}

/* Decrypts a record; returns 0 if its session has ended, or belongs to a different site. */
static int open_live(const na_registry *registry, apr_pool_t *pool, const na_store_entry *entry,
                     apr_time_t now, na_listed *listed)
{
    listed->key = entry->key;
    return !na_record_open(pool, registry->keys, &entry->key, entry->value, &listed->record) &&
           na_record_is_live(&listed->record, now);
}

/* Visits the live sessions of a page, with memory for one at a time; returns their number. */
static int visit_live(const na_registry *registry, apr_pool_t *pool, const na_store_page *page,
                      apr_time_t now, na_listed_visit *visit, void *data)
{
    int count = 0;
    apr_pool_t *single;
    apr_pool_create(&single, pool);
    for (int i = 0; i < page->entries->nelts; i++) {
        na_listed listed;
        if (open_live(registry, single, &APR_ARRAY_IDX(page->entries, i, na_store_entry), now,
                      &listed)) {
            visit(data, &listed);
            count++;
        }
        apr_pool_clear(single);
    }
    return count;
}

na_error *na_registry_list_page(const na_registry *registry, apr_pool_t *pool, const char *cursor,
                                int max, apr_time_t now, na_listed_visit *visit, void *data,
                                const char **next)
{
    position at;
    NA_TRY(read_position(pool, registry, cursor, &at));
    for (int i = 0, found = 0; i < READS_MAX && found < max && is_within(registry, &at); i++) {
        apr_pool_t *part; /* destroyed with `pool` if an error is still to be read from it */
        na_store_page page;
        apr_pool_create(&part, pool);
        NA_TRY(read_page(registry, part, &at, max - found, &page));
        found += visit_live(registry, part, &page, now, visit, data);
        advance(pool, &at, &page);
        apr_pool_destroy(part);
    }
    *next = is_within(registry, &at)
                ? apr_psprintf(pool, "%d:%s", at.store, at.cursor ? at.cursor : "")
                : NULL;
    return NULL;
}

/* ── their number ──────────────────────────────────────────────────────────────────────────── */

static void ignore(void *data, const na_listed *listed)
{
}

/* Counts the sessions on the first pages of a store, and infers the number of all. */
static na_error *count_in_store(const na_registry *registry, apr_pool_t *pool, int store,
                                apr_time_t now, double *count)
{
    position at = {.store = store};
    double share = 1;
    int live = 0;
    for (int i = 0, entries = 0; i < READS_MAX && entries < SAMPLE && at.store == store; i++) {
        apr_pool_t *part; /* likewise */
        na_store_page page;
        apr_pool_create(&part, pool);
        NA_TRY(read_page(registry, part, &at, SAMPLE_PAGE, &page));
        live += visit_live(registry, part, &page, now, ignore, NULL);
        entries += page.entries->nelts;
        share = page.share;
        advance(pool, &at, &page);
        apr_pool_destroy(part);
    }
    *count = live / share;
    return NULL;
}

na_error *na_registry_count(const na_registry *registry, apr_pool_t *pool, apr_time_t now,
                            apr_int64_t *count)
{
    double total = 0, one;
    for (int i = 0; i < registry->store_count; i++) {
        NA_TRY(count_in_store(registry, pool, i, now, &one));
        total += one;
    }
    *count = (apr_int64_t)(total + 0.5);
    return NULL;
}

/* ── one session ───────────────────────────────────────────────────────────────────────────── */

na_error *na_registry_by_handle(const na_registry *registry, apr_pool_t *pool, const char *user,
                                const char *handle, apr_time_t now, na_listed *session,
                                int *is_there)
{
    na_found was;
    apr_size_t len = 0;
    int is_handle = strncmp(handle, HANDLE_START, 1) == 0 && strlen(handle) == 1 + HASH_LEN;
    unsigned char *hash = is_handle ? na_base64url_decode(pool, handle + 1, HASH_LEN, &len) : NULL;
    *is_there = 0;
    if (len != NA_SHA256_LEN)
        return NULL;
    session->key = na_session_key_of_hash(hash);
    NA_TRY(na_look_up(registry, pool, &session->key, 1, &was));
    if (!was.value.data ||
        na_record_open(pool, registry->keys, &session->key, was.value, &session->record))
        return NULL; /* missing, or from another site */
    *is_there = na_record_is_live(&session->record, now) &&
                (!user || strcmp(user, session->record.user) == 0);
    return NULL;
}
