/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of a user's sessions. */
#ifndef NA_SESSION_LIST_H
#define NA_SESSION_LIST_H

#include "session/record.h"

/*
 * The list of a user's sessions in a store. It is encrypted like every record; its plaintext is:
 *
 *     version    1 byte, 1
 *     sessions   NA_LISTING_LEN bytes each, the oldest first, NA_USER_SESSIONS_MAX at most:
 *         hash   32 bytes, the session's key in the store
 *         until  5 bytes, big-endian: seconds since 1970
 *
 * No session's validity depends on it: ends are in the session's record or the user's. A lost list
 * is filled again as its sessions are used.
 */

/* Most sessions of one user. If there are more, the one that expires first is dropped. */
#define NA_USER_SESSIONS_MAX 100

/*
 * Seconds for which a list contains a session after its end, so that not every renewal changes the
 * list.
 */
#define NA_LIST_MARGIN (24 * 3600)

#define NA_LISTING_LEN (NA_SHA256_LEN + 5)

typedef struct na_listing {
    unsigned char hash[NA_SHA256_LEN];
    apr_int64_t until; /* latest end of the session, in seconds */
} na_listing;

/* Returns the key of the record that a listing names. */
na_store_key na_session_key_of_hash(const unsigned char *hash);

/* Appends the sessions (na_listing) of a list. Appends nothing and fails if the list is invalid. */
na_error *na_list_read(apr_pool_t *pool, na_bytes text, apr_array_header_t *list);

/* Returns the list as stored, with at most NA_USER_SESSIONS_MAX sessions. */
na_bytes na_list_write(apr_pool_t *pool, const apr_array_header_t *list);

na_error *na_list_seal(apr_pool_t *pool, const na_record_keys *keys, const na_store_key *key,
                       const apr_array_header_t *list, na_bytes *sealed);
na_error *na_list_open(apr_pool_t *pool, const na_record_keys *keys, const na_store_key *key,
                       na_bytes sealed, apr_array_header_t *list);

/* Returns how many sessions a value of this many bytes can list. */
int na_list_max(apr_size_t value_max);

/* Returns the index of a session; -1 if the list does not contain it. */
int na_list_find(const apr_array_header_t *list, const unsigned char *hash);

void na_list_drop(apr_array_header_t *list, int at);

/* Drops sessions that ended before `now` (seconds). */
void na_list_drop_expired(apr_array_header_t *list, apr_int64_t now);

/* Returns the index of the session that ends first; the list must not be empty. */
int na_list_first_end(const apr_array_header_t *list);

/* Appends the sessions that `to` lacks. */
void na_list_add_missing(apr_array_header_t *to, const apr_array_header_t *from);

#endif
