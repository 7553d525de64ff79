/* SPDX-License-Identifier: Apache-2.0 */
/* Locks of names, for changes that no unique index protects. */
#include "mongodb/lock.h"

#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "mongodb/errors.h"

#define PAUSE_MIN apr_time_from_msec(5)
#define PAUSE_MAX apr_time_from_msec(100)

/* Locks are outside of transactions: other clients must see them at once. */
static mongoc_collection_t *locks_of(na_db_use *use)
{
    return mongoc_database_get_collection(use->database, use->settings->collections[NA_LOCKS]);
}

static int has_lock(const na_db_use *use, const char *name)
{
    for (int i = 0; i < use->locks->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(use->locks, i, const char *), name) == 0)
            return 1;
    return 0;
}

/* Names can have addresses of people, and are longer than a key of an index may be. */
static const char *key_of(apr_pool_t *pool, const char *name)
{
    return na_sha256_hex(pool, name, "");
}

static na_error *insert_lock(na_db_use *use, mongoc_collection_t *locks, const char *key,
                             int *is_taken)
{
    bson_error_t error;
    apr_time_t until = apr_time_now() + apr_time_from_sec(NA_LOCK_SECONDS);
    bson_t *lock = BCON_NEW("_id", BCON_UTF8(key), "owner", BCON_UTF8(use->owner), "until",
                            BCON_DATE_TIME(apr_time_as_msec(until)));
    *is_taken = mongoc_collection_insert_one(locks, lock, NULL, NULL, &error);
    bson_destroy(lock);
    return *is_taken || na_mongo_is_duplicate(&error)
               ? NULL
               : na_mongo_failed(use, &error, NULL, "could not lock");
}

static na_error *remove_old_lock(na_db_use *use, mongoc_collection_t *locks, const char *key)
{
    bson_error_t error;
    bson_t *old = BCON_NEW("_id", BCON_UTF8(key), "until", "{", "$lt",
                           BCON_DATE_TIME(apr_time_as_msec(apr_time_now())), "}");
    int removed = mongoc_collection_delete_one(locks, old, NULL, NULL, &error);
    bson_destroy(old);
    return removed ? NULL : na_mongo_failed(use, &error, NULL, "could not remove an old lock");
}

static na_error *wait_for_lock(na_db_use *use, mongoc_collection_t *locks, const char *key)
{
    apr_time_t end = apr_time_now() + apr_time_from_msec(use->options->timeout_ms);
    apr_interval_time_t pause = PAUSE_MIN;
    int is_taken;
    for (;;) {
        NA_TRY(insert_lock(use, locks, key, &is_taken));
        if (is_taken)
            return NULL;
        NA_TRY(remove_old_lock(use, locks, key));
        if (apr_time_now() > end)
            return na_error_new(use->pool, NA_ERR_BUSY, "%s: others are changing the same",
                                use->options->name);
        apr_sleep(pause);
        pause = 2 * pause < PAUSE_MAX ? 2 * pause : PAUSE_MAX;
    }
}

na_error *na_mongo_lock(na_db_use *use, const char *name)
{
    const char *key = key_of(use->home, name);
    if (has_lock(use, key))
        return NULL;
    mongoc_collection_t *locks = locks_of(use);
    na_error *error = wait_for_lock(use, locks, key);
    mongoc_collection_destroy(locks);
    if (!error)
        APR_ARRAY_PUSH(use->locks, const char *) = key;
    return error;
}

/* If that fails, the locks end by themselves. */
void na_mongo_unlock_all(na_db_use *use)
{
    bson_error_t ignored;
    if (!use->locks->nelts)
        return;
    mongoc_collection_t *locks = locks_of(use);
    for (int i = 0; i < use->locks->nelts; i++) {
        bson_t *own = BCON_NEW("_id", BCON_UTF8(APR_ARRAY_IDX(use->locks, i, const char *)),
                               "owner", BCON_UTF8(use->owner));
        mongoc_collection_delete_one(locks, own, NULL, NULL, &ignored);
        bson_destroy(own);
    }
    mongoc_collection_destroy(locks);
    use->locks->nelts = 0;
}
