/* SPDX-License-Identifier: Apache-2.0 */
#include "session/registry.h"

#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "session/device.h"

/* Seconds that a list has a session beyond its end, so that not every renewal changes the list. */
#define LIST_MARGIN (24 * 3600)

/* A listing as JSON, and what is around all of them, at most. */
#define LISTING_SIZE 64
#define LIST_OVERHEAD 128

/* Writers that come between before one gives up: each of them got on. */
#define TRIES 50

/* ── looking things up ─────────────────────────────────────────────────────────────────────── */

/* A value as it was found; data NULL: nowhere. */
typedef struct found {
    na_bytes value;
    int in_first; /* in the store that is written to */
} found;

static na_error *look_up(const na_registry *registry, apr_pool_t *pool, const na_store_key *keys,
                         int count, found *values)
{
    na_bytes *got = apr_pcalloc(pool, (apr_size_t)count * sizeof *got);
    NA_TRY(na_store_get(registry->stores[0], pool, keys, count, got));
    for (int i = 0; i < count; i++)
        values[i] = (found){got[i], got[i].data != NULL};
    for (int store = 1; store < registry->store_count; store++)
        for (int i = 0; i < count; i++)
            if (!values[i].value.data)
                NA_TRY(na_store_get(registry->stores[store], pool, &keys[i], 1, &values[i].value));
    return NULL;
}

/* What a swap in the first store has to find there. */
static na_bytes expected(const found *was)
{
    return was->in_first ? was->value : (na_bytes){0};
}

static apr_int64_t later(apr_int64_t a, apr_int64_t b)
{
    return a > b ? a : b;
}

static const char *text(const char *value)
{
    return value ? value : "";
}

/* ── a user's list ─────────────────────────────────────────────────────────────────────────── */

/* Changes a user's record; it may be called again, with what somebody else made of it. */
typedef void change(const na_registry *registry, na_user_record *record, void *data);

static apr_time_t end_of_user(const na_registry *registry, const na_user_record *record,
                              apr_time_t now)
{
    apr_int64_t end = apr_time_sec(now) + registry->remember;
    for (int i = 0; i < record->sessions->nelts; i++)
        end = later(end, APR_ARRAY_IDX(record->sessions, i, na_listing).until);
    return apr_time_from_sec(end);
}

static na_error *open_user(const na_registry *registry, apr_pool_t *pool, const na_store_key *key,
                           na_bytes value, na_user_record *record)
{
    *record = (na_user_record){.sessions = apr_array_make(pool, 8, sizeof(na_listing))};
    return value.data ? na_user_record_open(pool, registry->keys, key, value, record) : NULL;
}

/* A record that cannot be read, of a secret that was given up, gives way to a new one. */
static na_error *update_user(const na_registry *registry, apr_pool_t *pool, const char *user,
                             apr_time_t now, change *how, void *data)
{
    na_store_key key;
    na_store_key_make(&key, NA_KIND_USER, user);
    for (int i = 0; i < TRIES; i++) {
        found was;
        na_user_record record;
        na_bytes value;
        int swapped = 0;
        NA_TRY(look_up(registry, pool, &key, 1, &was));
        if (open_user(registry, pool, &key, was.value, &record))
            open_user(registry, pool, &key, (na_bytes){0}, &record);
        how(registry, &record, data);
        NA_TRY(na_user_record_seal(pool, registry->keys, &key, &record, &value));
        NA_TRY(na_store_swap(registry->stores[0], pool, &key, expected(&was), value,
                             end_of_user(registry, &record, now), &swapped));
        if (swapped)
            return NULL;
    }
    return na_error_new(pool, NA_UNAVAILABLE, "too many changes to one user's sessions at once");
}

static int find_listing(const na_user_record *record, const unsigned char *hash)
{
    for (int i = 0; i < record->sessions->nelts; i++)
        if (memcmp(APR_ARRAY_IDX(record->sessions, i, na_listing).hash, hash, NA_SHA256_LEN) == 0)
            return i;
    return -1;
}

