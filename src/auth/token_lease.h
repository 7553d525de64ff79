/* SPDX-License-Identifier: Apache-2.0 */
/* The lease of a session's kept tokens: one request of all servers asks the provider. */
#ifndef NA_AUTH_TOKEN_LEASE_H
#define NA_AUTH_TOKEN_LEASE_H

#include "auth/kept_tokens.h"

/*
 * The request that asks the provider takes a lease in the entry, by compare-and-swap. Providers
 * that rotate refresh tokens take a second use of one for theft, so that two renewals at once would
 * cost the user the session. The lease ends by itself if its holder dies.
 */
typedef struct na_token_lease {
    na_request *request;
    const na_registry *registry;
    const na_store_key *session;
    na_token_entry entry;
    na_kept_tokens kept; /* what the entry has */
    const char *holder;  /* random text of the holder; NULL if it is not this request */
} na_token_lease;

/* Milliseconds between two looks at an entry that another request changes. */
#define NA_LEASE_PAUSE_MS 100

/* Begins without looking at the entry. Returns 0 if no tokens are kept. */
int na_lease_begin(na_request *request, const na_session *session, na_token_lease *lease);

/* Looks at the entry: lease->entry.json is NULL if there is none. */
na_error *na_lease_look(na_token_lease *lease);

/* Returns a time in the entry; 0 if it has none of that name. */
apr_int64_t na_lease_seconds(const na_token_lease *lease, const char *name);

/* Returns 1 if a request holds the lease. */
int na_lease_is_held(const na_token_lease *lease);

/* Takes the lease; *is_taken is 0 if the entry changed since it was looked at. */
na_error *na_lease_take(na_token_lease *lease, int *is_taken);

/* Returns the provider of the tokens; NULL if it is no longer configured. */
const na_provider *na_lease_provider(const na_token_lease *lease);

/* A change of an entry; it can be applied more than once. */
typedef void na_lease_change(json_t *entry, const void *data);

/* Whether the holder keeps the lease after a change, for another one. */
typedef enum na_lease_then { NA_LEASE_GIVE_BACK, NA_LEASE_KEEP } na_lease_then;

/*
 * Writes what the holder learned, whatever else changes the entry meanwhile. If `is_precious`, it
 * is lost otherwise, so that an outage of the store is waited for. *is_written is 0 if the session
 * or the lease ended.
 */
na_error *na_lease_settle(na_token_lease *lease, na_lease_then then, na_lease_change *change,
                          const void *data, int is_precious, int *is_written);

#endif
