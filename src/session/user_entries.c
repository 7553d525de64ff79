/* SPDX-License-Identifier: Apache-2.0 */
/* A user's two entries in the stores: a record, and the list of sessions. */
#include "session/user_entries.h"

#include <string.h>

#include <apr_strings.h>

#include "session/list.h"
#include "session/remembered.h"

/* Attempts to change an entry: each failure means that a concurrent change succeeded. */
#define TRIES 50

static apr_int64_t later(apr_int64_t a, apr_int64_t b)
{
    return a > b ? a : b;
}

/* ── the record ────────────────────────────────────────────────────────────────────────────── */

static void merge(na_user_record *to, const na_user_record *from)
{
    to->unrecorded_before = later(to->unrecorded_before, from->unrecorded_before);
    if (from->ends > to->ends) {
        to->ends = from->ends;
        to->ends_since = from->ends_since;
    }
    if (from->not_before > to->not_before) {
        to->not_before = from->not_before;
        memcpy(to->but, from->but, sizeof to->but);
    }
}

/* Writes a user's keys, one for each secret: servers change their secrets at different times. */
static void user_keys(const na_registry *registry, apr_pool_t *pool, const char *kind,
                      const char *user, na_store_key *keys)
{
    for (int i = 0; i < registry->keys->count; i++)
        na_store_key_make(&keys[i], kind,
                          apr_pstrcat(pool, registry->namespaces[i], " ", user, NULL));
}

na_error *na_user_open(const na_registry *registry, apr_pool_t *pool, const na_store_key *keys,
                       const na_found *values, na_user_record *record)
{
    *record = (na_user_record){0};
    for (int i = 0; i < registry->keys->count; i++) {
        na_user_record one;
        if (!values[i].value.data)
            continue;
        NA_TRY(na_user_record_open(pool, registry->keys, &keys[i], values[i].value, &one));
        merge(record, &one);
    }
    return NULL;
}

na_store_key *na_user_keys(const na_registry *registry, apr_pool_t *pool, const char *kind,
                           const char *user, int and_more, na_found **values)
{
    apr_size_t count = (apr_size_t)(registry->keys->count + and_more);
    na_store_key *keys = apr_pcalloc(pool, count * sizeof *keys);
    *values = apr_pcalloc(pool, count * sizeof **values);
    user_keys(registry, pool, kind, user, keys);
    for (int i = 0; i < registry->keys->count; i++)
        keys[i].is_optional = strcmp(kind, NA_KIND_USER) == 0;
    return keys;
}

na_error *na_user_find(const na_registry *registry, apr_pool_t *pool, const char *user,
                       na_user_record *record)
{
    na_found *values;
    na_store_key *keys = na_user_keys(registry, pool, NA_KIND_USER, user, 0, &values);
    NA_TRY(na_look_up(registry, pool, keys, registry->keys->count, values));
    return na_user_open(registry, pool, keys, values, record);
}

na_error *na_user_update(const na_registry *registry, apr_pool_t *pool, const char *user,
                         apr_time_t now, na_user_change *how, void *data)
{
    na_found *values;
    na_store_key *keys = na_user_keys(registry, pool, NA_KIND_USER, user, 0, &values);
    for (int i = 0; i < TRIES; i++) {
        na_user_record record;
        na_bytes value;
        int swapped = 0;
        NA_TRY(na_look_up(registry, pool, keys, registry->keys->count, values));
        /* fails closed: a record that was tampered with might have ended sessions */
        if (na_user_open(registry, pool, keys, values, &record))
            record = (na_user_record){.not_before = apr_time_sec(now)};
        how(registry, &record, data);
        NA_TRY(na_user_record_seal(pool, registry->keys, &keys[0], &record, &value));
        NA_TRY(na_store_swap(registry->stores[0], pool, &keys[0], na_found_in_first(&values[0]),
                             value, now + apr_time_from_sec(registry->remember), &swapped));
        if (swapped)
            return NULL;
    }
    return na_error_new(pool, NA_ERR_BUSY, "too many changes to one user at once");
}

int na_user_has_ended(const na_user_record *user, apr_int64_t auth_time, const na_store_key *key)
{
    return user->not_before && auth_time <= user->not_before &&
           memcmp(user->but, key->hash, sizeof user->but) != 0;
}

/* ── the list ──────────────────────────────────────────────────────────────────────────────── */