static void drop_listing(na_user_record *record, int at)
{
    na_listing *list = (na_listing *)record->sessions->elts;
    memmove(list + at, list + at + 1,
            (apr_size_t)(record->sessions->nelts - at - 1) * sizeof *list);
    record->sessions->nelts--;
}

static void drop_expired(na_user_record *record, apr_int64_t now)
{
    for (int i = record->sessions->nelts - 1; i >= 0; i--)
        if (APR_ARRAY_IDX(record->sessions, i, na_listing).until < now)
            drop_listing(record, i);
}

static int ends_first(const na_user_record *record)
{
    int first = 0;
    for (int i = 1; i < record->sessions->nelts; i++)
        if (APR_ARRAY_IDX(record->sessions, i, na_listing).until <
            APR_ARRAY_IDX(record->sessions, first, na_listing).until)
            first = i;
    return first;
}

/* How many sessions a user's list holds in this store. */
static int list_max(const na_registry *registry)
{
    apr_size_t fit = (registry->stores[0]->driver->value_max - LIST_OVERHEAD) / LISTING_SIZE;
    return fit < NA_USER_SESSIONS_MAX ? (int)fit : NA_USER_SESSIONS_MAX;
}

typedef struct listed_session {
    na_listing listing;
    apr_time_t now;
    apr_int64_t not_before;        /* out */
    apr_array_header_t *displaced; /* out: na_listing */
} listed_session;

static void add_listing(const na_registry *registry, na_user_record *record, void *data)
{
    listed_session *add = data;
    apr_array_clear(add->displaced);
    drop_expired(record, apr_time_sec(add->now));
    int at = find_listing(record, add->listing.hash);
    if (at >= 0)
        drop_listing(record, at);
    while (record->sessions->nelts >= list_max(registry)) {
        int first = ends_first(record);
        APR_ARRAY_PUSH(add->displaced, na_listing) =
            APR_ARRAY_IDX(record->sessions, first, na_listing);
        drop_listing(record, first);
    }
    APR_ARRAY_PUSH(record->sessions, na_listing) = add->listing;
    add->not_before = record->not_before;
}

static na_store_key session_key(const unsigned char *hash)
{
    na_store_key key = {.kind = NA_KIND_SESSION};
    memcpy(key.hash, hash, sizeof key.hash);
    return key;
}

/* Kept until no token of the session can be valid any more. */
static na_error *bury(const na_registry *registry, apr_pool_t *pool, const char *user,
                      const na_store_key *key, apr_time_t now)
{
    apr_int64_t until = apr_time_sec(now) + registry->remember;
    na_record ended = {.user = user, .address = "", .device = "", .expires = until, .ended = 1};
    na_bytes value;
    NA_TRY(na_record_seal(pool, registry->keys, key, &ended, &value));
    return na_store_put(registry->stores[0], pool, key, value, apr_time_from_sec(until));
}

static na_error *bury_all(const na_registry *registry, apr_pool_t *pool, const char *user,
                          const apr_array_header_t *listings, apr_time_t now)
{
    for (int i = 0; i < listings->nelts; i++) {
        na_store_key key = session_key(APR_ARRAY_IDX(listings, i, na_listing).hash);
        NA_TRY(bury(registry, pool, user, &key, now));
    }
    return NULL;
}

static na_error *list_session(const na_registry *registry, apr_pool_t *pool, const char *user,
                              const na_store_key *key, apr_int64_t until, apr_time_t now,
                              apr_int64_t *not_before)
{
    listed_session add = {.now = now, .displaced = apr_array_make(pool, 1, sizeof(na_listing))};
    memcpy(add.listing.hash, key->hash, sizeof add.listing.hash);
    add.listing.until = until;
    NA_TRY(update_user(registry, pool, user, now, add_listing, &add));
    *not_before = add.not_before;
    return bury_all(registry, pool, user, add.displaced, now);
}

/* ── a session's record ────────────────────────────────────────────────────────────────────── */

