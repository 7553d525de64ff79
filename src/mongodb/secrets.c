/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of users: second factors, remembered browsers, and access tokens. */
#include "mongodb/secrets.h"

#include "mongodb/collection.h"
#include "mongodb/users.h"
#include "mongodb/value.h"

static const bson_t *secret_filter(na_db_use *use, const char *kind, const char *id)
{
    return na_mongo_own(use, BCON_NEW("_id", BCON_UTF8(id), "kind", BCON_UTF8(kind)));
}

static void append_given(bson_t *document, const char *field, const char *text)
{
    if (text)
        BSON_APPEND_UTF8(document, field, text);
}

static void append_time(bson_t *document, const char *field, apr_int64_t milliseconds)
{
    if (milliseconds)
        BSON_APPEND_DATE_TIME(document, field, milliseconds);
}

na_error *na_mongo_create_secret(na_db_use *use, const bson_oid_t *user, const na_db_secret *secret)
{
    bson_t *document = na_mongo_own(use, bson_new());
    append_given(document, "_id", secret->id);
    BSON_APPEND_OID(document, "userId", user);
    append_given(document, "kind", secret->kind);
    append_given(document, "name", secret->name);
    append_given(document, "sealed", secret->sealed);
    append_given(document, "scope", secret->scope);
    BSON_APPEND_INT64(document, "counter", secret->counter);
    append_time(document, "createdAt", secret->created_at);
    append_time(document, "usedAt", secret->used_at);
    append_time(document, "expires", secret->expires_at);
    return na_mongo_insert(use, NA_SECRETS, document, NULL);
}

static na_db_secret read_secret(apr_pool_t *pool, const bson_t *d)
{
    return (na_db_secret){.id = na_value_text(pool, d, "_id"),
                          .user_id = na_value_oid(pool, d, "userId"),
                          .kind = na_value_text(pool, d, "kind"),
                          .name = na_value_text(pool, d, "name"),
                          .sealed = na_value_text(pool, d, "sealed"),
                          .scope = na_value_text(pool, d, "scope"),
                          .counter = na_value_number(d, "counter"),
                          .created_at = na_value_time(d, "createdAt"),
                          .used_at = na_value_time(d, "usedAt"),
                          .expires_at = na_value_time(d, "expires")};
}

static int is_whole(const na_db_secret *secret)
{
    return secret->id && secret->user_id && secret->kind;
}

/* ── within a decision ─────────────────────────────────────────────────────────────────────── */

static const bson_t *spendable(na_db_use *use, const bson_oid_t *user, const na_db_secret *spent)
{
    return na_mongo_own(use, BCON_NEW("_id", BCON_UTF8(spent->id), "userId", BCON_OID(user), "kind",
                                      BCON_UTF8(spent->kind), "counter", "{", "$lt",
                                      BCON_INT64(spent->counter), "}", "$or", "[", "{", "expires",
                                      BCON_NULL, "}", "{", "expires", "{", "$gt",
                                      BCON_DATE_TIME(spent->used_at), "}", "}", "]"));
}

na_error *na_mongo_can_spend_secret(na_db_use *use, const bson_oid_t *user,
                                    const na_db_secret *spent, int *holds)
{
    const bson_t *document;
    NA_TRY(na_mongo_find_one(use, NA_SECRETS, spendable(use, user, spent), NULL, &document));
    *holds = document != NULL;
    return NULL;
}

na_error *na_mongo_spend_secret(na_db_use *use, const bson_oid_t *user, const na_db_secret *spent,
                                int *holds)
{
    const bson_t *update =
        na_mongo_own(use, BCON_NEW("$set", "{", "counter", BCON_INT64(spent->counter), "usedAt",
                                   BCON_DATE_TIME(spent->used_at), "}"));
    return na_mongo_update(use, NA_SECRETS, spendable(use, user, spent), update, holds);
}

na_error *na_mongo_delete_secrets(na_db_use *use, const bson_oid_t *user, const char *kind,
                                  const char *id)
{
    bson_t *filter = BCON_NEW("userId", BCON_OID(user), "kind", BCON_UTF8(kind));
    append_given(filter, "_id", id);
    return na_mongo_delete_all(use, NA_SECRETS, na_mongo_own(use, filter), NULL);
}

/* ── operations ────────────────────────────────────────────────────────────────────────────── */

static na_error *get_secret(na_db_use *use, const char *kind, const char *id, na_db_secret *secret,
                            int *found)
{
    const bson_t *document;
    NA_TRY(na_mongo_find_one(use, NA_SECRETS, secret_filter(use, kind, id), NULL, &document));
    if (document)
        *secret = read_secret(use->pool, document);
    *found = document && is_whole(secret);
    return NULL;
}

na_error *na_mongo_find_secret(void *self, apr_pool_t *pool, const char *kind, const char *id,
                               na_db_secret *secret, int *found)
{
    na_db_use *use;
    NA_TRY(na_mongo_read_current(self, pool, &use));
    return na_mongo_end(use, get_secret(use, kind, id, secret, found));
}

static na_error *add_to_list(void *secrets, na_db_use *use, const bson_t *document)
{
    na_db_secret secret = read_secret(use->pool, document);
    if (is_whole(&secret))
        APR_ARRAY_PUSH((apr_array_header_t *)secrets, na_db_secret) = secret;
    return NULL;
}

static na_error *list_secrets(na_db_use *use, const bson_oid_t *user, const char *kind,
                              apr_array_header_t *secrets)
{
    bson_t *filter = na_mongo_own(use, BCON_NEW("userId", BCON_OID(user)));
    const bson_t *newest_first =
        na_mongo_own(use,
                     BCON_NEW("sort", "{", "createdAt", BCON_INT32(-1), "_id", BCON_INT32(1), "}"));
    append_given(filter, "kind", kind);
    return na_mongo_find(use, NA_SECRETS, filter, newest_first, add_to_list, secrets);
}

na_error *na_mongo_list_secrets(void *self, apr_pool_t *pool, const char *user_id, const char *kind,
                                apr_array_header_t *secrets)
{
    na_db_use *use;
    bson_oid_t user;
    if (!na_oid_parse(user_id, &user))
        return NULL;
    NA_TRY(na_mongo_read_current(self, pool, &use));
    return na_mongo_end(use, list_secrets(use, &user, kind, secrets));
}

na_error *na_mongo_use_secret(void *self, apr_pool_t *pool, const char *kind, const char *id,
                              apr_int64_t used_at)
{
    na_db_use *use;
    NA_TRY(na_mongo_write(self, pool, &use));
    const bson_t *update =
        na_mongo_own(use, BCON_NEW("$set", "{", "usedAt", BCON_DATE_TIME(used_at), "}"));
    return na_mongo_end(use, na_mongo_update(use, NA_SECRETS, secret_filter(use, kind, id), update,
                                             NULL));
}
