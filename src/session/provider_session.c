/* SPDX-License-Identifier: Apache-2.0 */
/* Which sessions began from a session at a provider, so that they can end together. */
#include "session/provider_session.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "session/list.h"
#include "session/user_entries.h"

/* Bytes of a hash: names come from providers, which cannot choose those of other ones. */
#define NAME_BYTES 16

/*
 * Seconds for which an end is remembered: longer than a sign-in takes after the provider issued its
 * ID token, with a second factor as well.
 */
#define ENDED_SECONDS 3600

/* Attempts to change an entry: each failure means that a concurrent change succeeded. */
#define TRIES 50

/* Longest text of a time. */
#define TIME_LEN_MAX 20

/* No part has a line break: IDs of providers and issuers are checked, and the last part can. */
static const char *name_of(apr_pool_t *pool, const na_provider_session *session, const char *what,
                           const char *value)
{
    unsigned char hash[NA_SHA256_LEN];
    if (!value)
        return NULL;
    na_sha256(hash,
              na_bytes_of(apr_pstrcat(pool, what, "\n", session->provider, "\n", session->issuer,
                                      "\n", value, NULL)),
              (na_bytes){0});
    return na_base64url_encode(pool, hash, NAME_BYTES);
}

na_provider_names na_provider_names_of(apr_pool_t *pool, const na_provider_session *session)
{
    return (na_provider_names){name_of(pool, session, "sid", session->id),
                               name_of(pool, session, "sub", session->subject), session->since};
}

/* ── the lists ─────────────────────────────────────────────────────────────────────────────── */

static na_list list_of(const char *name, const char *user)
{
    return (na_list){NA_KIND_PROVIDER_LIST, name, user};
}

na_error *na_provider_list_session(const na_registry *registry, apr_pool_t *pool,
                                   const na_record *record, const na_store_key *key, apr_time_t now)
{
    const char *const names[] = {record->at_provider.session, record->at_provider.subject};
    for (int i = 0; i < 2; i++) {
        const na_list list = list_of(names[i], record->user);
        if (names[i])
            NA_TRY(na_user_list_session(registry, pool, &list, key, record->listed, now));
    }
    return NULL;
}

na_error *na_provider_unlist_session(const na_registry *registry, apr_pool_t *pool,
                                     const na_record *record, const na_store_key *key,
                                     apr_time_t now)
{
    const char *const names[] = {record->at_provider.session, record->at_provider.subject};
    for (int i = 0; i < 2; i++) {
        const na_list list = list_of(names[i], record->user);
        if (names[i])
            NA_TRY(na_user_unlist_session(registry, pool, &list, key, now));
    }
    return NULL;
}

/* ── ends ──────────────────────────────────────────────────────────────────────────────────── */

/* Fails closed: an entry that cannot be decrypted was tampered with. */
static na_error *read_end(const na_registry *registry, apr_pool_t *pool, const na_store_key *key,
                          na_bytes value, apr_int64_t *ended)
{
    na_bytes text;
    int stale;
    NA_TRY(na_record_open_bytes(pool, registry->keys, key, value, &text, &stale));
    *ended = apr_atoi64(apr_pstrmemdup(pool, (const char *)text.data,
                                       text.len < TIME_LEN_MAX ? text.len : TIME_LEN_MAX));
    return NULL;
}

static na_error *check_name(const na_registry *registry, apr_pool_t *pool, const char *name,
                            apr_int64_t since)
{
    na_found *values;
    int count = registry->keys->count;
    na_store_key *keys = na_user_keys(registry, pool, NA_KIND_PROVIDER_ENDED, name, 0, &values);
    NA_TRY(na_look_up(registry, pool, keys, count, values));
    for (int i = 0; i < count; i++) {
        apr_int64_t ended;
        if (!values[i].value.data)
            continue;
        NA_TRY(read_end(registry, pool, &keys[i], values[i].value, &ended));
        if (since <= ended)
            return na_error_new(pool, NA_ERR_ACCESS_DENIED,
                                "the session at the provider ended while this one began");
    }
    return NULL;
}

