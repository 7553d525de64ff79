/* SPDX-License-Identifier: Apache-2.0 */
/* Records of sessions in stores. */
#include "session/registry.h"

#include <string.h>

#include "base/clock.h"
#include "session/device.h"
#include "session/epoch.h"
#include "session/list.h"
#include "session/provider_session.h"
#include "session/remembered.h"
#include "session/user_entries.h"

/* Attempts to change a record: each failure means that a concurrent change succeeded. */
#define TRIES 50

static apr_int64_t later(apr_int64_t a, apr_int64_t b)
{
    return a > b ? a : b;
}

static const char *text(const char *value)
{
    return value ? value : "";
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
    const na_list list = na_user_list(user);
    NA_TRY(na_user_list_session(registry, pool, &list, key, expires + NA_LIST_MARGIN, now));
    na_error *error = na_user_find(registry, pool, user, &record);
    if (error && !na_is_unavailable(error)) /* a record that cannot be decrypted is replaced */
        error = na_user_update(registry, pool, user, now, read_user, &record);
    NA_TRY(error);
    *auth_time = later(apr_time_sec(now), record.not_before + 1);
    return NULL;
}

na_error *na_registry_record(const na_registry *registry, apr_pool_t *pool, const na_store_key *key,
                             const na_client *client, const na_record *begun, apr_time_t now)
{
    int written;
    na_record record = *begun;
    record.address = text(client->address);
    record.device = na_device(pool, client->user_agent);
    record.used = apr_time_sec(now);
    record.listed = record.expires + NA_LIST_MARGIN;
    record.in_token = !record.claims;
    record.vouched = 1;
    NA_TRY(write_record(registry, pool, key, &record, (na_bytes){0}, &written));
    return na_provider_list_session(registry, pool, &record, key, now);
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
    const na_list list = na_user_list(record->user);
    if (!client->is_passive || !record->used)
        record->used = apr_time_sec(now);
    record->expires = expires;
    record->address = text(client->address);
    record->device = na_device(pool, client->user_agent);
    if (record->expires > record->listed)
        record->listed = record->expires + NA_LIST_MARGIN;
    NA_TRY(write_record(registry, pool, key, record, na_found_in_first(was), &written));
    if (!written)
        return NULL;
    /* if a list cannot be written, a later use does */
    na_user_list_session(registry, pool, &list, key, record->listed, now);
    na_provider_list_session(registry, pool, record, key, now);
    return NULL;
}

/* Ignores an unavailable store: the session is valid even if its use cannot be recorded. */
static na_error *try_to_note(na_error *error)
{
    return na_is_unavailable(error) ? NULL : error;
}

static int is_due(const na_registry *registry, const na_found *was, const na_record *record,
                  const na_client *client, apr_int64_t expires, apr_time_t now)
{
    int is_use_due =
        !client->is_passive && apr_time_sec(now) - record->used >= registry->use_interval;
    return !was->in_first || record->stale || !record->used || is_use_due ||
           expires - record->expires >= registry->use_interval;
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
        record->expires - seconds > NA_END_SHORT)
        NA_TRY(na_end_remember(registry, pool, record->user, key, &record->at_provider,
                               seconds + registry->remember));
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
                            const na_session *session, const na_client *client, apr_time_t now,
                            const json_t **newer)
{
    const char *name = na_session_user_name(pool, session);
    const na_store_key *key = na_session_key(pool, session);
    int users = registry->keys->count;
    na_found *values;
    na_user_record user;
    apr_int64_t epoch;
    na_store_key *keys = na_user_keys(registry, pool, NA_KIND_USER, name, 1 + users, &values);
    keys[users] = *key;
    na_epoch_keys(registry, &keys[users + 1]);
    NA_TRY(na_look_up(registry, pool, keys, 2 * users + 1, values));
    NA_TRY(na_user_open(registry, pool, keys, values, &user));
    NA_TRY(na_epoch_of(registry, pool, &keys[users + 1], &values[users + 1], now, &epoch));
    if (na_user_has_ended(&user, session->auth_time, key))
        return all_ended(pool);
    const na_found *was = &values[users];
    na_record record = {.user = name, .created = session->auth_time, .in_token = 1};
    NA_TRY(was->value.data ? na_record_open(pool, registry->keys, key, was->value, &record)
                           : check_unrecorded(registry, pool, session, &user, epoch));
    if (record.ended)
        return ended(registry, pool, key, &record, now);
    *newer = record.newer;
    if (!session->has_id)
        return NULL;
    apr_int64_t expires = later(record.expires, session->expires);
    /* the token has no such claim: the reply to writing its record was lost */
    int is_doubtful = record.vouched && !session->on_server && !na_session_is_registered(session);
    record.vouched &= !is_doubtful;
    return is_doubtful || is_due(registry, was, &record, client, expires, now)
               ? try_to_note(note_use(registry, pool, key, was, &record, client, expires, now))
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
    NA_TRY(na_user_find(registry, pool, record->user, &user));
    if (na_user_has_ended(&user, record->created, key))
        return all_ended(pool);
    return is_due(registry, &was, record, client, record->expires, now)
               ? try_to_note(
                     note_use(registry, pool, key, &was, record, client, record->expires, now))
               : NULL;
}

