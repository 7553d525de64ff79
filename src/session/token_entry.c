/* SPDX-License-Identifier: Apache-2.0 */
/* The entry of a session in the stores that has a provider's tokens, beside its record. */
#include "session/token_entry.h"

#include <string.h>

#include "base/crypto.h"
#include "base/json.h"

/* Attempts to change an entry: each failure means that a concurrent change succeeded. */
#define TRIES 50

/* Seconds for which a removal is remembered: longer than a renewal of tokens can take. */
#define REMEMBERED 300

/*
 * Members of the entry that this file reads. Names have one or two letters, because shared memory
 * is small.
 */
#define EXPIRES "e"
#define MOVED_TO "to" /* in place of all others: the hash of the entry that has the tokens */
#define ENDED "over"  /* in place of all others: the session ended */

/* Some stores have no kinds, so the hash differs from that of the session's record. */
static na_store_key key_of(apr_pool_t *pool, const na_store_key *session)
{
    na_store_key key;
    na_store_key_make(&key, NA_KIND_TOKENS, na_hex(pool, session->hash, sizeof session->hash));
    return key;
}

static na_error *seal_entry(const na_registry *registry, apr_pool_t *pool, const na_store_key *key,
                            const json_t *json, na_bytes *value)
{
    const char *text = na_json_dump(pool, json);
    na_wipe_with_pool(pool, (char *)text, strlen(text));
    return na_record_seal_bytes(pool, registry->token_keys, key, na_bytes_of(text), value);
}

/* Ignores an entry that cannot be decrypted, such as one of a secret that is gone. */
static void open_entry(const na_registry *registry, apr_pool_t *pool, na_token_entry *entry)
{
    na_bytes text;
    int stale;
    json_int_t expires = 0;
    entry->json = NULL;
    entry->expires = 0;
    if (!entry->was.value.data || na_record_open_bytes(pool, registry->token_keys, &entry->key,
                                                       entry->was.value, &text, &stale))
        return;
    na_wipe_with_pool(pool, (unsigned char *)(apr_uintptr_t)text.data, text.len);
    if (na_json_parse_sealed(pool, NA_ERR_SESSION, text, &entry->json))
        entry->json = NULL;
    na_json_number(entry->json, EXPIRES, &expires);
    entry->expires = expires;
}

static na_error *find_at(const na_registry *registry, apr_pool_t *pool, na_token_entry *entry)
{
    NA_TRY(na_look_up(registry, pool, &entry->key, 1, &entry->was));
    open_entry(registry, pool, entry);
    return NULL;
}

/* Returns 0 if the entry has not moved; otherwise sets the key of the session that has it now. */
static int follow(apr_pool_t *pool, na_token_entry *entry)
{
    const char *hash = na_json_string(entry->json, MOVED_TO);
    return hash && na_hex_decode_to(entry->key.hash, sizeof entry->key.hash, hash, strlen(hash));
}

na_error *na_token_entry_find(const na_registry *registry, apr_pool_t *pool,
                              const na_store_key *session, na_token_entry *entry)
{
    int moves = 0;
    entry->key = key_of(pool, session);
    do
        NA_TRY(find_at(registry, pool, entry));
    while (follow(pool, entry) && ++moves < TRIES);
    if (json_object_get(entry->json, ENDED) || json_object_get(entry->json, MOVED_TO))
        entry->json = NULL;
    return NULL;
}

na_error *na_token_entry_write(const na_registry *registry, apr_pool_t *pool, na_token_entry *entry,
                               int *written)
{
    na_bytes value;
    json_object_set_new(entry->json, EXPIRES, json_integer(entry->expires));
    NA_TRY(seal_entry(registry, pool, &entry->key, entry->json, &value));
    NA_TRY(na_store_swap(registry->stores[0], pool, &entry->key, na_found_in_first(&entry->was),
                         value, apr_time_from_sec(entry->expires), written));
    if (*written)
        entry->was = (na_found){value, 1};
    return NULL;
}

na_error *na_token_entry_add(const na_registry *registry, apr_pool_t *pool,
                             const na_store_key *session, json_t *json, apr_int64_t expires)
{
    na_bytes value;
    const na_store_key key = key_of(pool, session);
    json_object_set_new(json, EXPIRES, json_integer(expires));
    NA_TRY(seal_entry(registry, pool, &key, json, &value));
    return na_store_put(registry->stores[0], pool, &key, value, apr_time_from_sec(expires));
}

na_error *na_token_entry_extend(const na_registry *registry, apr_pool_t *pool,
                                const na_store_key *session, apr_int64_t expires)
{
    for (int i = 0; i < TRIES; i++) {
        na_token_entry entry;
        int written;
        NA_TRY(na_token_entry_find(registry, pool, session, &entry));
        if (!entry.json || (entry.was.in_first && expires - entry.expires < registry->use_interval))
            return NULL;
        entry.expires = expires;
        NA_TRY(na_token_entry_write(registry, pool, &entry, &written));
        if (written)
            return NULL;
    }
    return na_error_new(pool, NA_ERR_BUSY, "too many changes to one session's tokens at once");
}

/* Replaces what was found by a note in its place. */
static na_error *leave_note(const na_registry *registry, apr_pool_t *pool,
                            const na_token_entry *entry, json_t *note, apr_int64_t expires,
                            int *written)
{
    na_token_entry noted = *entry;
    noted.json = na_json_own(pool, note);
    noted.expires = expires;
    return na_token_entry_write(registry, pool, &noted, written);
}

na_error *na_token_entry_move(const na_registry *registry, apr_pool_t *pool,
                              const na_store_key *session, const na_store_key *replacement)
{
    const na_store_key there = key_of(pool, replacement);
    const char *to = na_hex(pool, there.hash, sizeof there.hash);
    for (int i = 0; i < TRIES; i++) {
        na_token_entry entry;
        int written;
        NA_TRY(na_token_entry_find(registry, pool, session, &entry));
        if (!entry.json)
            return NULL;
        NA_TRY(na_token_entry_add(registry, pool, replacement, entry.json, entry.expires));
        NA_TRY(leave_note(registry, pool, &entry, json_pack("{s:s}", MOVED_TO, to), entry.expires,
                          &written));
        if (written)
            return NULL;
    }
    return na_error_new(pool, NA_ERR_BUSY, "too many changes to one session's tokens at once");
}

na_error *na_token_entry_remove(const na_registry *registry, apr_pool_t *pool,
                                const na_store_key *session, apr_time_t now)
{
    for (int i = 0; i < TRIES; i++) {
        na_token_entry entry = {.key = key_of(pool, session)};
        int written;
        NA_TRY(find_at(registry, pool, &entry));
        if (!entry.was.value.data || json_object_get(entry.json, ENDED) ||
            json_object_get(entry.json, MOVED_TO))
            return NULL;
        NA_TRY(leave_note(registry, pool, &entry, json_pack("{s:b}", ENDED, 1),
                          apr_time_sec(now) + REMEMBERED, &written));
        if (written)
            return NULL;
    }
    return na_error_new(pool, NA_ERR_BUSY, "too many changes to one session's tokens at once");
}
