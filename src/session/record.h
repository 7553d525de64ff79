/* SPDX-License-Identifier: Apache-2.0 */
/* Records of sessions in stores. */
#ifndef NA_SESSION_RECORD_H
#define NA_SESSION_RECORD_H

#include <apr_tables.h>
#include <jansson.h>

#include "jose/jwe_content.h"
#include "store/store.h"

/*
 * The session at a provider that a session began from: hashes of its own name and of its user's,
 * NULL if it has none (session/provider_session.h).
 */
typedef struct na_provider_names {
    const char *session, *subject;
    apr_int64_t since; /* when the ID token was issued; seconds */
} na_provider_names;

/*
 * The record of a session; its name in the store is the session ID. Times are in seconds; unknown
 * text is "".
 */
typedef struct na_record {
    const char *user;    /* as in na_user_name */
    const char *address; /* IP address of the client at the last use */
    const char *device;  /* "Firefox on Linux" */
    apr_int64_t created, used, expires;
    apr_int64_t listed; /* time until which the user's list contains it */
    int in_token;       /* 1 if a token was issued for it, which can be used without this record */
    int vouched;        /* 1 if every token issued for it has NA_CLAIM_REGISTERED */
    int ended;          /* 1 if revoked; kept so that its tokens are refused */
    int stale; /* 1 if decrypted with an older secret's key, so that it must be encrypted again */
    const json_t *claims; /* NULL if the token has them */
    const json_t *newer;  /* in place of those of tokens with an earlier NA_CLAIM_PROFILE_DUE */
    na_provider_names at_provider;
} na_record;

int na_record_is_live(const na_record *record, apr_time_t now);

/*
 * The record of a user (na_user_name), written when a session of the user is first ended. The list
 * of sessions is a separate entry (session/list.h).
 */
typedef struct na_user_record {
    apr_int64_t not_before;           /* sessions that began then or earlier are ended; 0 if none */
    unsigned char but[NA_SHA256_LEN]; /* key of a session that not_before does not end */
    apr_int64_t unrecorded_before;    /* like not_before, but only for sessions without a record */
    apr_int64_t ends, ends_since;     /* number of ends remembered individually, and since when */
} na_user_record;

/* The record of a store's epoch (session/epoch.h). Times are in seconds. */
typedef struct na_epoch {
    apr_int64_t began, written;
    int stale; /* like in na_record */
} na_epoch;

/* The keys of records, one for each secret: the first encrypts, all decrypt. Immutable. */
typedef struct na_record_keys {
    const na_content **keys;
    int count;
} na_record_keys;

/* Purposes of keys: those of each are different. */
#define NA_KEYS_OF_RECORDS "mod_nextauth session records"
#define NA_KEYS_OF_TOKENS "mod_nextauth kept tokens"

/*
 * Derives keys from `secrets`, NUL-terminated, the newest first. Records of another `site` with the
 * same secret in the same store cannot be decrypted.
 */
na_error *na_record_keys_derive(apr_pool_t *pool, const char *const *secrets, int secret_count,
                                const char *site, const char *purpose, na_record_keys *keys);

/*
 * Writes one text for each secret, in the same order. In a shared store, they separate the users of
 * one secret and site from those of others.
 */
na_error *na_record_namespaces_derive(apr_pool_t *pool, const char *const *secrets,
                                      int secret_count, const char *site,
                                      const char *const **namespaces);

/*
 * Encrypt with AES-256-GCM and decrypt. The store's key is additional data, so that a record that
 * was moved to another key cannot be decrypted.
 */
na_error *na_record_seal(apr_pool_t *pool, const na_record_keys *keys, const na_store_key *key,
                         const na_record *record, na_bytes *sealed);
na_error *na_record_open(apr_pool_t *pool, const na_record_keys *keys, const na_store_key *key,
                         na_bytes sealed, na_record *record);

/* Bytes that encryption adds. */
#define NA_RECORD_OVERHEAD 29

/* Encrypt and decrypt bytes. *stale is 1 if an older secret's key decrypts them. */
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