int na_user_open_lists(const na_registry *registry, apr_pool_t *pool, const na_store_key *keys,
                       const na_found *values, apr_array_header_t *list)
{
    int count = 0;
    apr_array_clear(list);
    for (int i = 0; i < registry->keys->count; i++) {
        apr_array_header_t *one = apr_array_make(pool, 8, sizeof(na_listing));
        if (!values[i].value.data ||
            na_list_open(pool, registry->keys, &keys[i], values[i].value, one))
            continue;
        na_list_add_missing(list, one);
        if (i == 0 && values[i].in_first)
            count = list->nelts;
    }
    return count == list->nelts;
}

static apr_time_t end_of_list(const apr_array_header_t *list, apr_time_t now)
{
    apr_int64_t end = apr_time_sec(now) + NA_LIST_MARGIN;
    for (int i = 0; i < list->nelts; i++)
        end = later(end, APR_ARRAY_IDX(list, i, na_listing).until);
    return apr_time_from_sec(end);
}

/* Moves sessions that do not fit into the store's largest value to `ends`. */
static void give_way(const na_registry *registry, apr_array_header_t *list,
                     apr_array_header_t *ends)
{
    while (list->nelts > na_list_max(registry->stores[0]->driver->value_max)) {
        int first = na_list_first_end(list);
        APR_ARRAY_PUSH(ends, na_listing) = APR_ARRAY_IDX(list, first, na_listing);
        na_list_drop(list, first);
    }
}

na_list na_user_list(const char *user)
{
    return (na_list){NA_KIND_LIST, user, user};
}

na_error *na_user_update_list(const na_registry *registry, apr_pool_t *pool, const na_list *which,
                              apr_time_t now, na_user_change_list *how, void *data)
{
    na_found *values;
    na_store_key *keys = na_user_keys(registry, pool, which->kind, which->name, 0, &values);
    apr_array_header_t *list = apr_array_make(pool, 8, sizeof(na_listing));
    apr_array_header_t *ends = apr_array_make(pool, 4, sizeof(na_listing));
    for (int i = 0; i < TRIES; i++) {
        na_bytes value;
        int swapped = 0;
        NA_TRY(na_look_up(registry, pool, keys, registry->keys->count, values));
        int is_written = na_user_open_lists(registry, pool, keys, values, list);
        apr_array_clear(ends);
        if (!how(list, ends, data) && is_written)
            return NULL;
        give_way(registry, list, ends);
        NA_TRY(na_end_records(registry, pool, which->user, ends, now));
        NA_TRY(na_list_seal(pool, registry->keys, &keys[0], list, &value));
        NA_TRY(na_store_swap(registry->stores[0], pool, &keys[0], na_found_in_first(&values[0]),
                             value, end_of_list(list, now), &swapped));
        if (swapped)
            return NULL;
    }
    return na_error_new(pool, NA_ERR_BUSY, "too many changes to one user's sessions at once");
}

typedef struct adding {
    na_listing listing;
    apr_int64_t now; /* seconds */
} adding;

static int add_listing(apr_array_header_t *list, apr_array_header_t *ends, void *data)
{
    const adding *add = data;
    int at = na_list_find(list, add->listing.hash);
    if (at >= 0 && APR_ARRAY_IDX(list, at, na_listing).until >= add->listing.until)
        return 0;
    if (at >= 0)
        na_list_drop(list, at);
    na_list_drop_expired(list, add->now);
    APR_ARRAY_PUSH(list, na_listing) = add->listing;
    return 1;
}

na_error *na_user_list_session(const na_registry *registry, apr_pool_t *pool, const na_list *list,
                               const na_store_key *key, apr_int64_t until, apr_time_t now)
{
    adding add = {.listing.until = until, .now = apr_time_sec(now)};
    memcpy(add.listing.hash, key->hash, sizeof add.listing.hash);
    return na_user_update_list(registry, pool, list, now, add_listing, &add);
}

static int remove_listing(apr_array_header_t *list, apr_array_header_t *ends, void *data)
{
    int at = na_list_find(list, data);
    if (at >= 0)
        na_list_drop(list, at);
    return at >= 0;
}

na_error *na_user_unlist_session(const na_registry *registry, apr_pool_t *pool, const na_list *list,
                                 const na_store_key *key, apr_time_t now)
{
    return na_user_update_list(registry, pool, list, now, remove_listing, (void *)key->hash);
}
