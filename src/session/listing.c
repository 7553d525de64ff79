/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of sessions, for their users and for administrators. */
#include "session/listing.h"

#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "session/list.h"
#include "session/user_entries.h"

/* A handle is this and a hash in base64url, so that commands never mistake it for an option. */
#define HANDLE_START "s"
#define HASH_LEN 43

const char *na_registry_handle(apr_pool_t *pool, const na_store_key *key)
{
    return apr_pstrcat(pool, HANDLE_START, na_base64url_encode(pool, key->hash, sizeof key->hash),
                       NULL);
}

static na_error *list_user(const na_registry *registry, apr_pool_t *pool, const char *user,
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

typedef struct collecting {
    const na_registry *registry;
    apr_pool_t *pool;
    apr_time_t now;
    apr_hash_t *seen; /* handles already found; a previous store can have older records */
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
        na_record_is_live(&listed.record, c->now))
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

typedef struct counting {
    const na_registry *registry;
    apr_pool_t *pool; /* for one record at a time */
    apr_time_t now;
    apr_hash_t *seen; /* hashes already counted; NULL if there is only one store */
    apr_int64_t count;
} counting;

static int is_new(const counting *c, const na_store_key *key)
{
    if (!c->seen)
        return 1;
    if (apr_hash_get(c->seen, key->hash, sizeof key->hash))
        return 0;
    const void *kept = apr_pmemdup(apr_hash_pool_get(c->seen), key->hash, sizeof key->hash);
    apr_hash_set(c->seen, kept, sizeof key->hash, kept);
    return 1;
}

static na_error *count_record(void *data, const na_store_key *key, na_bytes value)
{
    counting *c = data;
    na_record record;
    if (is_new(c, key) && !na_record_open(c->pool, c->registry->keys, key, value, &record) &&
        na_record_is_live(&record, c->now))
        c->count++;
    apr_pool_clear(c->pool);
    return NULL;
}

na_error *na_registry_count(const na_registry *registry, apr_pool_t *pool, apr_time_t now,
                            apr_int64_t *count)
{
    counting c = {.registry = registry, .now = now};
    c.seen = registry->store_count > 1 ? apr_hash_make(pool) : NULL;
    apr_pool_create(&c.pool, pool);
    for (int i = 0; i < registry->store_count; i++)
        NA_TRY(na_store_each(registry->stores[i], pool, NA_KIND_SESSION, count_record, &c));
    *count = c.count;
    return NULL;
}

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
