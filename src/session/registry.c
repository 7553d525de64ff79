/* SPDX-License-Identifier: Apache-2.0 */
/* Records of sessions, and lists of them, in stores. */
#include "session/registry.h"

#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "base/clock.h"
#include "session/device.h"
#include "session/epoch.h"
#include "session/list.h"
#include "session/lookup.h"

/*
 * Seconds for which a list contains a session after its end, so that not every renewal changes the
 * list.
 */
#define LIST_MARGIN (24 * 3600)

/* Seconds for which an end is remembered if the session cannot be used without its record. */
#define SHORT_MEMORY 300

/* A handle is this and a hash in base64url, so that commands never mistake it for an option. */
#define HANDLE_START "s"
#define HASH_LEN 43

/* Attempts to change an entry: each failure means that a concurrent change succeeded. */
#define TRIES 50

static apr_int64_t later(apr_int64_t a, apr_int64_t b)
{
    return a > b ? a : b;
}

static const char *text(const char *value)
{
    return value ? value : "";
}

static na_store_key session_key(const unsigned char *hash)
{
    na_store_key key = {.kind = NA_KIND_SESSION};
    memcpy(key.hash, hash, sizeof key.hash);
    return key;
}

static int is_live(const na_record *record, apr_time_t now)
{
    return !record->ended && record->expires > apr_time_sec(now);
}

/* ── remembered ends ───────────────────────────────────────────────────────────────────────── */

static na_error *bury_until(const na_registry *registry, apr_pool_t *pool, const char *user,
                            const na_store_key *key, apr_int64_t until)
{
    na_record ended = {.user = user, .address = "", .device = "", .expires = until, .ended = 1};
    na_bytes value;
    NA_TRY(na_record_seal(pool, registry->keys, key, &ended, &value));
    return na_store_put(registry->stores[0], pool, key, value, apr_time_from_sec(until));
}

/*
 * Replaces a session's record, whatever its current value. The store can drop the replacement
 * early, because a missing record is enough to refuse a token that claims to have one.
 */
static na_error *bury_shortly(const na_registry *registry, apr_pool_t *pool, const char *user,
                              const na_store_key *key, apr_int64_t until)
{
    na_record ended = {.user = user, .address = "", .device = "", .expires = until, .ended = 1};
    na_bytes value, there;
    NA_TRY(na_record_seal(pool, registry->keys, key, &ended, &value));
    for (int i = 0; i < TRIES; i++) {
        int swapped;
        NA_TRY(na_store_get(registry->stores[0], pool, key, 1, &there));
        NA_TRY(na_store_swap(registry->stores[0], pool, key, there, value, apr_time_from_sec(until),
                             &swapped));
        if (swapped)
            return NULL;
    }
    return na_error_new(pool, NA_ERR_BUSY, "too many changes to one session at once");
}

/*
 * Ends a session's record. If its tokens can be used without a record, the end is remembered until
 * none can be valid anymore, unless the user's record covers it (`is_covered`).
 */
static na_error *bury(const na_registry *registry, apr_pool_t *pool, const char *user,
                      const na_store_key *key, int is_covered, apr_time_t now)
{
    na_found was;
    na_record record = {.in_token = 1};
    NA_TRY(na_look_up(registry, pool, key, 1, &was));
    if (was.value.data && na_record_open(pool, registry->keys, key, was.value, &record))
        record = (na_record){.in_token = 1};
    apr_int64_t seconds = apr_time_sec(now);
    if (record.in_token && !record.vouched && !is_covered)
        NA_TRY(bury_until(registry, pool, user, key,
                          later(seconds + registry->remember,
                                record.expires + 2 * NA_CLOCK_TOLERANCE)));
    else
        NA_TRY(bury_shortly(registry, pool, user, key, seconds + SHORT_MEMORY));
    if (registry->observer && is_live(&record, now))
        registry->observer->ended(registry->observer->data, seconds - record.created);
    return NULL;
}