na_error *na_provider_check_alive(const na_registry *registry, apr_pool_t *pool,
                                  const na_provider_names *names)
{
    if (names->session)
        NA_TRY(check_name(registry, pool, names->session, names->since));
    return names->subject ? check_name(registry, pool, names->subject, names->since) : NULL;
}

/* Messages can arrive in any order: an earlier end does not replace a later one, which covers it.
 */
static na_error *remember_in(const na_registry *registry, apr_pool_t *pool, const na_store_key *key,
                             apr_int64_t since, apr_time_t until)
{
    const na_store *store = registry->stores[0];
    const char *text = apr_psprintf(pool, "%" APR_INT64_T_FMT, since);
    na_bytes value, there;
    NA_TRY(na_record_seal_bytes(pool, registry->keys, key, na_bytes_of(text), &value));
    for (int i = 0; i < TRIES; i++) {
        int swapped;
        apr_int64_t before;
        NA_TRY(na_store_get(store, pool, key, 1, &there));
        if (there.data && !read_end(registry, pool, key, there, &before) && before >= since)
            return NULL;
        NA_TRY(na_store_swap(store, pool, key, there, value, until, &swapped));
        if (swapped)
            return NULL;
    }
    return na_error_new(pool, NA_ERR_BUSY, "too many changes to one session at once");
}

/* The end of one session says nothing about the user's others, so one name is remembered. */
na_error *na_provider_remember_end(const na_registry *registry, apr_pool_t *pool,
                                   const na_provider_names *names, apr_time_t now)
{
    const char *name = names->session ? names->session : names->subject;
    apr_time_t until = now + apr_time_from_sec(ENDED_SECONDS);
    for (int i = 0; i < registry->store_count; i++) {
        na_registry rest = na_registry_from(registry, i);
        na_found *values;
        na_store_key *keys = na_user_keys(&rest, pool, NA_KIND_PROVIDER_ENDED, name, 0, &values);
        NA_TRY(remember_in(&rest, pool, &keys[0], names->since, until));
    }
    return NULL;
}

/* ── the sessions that began from it ───────────────────────────────────────────────────────── */

/* Every store is read: servers move to another store one after the other. */
static na_error *read_lists(const na_registry *registry, apr_pool_t *pool, const char *name,
                            apr_array_header_t *listings)
{
    for (int i = 0; i < registry->store_count; i++) {
        na_registry rest = na_registry_from(registry, i);
        na_found *values;
        apr_array_header_t *list = apr_array_make(pool, 8, sizeof(na_listing));
        na_store_key *keys = na_user_keys(&rest, pool, NA_KIND_PROVIDER_LIST, name, 0, &values);
        NA_TRY(na_look_up(&rest, pool, keys, rest.keys->count, values));
        na_user_open_lists(&rest, pool, keys, values, list);
        na_list_add_missing(listings, list);
    }
    return NULL;
}

/* A record that cannot be decrypted is that of no session: no lookup accepts it. */
static na_error *add_sessions(const na_registry *registry, apr_pool_t *pool, const char *name,
                              int only_unnamed, apr_time_t now, apr_array_header_t *sessions)
{
    apr_array_header_t *listings = apr_array_make(pool, 8, sizeof(na_listing));
    NA_TRY(read_lists(registry, pool, name, listings));
    for (int i = 0; i < listings->nelts; i++) {
        na_begun begun;
        na_found was;
        begun.key = na_session_key_of_hash(APR_ARRAY_IDX(listings, i, na_listing).hash);
        NA_TRY(na_look_up(registry, pool, &begun.key, 1, &was));
        if (was.value.data &&
            !na_record_open(pool, registry->keys, &begun.key, was.value, &begun.record) &&
            na_record_is_live(&begun.record, now) &&
            !(only_unnamed && begun.record.at_provider.session))
            APR_ARRAY_PUSH(sessions, na_begun) = begun;
    }
    return NULL;
}

na_error *na_provider_sessions(const na_registry *registry, apr_pool_t *pool,
                               const na_provider_names *names, apr_time_t now,
                               apr_array_header_t *sessions)
{
    if (names->session)
        NA_TRY(add_sessions(registry, pool, names->session, 0, now, sessions));
    return names->subject
               ? add_sessions(registry, pool, names->subject, names->session != NULL, now, sessions)
               : NULL;
}