static na_error *write_record(const na_registry *registry, apr_pool_t *pool,
                              const na_store_key *key, const na_record *record, na_bytes was)
{
    int swapped;
    na_bytes value;
    NA_TRY(na_record_seal(pool, registry->keys, key, record, &value));
    return na_store_swap(registry->stores[0], pool, key, was, value,
                         apr_time_from_sec(record->expires), &swapped);
}

na_error *na_registry_begin(const na_registry *registry, apr_pool_t *pool, const char *user,
                            const na_store_key *key, apr_int64_t expires, apr_time_t now,
                            apr_int64_t *auth_time)
{
    apr_int64_t not_before;
    NA_TRY(list_session(registry, pool, user, key, expires + LIST_MARGIN, now, &not_before));
    *auth_time = later(apr_time_sec(now), not_before + 1);
    return NULL;
}

na_error *na_registry_record(const na_registry *registry, apr_pool_t *pool, const char *user,
                             const na_store_key *key, const na_client *client, const json_t *claims,
                             apr_int64_t auth_time, apr_int64_t expires, apr_time_t now)
{
    na_record record = {.user = user,
                        .address = text(client->address),
                        .device = na_device(pool, client->user_agent),
                        .created = auth_time,
                        .used = apr_time_sec(now),
                        .expires = expires,
                        .listed = expires + LIST_MARGIN,
                        .claims = claims};
    return write_record(registry, pool, key, &record, (na_bytes){0});
}

/*
 * Brings a record up to date where that is due. Where another request did the same meanwhile, or
 * the session was ended, that one's word stands.
 */
static na_error *keep_up(const na_registry *registry, apr_pool_t *pool, const na_store_key *key,
                         const found *was, na_record *record, int stale_user,
                         const na_client *client, apr_int64_t expires, apr_time_t now)
{
    apr_int64_t seconds = apr_time_sec(now), not_before;
    int due = !was->in_first || record->stale || stale_user ||
              seconds - record->used >= NA_USE_INTERVAL ||
              expires - record->expires >= NA_USE_INTERVAL;
    if (!due)
        return NULL;
    record->used = seconds;
    record->expires = later(record->expires, expires);
    record->address = text(client->address);
    record->device = na_device(pool, client->user_agent);
    if (!was->in_first || stale_user || record->expires > record->listed) {
        record->listed = record->expires + LIST_MARGIN;
        NA_TRY(list_session(registry, pool, record->user, key, record->listed, now, &not_before));
    }
    return write_record(registry, pool, key, record, expected(was));
}

static na_error *check_not_before(const na_registry *registry, apr_pool_t *pool,
                                  const na_store_key *key, na_bytes value, apr_int64_t auth_time,
                                  int *stale)
{
    na_user_record user;
    NA_TRY(open_user(registry, pool, key, value, &user));
    *stale = user.stale;
    return user.not_before && auth_time <= user.not_before
               ? na_error_new(pool, NA_SESSION, "all sessions of the user were ended")
               : NULL;
}

static na_error *ended(apr_pool_t *pool)
{
    return na_error_new(pool, NA_SESSION, "the session was ended");
}

na_error *na_registry_check(const na_registry *registry, apr_pool_t *pool,
                            const na_session *session, const na_client *client, apr_time_t now)
{
    const char *name = na_session_user_name(pool, session);
    na_store_key keys[2];
    found values[2];
    int stale_user;
    na_store_key_make(&keys[0], NA_KIND_USER, name);
    keys[1] = session->key;
    NA_TRY(look_up(registry, pool, keys, session->has_id ? 2 : 1, values));
    NA_TRY(check_not_before(registry, pool, &keys[0], values[0].value, session->auth_time,
                            &stale_user));
    if (!session->has_id)
        return NULL;
    na_record record = {.user = name, .created = session->auth_time};
    if (values[1].value.data)
        NA_TRY(na_record_open(pool, registry->keys, &keys[1], values[1].value, &record));
    if (record.ended)
        return ended(pool);
    return keep_up(registry, pool, &keys[1], &values[1], &record, stale_user, client,
                   session->expires, now);
}

