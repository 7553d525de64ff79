/* SPDX-License-Identifier: Apache-2.0 */
/* The entry of a session in the stores that has a provider's tokens, beside its record. */
#ifndef NA_SESSION_TOKEN_ENTRY_H
#define NA_SESSION_TOKEN_ENTRY_H

#include "session/lookup.h"

#define NA_KIND_TOKENS "tokens"

/* An entry as it was found. Every change is a swap against what was found. */
typedef struct na_token_entry {
    na_store_key key;    /* of the session that has it now */
    na_found was;        /* sealed */
    json_t *json;        /* NULL if there are no tokens: never kept, or the session ended */
    apr_int64_t expires; /* seconds */
} na_token_entry;

/*
 * Finds the entry of the session with this key of its record. If the session was replaced by
 * another one of the same sign-in, its tokens are now with that.
 */
na_error *na_token_entry_find(const na_registry *registry, apr_pool_t *pool,
                              const na_store_key *session, na_token_entry *entry);

/*
 * Writes entry->json until entry->expires. *written is 0 if the entry was changed since it was
 * found, or if the session ended.
 */
na_error *na_token_entry_write(const na_registry *registry, apr_pool_t *pool, na_token_entry *entry,
                               int *written);

/* Writes the entry of a session that is about to begin. */
na_error *na_token_entry_add(const na_registry *registry, apr_pool_t *pool,
                             const na_store_key *session, json_t *json, apr_int64_t expires);

/* Keeps the entry, if there is one, until a time in seconds. */
na_error *na_token_entry_extend(const na_registry *registry, apr_pool_t *pool,
                                const na_store_key *session, apr_int64_t expires);

/* Moves the entry to the session that replaces this one. */
na_error *na_token_entry_move(const na_registry *registry, apr_pool_t *pool,
                              const na_store_key *session, const na_store_key *replacement);

/* Removes the entry. A later write of one that was found before does not bring it back. */
na_error *na_token_entry_remove(const na_registry *registry, apr_pool_t *pool,
                                const na_store_key *session, apr_time_t now);

#endif
