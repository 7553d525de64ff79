/* SPDX-License-Identifier: Apache-2.0 */
/* Passkeys, as Auth.js names and stores them. */
#include "mongodb/authenticators.h"

#include "mongodb/collection.h"
#include "mongodb/users.h"
#include "mongodb/value.h"

static const bson_t *credential_filter(na_db_use *use, const char *credential_id)
{
    return na_mongo_own(use, BCON_NEW("credentialID", BCON_UTF8(credential_id)));
}

na_error *na_mongo_create_authenticator(na_db_use *use, const bson_oid_t *user,
                                        const na_db_authenticator *a)
{
    bson_oid_t id;
    na_mongo_new_id(&id);
    bson_t *document =
        na_mongo_own(use,
                     BCON_NEW("_id", BCON_OID(&id), "credentialID", BCON_UTF8(a->credential_id),
                              "userId", BCON_OID(user), "providerAccountId",
                              BCON_UTF8(a->provider_account_id), "credentialPublicKey",
                              BCON_UTF8(a->public_key), "counter", BCON_INT64(a->counter),
                              "credentialDeviceType", BCON_UTF8(a->device_type),
                              "credentialBackedUp", BCON_BOOL(a->backed_up != 0)));
    if (a->transports)
        BSON_APPEND_UTF8(document, "transports", a->transports);
    return na_mongo_insert(use, NA_AUTHENTICATORS, document, NULL);
}

na_error *na_mongo_delete_authenticator(na_db_use *use, const bson_oid_t *user,
                                        const char *credential_id)
{
    bson_t *filter = na_mongo_own(use, bson_copy(credential_filter(use, credential_id)));
    BSON_APPEND_OID(filter, "userId", user);
    return na_mongo_delete_all(use, NA_AUTHENTICATORS, filter, NULL);
}

static na_db_authenticator read_authenticator(apr_pool_t *pool, const bson_t *d)
{
    return (na_db_authenticator){.credential_id = na_value_text(pool, d, "credentialID"),
                                 .user_id = na_value_oid(pool, d, "userId"),
                                 .provider_account_id = na_value_text(pool, d, "providerAccountId"),
                                 .public_key = na_value_text(pool, d, "credentialPublicKey"),
                                 .counter = na_value_number(d, "counter"),
                                 .device_type = na_value_text(pool, d, "credentialDeviceType"),
                                 .transports = na_value_text(pool, d, "transports"),
                                 .backed_up = na_value_is_set(d, "credentialBackedUp")};
}

static int is_whole(const na_db_authenticator *a)
{
    return a->credential_id && a->user_id && a->public_key;
}

static na_error *get_authenticator(na_db_use *use, const char *credential_id,
                                   na_db_authenticator *authenticator, int *found)
{
    const bson_t *document;
    NA_TRY(na_mongo_find_one(use, NA_AUTHENTICATORS, credential_filter(use, credential_id), NULL,
                             &document));
    if (document)
        *authenticator = read_authenticator(use->pool, document);
    *found = document && is_whole(authenticator);
    return NULL;
}

na_error *na_mongo_find_authenticator(void *self, apr_pool_t *pool, const char *credential_id,
                                      na_db_authenticator *authenticator, int *found)
{
    na_db_use *use;
    NA_TRY(na_mongo_read_current(self, pool, &use));
    return na_mongo_end(use, get_authenticator(use, credential_id, authenticator, found));
}

static na_error *add_to_list(void *list, na_db_use *use, const bson_t *document)
{
    na_db_authenticator authenticator = read_authenticator(use->pool, document);
    if (is_whole(&authenticator))
        APR_ARRAY_PUSH((apr_array_header_t *)list, na_db_authenticator) = authenticator;
    return NULL;
}

na_error *na_mongo_list_authenticators(void *self, apr_pool_t *pool, const char *user_id,
                                       apr_array_header_t *list)
{
    na_db_use *use;
    bson_oid_t user;
    if (!na_oid_parse(user_id, &user))
        return NULL;
    NA_TRY(na_mongo_read_current(self, pool, &use));
    const bson_t *filter = na_mongo_own(use, BCON_NEW("userId", BCON_OID(&user)));
    return na_mongo_end(use,
                        na_mongo_find(use, NA_AUTHENTICATORS, filter, NULL, add_to_list, list));
}

na_error *na_mongo_update_counter(void *self, apr_pool_t *pool, const char *credential_id,
                                  apr_int64_t counter)
{
    na_db_use *use;
    NA_TRY(na_mongo_write(self, pool, &use));
    const bson_t *update =
        na_mongo_own(use, BCON_NEW("$set", "{", "counter", BCON_INT64(counter), "}"));
    return na_mongo_end(use, na_mongo_update(use, NA_AUTHENTICATORS,
                                             credential_filter(use, credential_id), update, NULL));
}
