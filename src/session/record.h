/* SPDX-License-Identifier: Apache-2.0 */
/* Records of sessions in stores. */
#ifndef NA_SESSION_RECORD_H
#define NA_SESSION_RECORD_H

#include <apr_tables.h>
#include <jansson.h>

#include "jose/jwe_content.h"
#include "store/store.h"

/* What a store keeps. Times in seconds. Text that is not known is "". */

/* Of a session. Its name in the store is its id. */
typedef struct na_record {
    const char *user;    /* as in na_user_name */
    const char *address; /* of the client, when the session was last used */
    const char *device;  /* "Firefox on Linux" */
    apr_int64_t created, used, expires;
    apr_int64_t listed;   /* the user's list has it until then */
    int in_token;         /* a token of it was made: it can be shown without this record */
    int vouched;          /* every token that was made of it says that it has a record */
    int ended;            /* revoked: kept so that a token of it is known to be worthless */
    int stale;            /* opened with an older secret's key: to be sealed anew */
    const json_t *claims; /* Returns NULL if the token carries them */
} na_record;

/*
 * Of a user: who that is, na_user_name says. None is written before the user, or somebody else,
 * ends one of the user's sessions. The list of them is an entry of its own (session/list.h).
 */
typedef struct na_user_record {
    apr_int64_t not_before;           /* sessions that began then or earlier are ended; 0: none */
    unsigned char but[NA_SHA256_LEN]; /* but not this one */
    apr_int64_t unrecorded_before;    /* likewise of those without a record */
    apr_int64_t ends, ends_since;     /* ends that are remembered one by one, and since when */
} na_user_record;

/* Of a store: since when it remembers (session/epoch.h). Times in seconds. */
typedef struct na_epoch {
    apr_int64_t began, written;
    int stale; /* as in na_record */
} na_epoch;

/* The keys that records are sealed with, one a secret: the first seals, all open. Immutable. */
typedef struct na_record_keys {
    const na_content **keys;
    int count;
} na_record_keys;

/*
 * `secrets` are NUL-terminated, the newest first; `site` is whose records they are: of those that
 * another site with the same secret wrote to the same store, none opens.
 */
na_error *na_record_keys_derive(apr_pool_t *pool, const char *const *secrets, int secret_count,
                                const char *site, na_record_keys *keys);

/*
 * What sets users of one secret and site apart from those of another in a store that both use:
 * text, one a secret, in the same order.
 */
na_error *na_record_namespaces_derive(apr_pool_t *pool, const char *const *secrets,
                                      int secret_count, const char *site,
                                      const char *const **namespaces);

/*
 * Sealed with AES-256-GCM, the store's key as additional data: a record that was moved to another
 * key does not open.
 */
na_error *na_record_seal(apr_pool_t *pool, const na_record_keys *keys, const na_store_key *key,
                         const na_record *record, na_bytes *sealed);
na_error *na_record_open(apr_pool_t *pool, const na_record_keys *keys, const na_store_key *key,
                         na_bytes sealed, na_record *record);

/* Bytes that sealing adds. */
#define NA_RECORD_OVERHEAD 29

/* Likewise of what is not JSON. *stale is 1 if an older secret's key opens it. */
na_error *na_record_seal_bytes(apr_pool_t *pool, const na_record_keys *keys,
                               const na_store_key *key, na_bytes plain, na_bytes *sealed);
na_error *na_record_open_bytes(apr_pool_t *pool, const na_record_keys *keys,
                               const na_store_key *key, na_bytes sealed, na_bytes *plain,
                               int *stale);

na_error *na_user_record_seal(apr_pool_t *pool, const na_record_keys *keys, const na_store_key *key,
                              const na_user_record *record, na_bytes *sealed);
na_error *na_user_record_open(apr_pool_t *pool, const na_record_keys *keys, const na_store_key *key,
                              na_bytes sealed, na_user_record *record);

na_error *na_epoch_seal(apr_pool_t *pool, const na_record_keys *keys, const na_store_key *key,
                        const na_epoch *epoch, na_bytes *sealed);
na_error *na_epoch_open(apr_pool_t *pool, const na_record_keys *keys, const na_store_key *key,
                        na_bytes sealed, na_epoch *epoch);

#endif