static na_error *find_record(const na_registry *registry, apr_pool_t *pool, const na_store_key *key,
                             apr_time_t now, found *was, na_record *record)
{
    NA_TRY(look_up(registry, pool, key, 1, was));
    if (!was->value.data)
        return na_error_new(pool, NA_SESSION, "no session has this id");
    NA_TRY(na_record_open(pool, registry->keys, key, was->value, record));
    if (record->ended)
        return ended(pool);
    return record->expires > apr_time_sec(now)
               ? NULL
               : na_error_new(pool, NA_SESSION, "the session is over");
}

na_error *na_registry_find(const na_registry *registry, apr_pool_t *pool, const na_store_key *key,
                           const na_client *client, apr_time_t now, na_record *record)
{
    found was, user;
    na_store_key user_key;
    int stale_user;
    NA_TRY(find_record(registry, pool, key, now, &was, record));
    if (!record->claims)
        return na_error_new(pool, NA_SESSION, "the session's claims are in its token");
    na_store_key_make(&user_key, NA_KIND_USER, record->user);
    NA_TRY(look_up(registry, pool, &user_key, 1, &user));
    NA_TRY(check_not_before(registry, pool, &user_key, user.value, record->created, &stale_user));
    return keep_up(registry, pool, key, &was, record, stale_user, client, record->expires, now);
}

na_error *na_registry_extend(const na_registry *registry, apr_pool_t *pool,
                             const na_session *session, const na_client *client,
                             const json_t *claims, apr_int64_t expires, apr_time_t now)
{
    found was;
    na_record record = {.user = na_session_user_name(pool, session), .created = session->auth_time};
    NA_TRY(look_up(registry, pool, &session->key, 1, &was));
    if (was.value.data)
        NA_TRY(na_record_open(pool, registry->keys, &session->key, was.value, &record));
    if (record.ended)
        return ended(pool);
    record.claims = claims ? claims : record.claims;
    record.used = 0; /* due */
    return keep_up(registry, pool, &session->key, &was, &record, 0, client, expires, now);
}

/* ── ending ────────────────────────────────────────────────────────────────────────────────── */

static void remove_listing(const na_registry *registry, na_user_record *record, void *data)
{
    int at = find_listing(record, data);
    if (at >= 0)
        drop_listing(record, at);
}

na_error *na_registry_end(const na_registry *registry, apr_pool_t *pool, const char *user,
                          const na_store_key *key, apr_time_t now)
{
    NA_TRY(bury(registry, pool, user, key, now));
    return update_user(registry, pool, user, now, remove_listing, (void *)key->hash);
}

typedef struct ending {
    const na_store_key *but;
    apr_int64_t now;              /* seconds */
    apr_array_header_t *listings; /* out: na_listing, those that end */
} ending;

static void end_listings(const na_registry *registry, na_user_record *record, void *data)
{
    ending *end = data;
    int kept = end->but ? find_listing(record, end->but->hash) : -1;
    apr_array_clear(end->listings);
    for (int i = 0; i < record->sessions->nelts; i++)
        if (i != kept)
            APR_ARRAY_PUSH(end->listings, na_listing) =
                APR_ARRAY_IDX(record->sessions, i, na_listing);
    if (!end->but)
        record->not_before = later(record->not_before, end->now);
    if (kept > 0)
        APR_ARRAY_IDX(record->sessions, 0, na_listing) =
            APR_ARRAY_IDX(record->sessions, kept, na_listing);
    record->sessions->nelts = kept >= 0;
}

na_error *na_registry_end_user(const na_registry *registry, apr_pool_t *pool, const char *user,
                               const na_store_key *but, apr_time_t now)
{
    ending end = {but, apr_time_sec(now), apr_array_make(pool, 8, sizeof(na_listing))};
    NA_TRY(update_user(registry, pool, user, now, end_listings, &end));
    return bury_all(registry, pool, user, end.listings, now);
}