na_error *na_registry_replace_claims(const na_registry *registry, apr_pool_t *pool,
                                     const na_session *session, const json_t *claims,
                                     apr_time_t now)
{
    const na_store_key *key = na_session_key(pool, session);
    apr_int64_t due = na_session_profile_due(session);
    for (int i = 0; i < TRIES; i++) {
        na_found was;
        na_record record;
        int written;
        NA_TRY(find_record(registry, pool, key, now, &was, &record));
        if (na_profile_due(record.claims) > due || na_profile_due(record.newer) > due)
            return na_error_new(pool, NA_ERR_BUSY, "other claims replaced those of the session");
        if (record.claims)
            record.claims = claims;
        if (record.in_token)
            record.newer = claims;
        NA_TRY(write_record(registry, pool, key, &record, na_found_in_first(&was), &written));
        if (written)
            return NULL;
    }
    return na_error_new(pool, NA_ERR_BUSY, "too many changes to one session at once");
}

na_error *na_registry_extend(const na_registry *registry, apr_pool_t *pool,
                             const na_session *session, const na_client *client,
                             const json_t *claims, int in_token, int is_first, apr_int64_t expires,
                             apr_time_t now)
{
    const na_store_key *key = na_session_key(pool, session);
    na_found was;
    na_record record = {.user = na_session_user_name(pool, session),
                        .created = session->auth_time,
                        .in_token = 1};
    NA_TRY(na_look_up(registry, pool, key, 1, &was));
    if (was.value.data)
        NA_TRY(na_record_open(pool, registry->keys, key, was.value, &record));
    else if (session->on_server || na_session_is_registered(session))
        return na_error_new(pool, NA_ERR_SESSION, "unknown session ID");
    if (record.ended)
        return ended(registry, pool, key, &record, now);
    if (claims && na_profile_due(claims) >= na_profile_due(record.claims))
        record.claims = claims;
    record.in_token |= in_token;
    record.vouched |= is_first;
    return note_use(registry, pool, key, &was, &record, client, expires, now);
}

/* ── ending ────────────────────────────────────────────────────────────────────────────────── */

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
    const na_list list = na_user_list(user);
    charge c = {auth_time, apr_time_sec(now), 0};
    NA_TRY(na_look_up(registry, pool, key, 1, &was));
    if (was.value.data && na_record_open(pool, registry->keys, key, was.value, &record))
        record = (na_record){.in_token = 1};
    if (record.in_token)
        NA_TRY(na_user_update(registry, pool, user, now, charge_end, &c));
    NA_TRY(na_end_record(registry, pool, user, key, c.is_covered, now));
    na_session_key_without_id(pool, user, auth_time, &without_id);
    if (record.in_token && !c.is_covered) /* tokens from before the session had an ID */
        NA_TRY(na_end_record(registry, pool, user, &without_id, 0, now));
    NA_TRY(na_provider_unlist_session(registry, pool, &record, key, now));
    return na_user_unlist_session(registry, pool, &list, key, now);
}

na_error *na_registry_end(const na_registry *registry, apr_pool_t *pool, const char *user,
                          const na_store_key *key, apr_int64_t auth_time, apr_time_t now)
{
    for (int i = 0; i < registry->store_count; i++) {
        na_registry rest = na_registry_from(registry, i);
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
    const na_list list = na_user_list(user);
    for (int i = 0; i < registry->store_count; i++) {
        na_registry rest = na_registry_from(registry, i);
        NA_TRY(na_user_update_list(&rest, pool, &list, now, end_listings, &end));
        NA_TRY(na_user_update(&rest, pool, user, now, end_all, &end));
    }
    return NULL;
}