static na_error *bury_all(const na_registry *registry, apr_pool_t *pool, const char *user,
                          const apr_array_header_t *listings, apr_time_t now)
{
    for (int i = 0; i < listings->nelts; i++) {
        na_store_key key = session_key(APR_ARRAY_IDX(listings, i, na_listing).hash);
        na_found was; /* without a record, a short memory is enough */
        NA_TRY(na_look_up(registry, pool, &key, 1, &was));
        NA_TRY(bury(registry, pool, user, &key, !was.value.data, now));
    }
    return NULL;
}

/* ── a user's record ───────────────────────────────────────────────────────────────────────── */

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

/* Decrypts a user's records under all secrets, and merges them. */
static na_error *open_user(const na_registry *registry, apr_pool_t *pool, const na_store_key *keys,
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

static na_store_key *make_user_keys(const na_registry *registry, apr_pool_t *pool, const char *kind,
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

static na_error *find_user(const na_registry *registry, apr_pool_t *pool, const char *user,
                           na_user_record *record)
{
    na_found *values;
    na_store_key *keys = make_user_keys(registry, pool, NA_KIND_USER, user, 0, &values);
    NA_TRY(na_look_up(registry, pool, keys, registry->keys->count, values));
    return open_user(registry, pool, keys, values, record);
}

/* Changes a user's record. Called again with the new record if a concurrent change was first. */
typedef void change_user(const na_registry *registry, na_user_record *record, void *data);

static na_error *update_user(const na_registry *registry, apr_pool_t *pool, const char *user,
                             apr_time_t now, change_user *how, void *data)
{
    na_found *values;
    na_store_key *keys = make_user_keys(registry, pool, NA_KIND_USER, user, 0, &values);
    for (int i = 0; i < TRIES; i++) {
        na_user_record record;
        na_bytes value;
        int swapped = 0;
        NA_TRY(na_look_up(registry, pool, keys, registry->keys->count, values));
        /* fails closed: a record that was tampered with might have ended sessions */
        if (open_user(registry, pool, keys, values, &record))
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

/* ── a user's list ─────────────────────────────────────────────────────────────────────────── */

/*
 * Merges the lists under all secrets; returns 1 if the one that is written is complete. A list that
 * was tampered with counts as empty and is filled again.
 */
static int open_lists(const na_registry *registry, apr_pool_t *pool, const na_store_key *keys,
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
    apr_int64_t end = apr_time_sec(now) + LIST_MARGIN;
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

/*
 * Changes a user's list; returns 0 if there is nothing to change. Called again with the new list if
 * a concurrent change was first. Sessions that it moves to `ends` are ended before the list is
 * written, so that none is lost.
 */
typedef int change_list(apr_array_header_t *list, apr_array_header_t *ends, void *data);

static na_error *update_list(const na_registry *registry, apr_pool_t *pool, const char *user,
                             apr_time_t now, change_list *how, void *data)
{
    na_found *values;
    na_store_key *keys = make_user_keys(registry, pool, NA_KIND_LIST, user, 0, &values);
    apr_array_header_t *list = apr_array_make(pool, 8, sizeof(na_listing));
    apr_array_header_t *ends = apr_array_make(pool, 4, sizeof(na_listing));
    for (int i = 0; i < TRIES; i++) {
        na_bytes value;
        int swapped = 0;
        NA_TRY(na_look_up(registry, pool, keys, registry->keys->count, values));
        int is_written = open_lists(registry, pool, keys, values, list);
        apr_array_clear(ends);
        if (!how(list, ends, data) && is_written)
            return NULL;
        give_way(registry, list, ends);
        NA_TRY(bury_all(registry, pool, user, ends, now));
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

static na_error *list_session(const na_registry *registry, apr_pool_t *pool, const char *user,
                              const na_store_key *key, apr_int64_t until, apr_time_t now)
{
    adding add = {.listing.until = until, .now = apr_time_sec(now)};
    memcpy(add.listing.hash, key->hash, sizeof add.listing.hash);
    return update_list(registry, pool, user, now, add_listing, &add);
}

/* ── a session's record ────────────────────────────────────────────────────────────────────── */

static na_error *write_record(const na_registry *registry, apr_pool_t *pool,
                              const na_store_key *key, const na_record *record, na_bytes was,
                              int *written)
{
    na_bytes value;
    NA_TRY(na_record_seal(pool, registry->keys, key, record, &value));
    return na_store_swap(registry->stores[0], pool, key, was, value,
                         apr_time_from_sec(record->expires), written);
}

static void read_user(const na_registry *registry, na_user_record *record, void *data)
{
    *(na_user_record *)data = *record;
}

na_error *na_registry_begin(const na_registry *registry, apr_pool_t *pool, const char *user,
                            const na_store_key *key, apr_int64_t expires, apr_time_t now,
                            apr_int64_t *auth_time)
{
    na_user_record record;
    NA_TRY(list_session(registry, pool, user, key, expires + LIST_MARGIN, now));
    na_error *error = find_user(registry, pool, user, &record);
    if (error && !na_is_unavailable(error)) /* a record that cannot be decrypted is replaced */
        error = update_user(registry, pool, user, now, read_user, &record);
    NA_TRY(error);
    *auth_time = later(apr_time_sec(now), record.not_before + 1);
    return NULL;
}

na_error *na_registry_record(const na_registry *registry, apr_pool_t *pool, const char *user,
                             const na_store_key *key, const na_client *client, const json_t *claims,
                             apr_int64_t auth_time, apr_int64_t expires, apr_time_t now)
{
    int written;
    na_record record = {.user = user,
                        .address = text(client->address),
                        .device = na_device(pool, client->user_agent),
                        .created = auth_time,
                        .used = apr_time_sec(now),
                        .expires = expires,
                        .listed = expires + LIST_MARGIN,
                        .in_token = !claims,
                        .vouched = 1,
                        .claims = claims};
    return write_record(registry, pool, key, &record, (na_bytes){0}, &written);
}

/*
 * Writes a record again, and adds the session to its user's list if it is missing. If a concurrent
 * request changed the record or ended the session, that change stays.
 */
static na_error *note_use(const na_registry *registry, apr_pool_t *pool, const na_store_key *key,
                          const na_found *was, na_record *record, const na_client *client,
                          apr_int64_t expires, apr_time_t now)
{
    int written;
    record->used = apr_time_sec(now);
    record->expires = expires;
    record->address = text(client->address);
    record->device = na_device(pool, client->user_agent);
    if (record->expires > record->listed)
        record->listed = record->expires + LIST_MARGIN;
    NA_TRY(write_record(registry, pool, key, record, na_found_in_first(was), &written));
    if (written) /* if the list cannot be written, a later use does */
        list_session(registry, pool, record->user, key, record->listed, now);
    return NULL;
}

/* Ignores an unavailable store: the session is valid even if its use cannot be recorded. */
static na_error *try_to_note(na_error *error)
{
    return na_is_unavailable(error) ? NULL : error;
}

static int is_due(const na_registry *registry, const na_found *was, const na_record *record,
                  apr_int64_t expires, apr_time_t now)
{
    return !was->in_first || record->stale || !record->used ||
           apr_time_sec(now) - record->used >= registry->use_interval ||
           expires - record->expires >= registry->use_interval;
}

static int is_before(const na_user_record *user, apr_int64_t auth_time, const na_store_key *key)
{
    return user->not_before && auth_time <= user->not_before &&
           memcmp(user->but, key->hash, sizeof user->but) != 0;
}

static na_error *all_ended(apr_pool_t *pool)
{
    return na_error_new(pool, NA_ERR_SESSION, "all sessions of the user were ended");
}

/* Extends the memory of an end while clients still send the session. */
static na_error *ended(const na_registry *registry, apr_pool_t *pool, const na_store_key *key,
                       const na_record *record, apr_time_t now)
{
    apr_int64_t seconds = apr_time_sec(now);
    if (record->expires - seconds < registry->remember / 2 &&
        record->expires - seconds > SHORT_MEMORY)
        NA_TRY(bury_until(registry, pool, record->user, key, seconds + registry->remember));
    return na_error_new(pool, NA_ERR_SESSION, "the session was ended");
}

/*
 * Checks a token without a record: either it never had one, or the record was lost, possibly
 * together with the memory of its end. The store's epoch and the token's own claim distinguish the
 * cases.
 */
static na_error *check_unrecorded(const na_registry *registry, apr_pool_t *pool,
                                  const na_session *session, const na_user_record *user,
                                  apr_int64_t epoch)
{
    apr_int64_t since = session->has_id ? session->auth_time : session->issued_at;
    if (session->on_server)
        return NULL; /* its row in NextAuth's table is its record */
    if (user->unrecorded_before && since <= user->unrecorded_before)
        return na_error_new(pool, NA_ERR_SESSION, "the session was ended");
    if (since <= epoch)
        return registry->accepts_lost ? NULL
                                      : na_error_new(pool, NA_ERR_SESSION,
                                                     "the session is older than the session "
                                                     "store's data, so it might have been ended");
    return na_session_is_registered(session)
               ? na_error_new(pool, NA_ERR_SESSION,
                              "the session's record is no longer in the store")
               : NULL;
}

na_error *na_registry_check(const na_registry *registry, apr_pool_t *pool,
                            const na_session *session, const na_client *client, apr_time_t now)
{
    const char *name = na_session_user_name(pool, session);
    int users = registry->keys->count;
    na_found *values;
    na_user_record user;
    apr_int64_t epoch;
    na_store_key *keys = make_user_keys(registry, pool, NA_KIND_USER, name, 1 + users, &values);
    keys[users] = session->key;
    na_epoch_keys(registry, &keys[users + 1]);
    NA_TRY(na_look_up(registry, pool, keys, 2 * users + 1, values));
    NA_TRY(open_user(registry, pool, keys, values, &user));
    NA_TRY(na_epoch_of(registry, pool, &keys[users + 1], &values[users + 1], now, &epoch));
    if (is_before(&user, session->auth_time, &session->key))
        return all_ended(pool);
    const na_found *was = &values[users];
    na_record record = {.user = name, .created = session->auth_time, .in_token = 1};
    NA_TRY(was->value.data
               ? na_record_open(pool, registry->keys, &session->key, was->value, &record)
               : check_unrecorded(registry, pool, session, &user, epoch));
    if (record.ended)
        return ended(registry, pool, &session->key, &record, now);
    if (!session->has_id)
        return NULL;
    apr_int64_t expires = later(record.expires, session->expires);
    /* the token has no such claim: the reply to writing its record was lost */
    int is_doubtful = record.vouched && !session->on_server && !na_session_is_registered(session);
    record.vouched &= !is_doubtful;
    return is_doubtful || is_due(registry, was, &record, expires, now)
               ? try_to_note(
                     note_use(registry, pool, &session->key, was, &record, client, expires, now))
               : NULL;
}

na_error *na_registry_look(const na_registry *registry, apr_pool_t *pool, const na_store_key *key,
                           na_record *record, int *is_there)
{
    na_found was;
    NA_TRY(na_look_up(registry, pool, key, 1, &was));
    *is_there = was.value.data != NULL;
    return *is_there ? na_record_open(pool, registry->keys, key, was.value, record) : NULL;
}

static na_error *find_record(const na_registry *registry, apr_pool_t *pool, const na_store_key *key,
                             apr_time_t now, na_found *was, na_record *record)
{
    NA_TRY(na_look_up(registry, pool, key, 1, was));
    if (!was->value.data)
        return na_error_new(pool, NA_ERR_SESSION, "unknown session ID");
    NA_TRY(na_record_open(pool, registry->keys, key, was->value, record));
    if (record->ended)
        return ended(registry, pool, key, record, now);
    return record->expires > apr_time_sec(now)
               ? NULL
               : na_error_new(pool, NA_ERR_SESSION, "the session has expired");
}

na_error *na_registry_find(const na_registry *registry, apr_pool_t *pool, const na_store_key *key,
                           const na_client *client, apr_time_t now, na_record *record)
{
    na_found was;
    na_user_record user;
    NA_TRY(find_record(registry, pool, key, now, &was, record));
    if (!record->claims)
        return na_error_new(pool, NA_ERR_SESSION, "the session's claims are in its token");
    NA_TRY(find_user(registry, pool, record->user, &user));
    if (is_before(&user, record->created, key))
        return all_ended(pool);
    return is_due(registry, &was, record, record->expires, now)
               ? try_to_note(
                     note_use(registry, pool, key, &was, record, client, record->expires, now))
               : NULL;
}

na_error *na_registry_extend(const na_registry *registry, apr_pool_t *pool,
                             const na_session *session, const na_client *client,
                             const json_t *claims, int in_token, int is_first, apr_int64_t expires,
                             apr_time_t now)
{
    na_found was;
    na_record record = {.user = na_session_user_name(pool, session),
                        .created = session->auth_time,
                        .in_token = 1};
    NA_TRY(na_look_up(registry, pool, &session->key, 1, &was));
    if (was.value.data)
        NA_TRY(na_record_open(pool, registry->keys, &session->key, was.value, &record));
    else if (session->on_server || na_session_is_registered(session))
        return na_error_new(pool, NA_ERR_SESSION, "unknown session ID");
    if (record.ended)
        return ended(registry, pool, &session->key, &record, now);
    record.claims = claims ? claims : record.claims;
    record.in_token |= in_token;
    record.vouched |= is_first;
    return note_use(registry, pool, &session->key, &was, &record, client, expires, now);
}

/* ── ending ────────────────────────────────────────────────────────────────────────────────── */

static int remove_listing(apr_array_header_t *list, apr_array_header_t *ends, void *data)
{
    int at = na_list_find(list, data);
    if (at >= 0)
        na_list_drop(list, at);
    return at >= 0;
}

/*
 * Returns the registry with the stores from index `from` on. An end is written to each of them,
 * because a new store that is emptied falls back to the contents of the older ones.
 */
static na_registry from_store(const na_registry *registry, int from)
{
    na_registry rest = *registry;
    rest.stores += from;
    rest.store_count -= from;
    if (from)
        rest.observer = NULL; /* reported only once */
    return rest;
}

typedef struct charge {
    apr_int64_t auth_time, now; /* seconds */
    int is_covered;             /* result */
} charge;

/*
 * Bounds what one user can make a store remember: after NA_USER_ENDS_MAX ends within the time that
 * they are remembered, the next one also ends earlier sessions without a record.
 */
static void charge_end(const na_registry *registry, na_user_record *record, void *data)
{
    charge *c = data;
    if (!record->ends || c->now - record->ends_since > registry->remember) {
        record->ends = 0;
        record->ends_since = c->now;
    }
    c->is_covered = record->ends >= NA_USER_ENDS_MAX;
    if (c->is_covered)
        record->unrecorded_before = later(record->unrecorded_before, c->auth_time);
    else
        record->ends++;
}

static na_error *end_in_first(const na_registry *registry, apr_pool_t *pool, const char *user,
                              const na_store_key *key, apr_int64_t auth_time, apr_time_t now)
{
    na_found was;
    na_record record = {.in_token = 1};
    na_store_key without_id;
    charge c = {auth_time, apr_time_sec(now), 0};
    NA_TRY(na_look_up(registry, pool, key, 1, &was));
    if (was.value.data && na_record_open(pool, registry->keys, key, was.value, &record))
        record = (na_record){.in_token = 1};
    if (record.in_token)
        NA_TRY(update_user(registry, pool, user, now, charge_end, &c));
    NA_TRY(bury(registry, pool, user, key, c.is_covered, now));
    na_session_key_without_id(pool, user, auth_time, &without_id);
    if (record.in_token && !c.is_covered) /* tokens from before the session had an ID */
        NA_TRY(bury(registry, pool, user, &without_id, 0, now));
    return update_list(registry, pool, user, now, remove_listing, (void *)key->hash);
}

na_error *na_registry_end(const na_registry *registry, apr_pool_t *pool, const char *user,
                          const na_store_key *key, apr_int64_t auth_time, apr_time_t now)
{
    for (int i = 0; i < registry->store_count; i++) {
        na_registry rest = from_store(registry, i);
        NA_TRY(end_in_first(&rest, pool, user, key, auth_time, now));
    }
    return NULL;
}

typedef struct ending {
    const na_store_key *but;
    apr_int64_t now; /* seconds */
} ending;

/*
 * Removes all sessions but one. The user's record ends them already; their own records go as well,
 * so that no list shows them.
 */
static int end_listings(apr_array_header_t *list, apr_array_header_t *ends, void *data)
{
    const ending *end = data;
    int kept = end->but ? na_list_find(list, end->but->hash) : -1;
    for (int i = list->nelts - 1; i >= 0; i--) {
        if (i == kept)
            continue;
        APR_ARRAY_PUSH(ends, na_listing) = APR_ARRAY_IDX(list, i, na_listing);
        na_list_drop(list, i);
    }
    return ends->nelts > 0;
}

static void end_all(const na_registry *registry, na_user_record *record, void *data)
{
    const ending *end = data;
    record->not_before = later(record->not_before, end->now);
    memset(record->but, 0, sizeof record->but);
    if (end->but)
        memcpy(record->but, end->but->hash, sizeof record->but);
}

na_error *na_registry_end_user(const na_registry *registry, apr_pool_t *pool, const char *user,
                               const na_store_key *but, apr_time_t now)
{
    ending end = {but, apr_time_sec(now)};
    for (int i = 0; i < registry->store_count; i++) {
        na_registry rest = from_store(registry, i);
        NA_TRY(update_list(&rest, pool, user, now, end_listings, &end));
        NA_TRY(update_user(&rest, pool, user, now, end_all, &end));
    }
    return NULL;
}

/* ── listing ───────────────────────────────────────────────────────────────────────────────── */

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
    na_store_key *keys = make_user_keys(registry, pool, NA_KIND_LIST, user, 0, &values);
    NA_TRY(na_look_up(registry, pool, keys, registry->keys->count, values));
    open_lists(registry, pool, keys, values, listings);
    int count = listings->nelts;
    if (!count)
        return NULL;
    NA_TRY(find_user(registry, pool, user, &record));
    keys = apr_palloc(pool, (apr_size_t)count * sizeof *keys);
    values = apr_palloc(pool, (apr_size_t)count * sizeof *values);
    for (int i = 0; i < count; i++)
        keys[i] = session_key(APR_ARRAY_IDX(listings, i, na_listing).hash);
    NA_TRY(na_look_up(registry, pool, keys, count, values));
    for (int i = 0; i < count; i++) {
        na_listed listed = {.key = keys[i]};
        if (values[i].value.data &&
            !na_record_open(pool, registry->keys, &keys[i], values[i].value, &listed.record) &&
            is_live(&listed.record, now) && !is_before(&record, listed.record.created, &keys[i]))
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
        is_live(&record, c->now))
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
    session->key = session_key(hash);
    NA_TRY(na_look_up(registry, pool, &session->key, 1, &was));
    if (!was.value.data ||
        na_record_open(pool, registry->keys, &session->key, was.value, &session->record))
        return NULL; /* missing, or from another site */
    *is_there =
        is_live(&session->record, now) && (!user || strcmp(user, session->record.user) == 0);
    return NULL;
}