/* ── listing ───────────────────────────────────────────────────────────────────────────────── */

const char *na_registry_handle(apr_pool_t *pool, const na_store_key *key)
{
    return na_base64url_encode(pool, key->hash, sizeof key->hash);
}

static int is_live(const na_record *record, apr_time_t now)
{
    return !record->ended && record->expires > apr_time_sec(now);
}

static na_error *list_user(const na_registry *registry, apr_pool_t *pool, const char *user,
                           apr_time_t now, apr_array_header_t *list)
{
    na_store_key user_key;
    found was;
    na_user_record record;
    na_store_key_make(&user_key, NA_KIND_USER, user);
    NA_TRY(look_up(registry, pool, &user_key, 1, &was));
    NA_TRY(open_user(registry, pool, &user_key, was.value, &record));
    int count = record.sessions->nelts;
    if (!count)
        return NULL;
    na_store_key *keys = apr_palloc(pool, (apr_size_t)count * sizeof *keys);
    found *values = apr_palloc(pool, (apr_size_t)count * sizeof *values);
    for (int i = 0; i < count; i++)
        keys[i] = session_key(APR_ARRAY_IDX(record.sessions, i, na_listing).hash);
    NA_TRY(look_up(registry, pool, keys, count, values));
    for (int i = 0; i < count; i++) {
        na_listed listed = {.key = keys[i]};
        if (values[i].value.data &&
            !na_record_open(pool, registry->keys, &keys[i], values[i].value, &listed.record) &&
            is_live(&listed.record, now) && listed.record.created > record.not_before)
            APR_ARRAY_PUSH(list, na_listed) = listed;
    }
    return NULL;
}

typedef struct collecting {
    const na_registry *registry;
    apr_pool_t *pool;
    apr_time_t now;
    apr_hash_t *seen; /* handles; a store of before may have older records */
    apr_array_header_t *list;
} collecting;

static na_error *collect(void *data, const na_store_key *key, na_bytes value)
{
    collecting *c = data;
    na_listed listed = {.key = *key};
    const char *handle = na_registry_handle(c->pool, key);
    if (apr_hash_get(c->seen, handle, APR_HASH_KEY_STRING))
        return NULL;
    apr_hash_set(c->seen, handle, APR_HASH_KEY_STRING, handle);
    if (!na_record_open(c->pool, c->registry->keys, key, value, &listed.record) &&
        is_live(&listed.record, c->now))
        APR_ARRAY_PUSH(c->list, na_listed) = listed;
    return NULL;
}

na_error *na_registry_list(const na_registry *registry, apr_pool_t *pool, const char *user,
                           apr_time_t now, apr_array_header_t *list)
{
    if (user)
        return list_user(registry, pool, user, now, list);
    collecting c = {registry, pool, now, apr_hash_make(pool), list};
    for (int i = 0; i < registry->store_count; i++)
        NA_TRY(na_store_each(registry->stores[i], pool, NA_KIND_SESSION, collect, &c));
    return NULL;
}

na_error *na_registry_by_handle(const na_registry *registry, apr_pool_t *pool, const char *user,
                                const char *handle, apr_time_t now, na_listed *session,
                                int *is_there)
{
    found was;
    apr_size_t len = 0;
    unsigned char *hash = strlen(handle) == NA_SESSION_ID_LEN
                              ? na_base64url_decode(pool, handle, NA_SESSION_ID_LEN, &len)
                              : NULL;
    *is_there = 0;
    if (len != NA_SHA256_LEN)
        return NULL;
    session->key = session_key(hash);
    NA_TRY(look_up(registry, pool, &session->key, 1, &was));
    if (!was.value.data)
        return NULL;
    NA_TRY(na_record_open(pool, registry->keys, &session->key, was.value, &session->record));
    *is_there =
        is_live(&session->record, now) && (!user || strcmp(user, session->record.user) == 0);
    return NULL;
}
