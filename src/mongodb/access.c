/* SPDX-License-Identifier: Apache-2.0 */
/* Roles, password, and revision of each user, in documents of this module. */
#include "mongodb/access.h"

#include <stdlib.h>
#include <string.h>

#include "mongodb/collection.h"
#include "mongodb/value.h"

static const bson_t *own_filter(na_db_use *use, const bson_oid_t *id)
{
    return na_mongo_own(use, BCON_NEW("_id", BCON_OID(id)));
}

/* ── generations ───────────────────────────────────────────────────────────────────────────── */

static const bson_t *generation_filter(na_db_use *use)
{
    return na_mongo_own(use, BCON_NEW("_id", BCON_INT32(1)));
}

na_error *na_mongo_get_generation(na_db_use *use, apr_int64_t *generation)
{
    const bson_t *document;
    NA_TRY(na_mongo_find_one(use, NA_GENERATION, generation_filter(use), NULL, &document));
    *generation = document ? na_value_number(document, "generation") : 0;
    return NULL;
}

na_error *na_mongo_put_generation(na_db_use *use, apr_int64_t generation)
{
    const bson_t *update =
        na_mongo_own(use, BCON_NEW("$set", "{", "generation", BCON_INT64(generation), "}"));
    return na_mongo_put(use, NA_GENERATION, generation_filter(use), update);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* ── reading ───────────────────────────────────────────────────────────────────────────────── */

void na_mongo_take_access(apr_pool_t *pool, const bson_t *document, apr_int64_t generation,
                          na_db_person *person)
{
    person->credential = (na_db_credential){0};
    person->revision = generation;
    person->roles = apr_array_make(pool, 4, sizeof(const char *));
    if (!document)
        return;
    person->credential = (na_db_credential){na_value_text(pool, document, "hash"),
                                            na_value_is_set(document, "disabled"),
                                            na_value_time(document, "changedAt")};
    person->revision += na_value_number(document, "revision");
    na_value_texts(pool, document, "roles", person->roles);
    qsort(person->roles->elts, (size_t)person->roles->nelts, sizeof(const char *), compare_texts);
}

na_error *na_mongo_read_access(na_db_use *use, const bson_oid_t *id, na_db_person *person,
                               apr_int64_t *stored)
{
    const bson_t *document;
    apr_int64_t generation;
    NA_TRY(na_mongo_get_generation(use, &generation));
    NA_TRY(na_mongo_find_one(use, NA_OWN_USERS, own_filter(use, id), NULL, &document));
    na_mongo_take_access(use->pool, document, generation, person);
    *stored = person->revision - generation;
    return NULL;
}

/* ── changing ──────────────────────────────────────────────────────────────────────────────── */

/* The document as it was read: a user of whom nothing is kept has the first revision, too. */
static const bson_t *unchanged_filter(na_db_use *use, const bson_oid_t *id, apr_int64_t stored)
{
    return na_mongo_own(use, stored ? BCON_NEW("_id", BCON_OID(id), "revision", BCON_INT64(stored))
                                    : BCON_NEW("_id", BCON_OID(id), "revision", "{", "$in", "[",
                                               BCON_NULL, BCON_INT64(0), "]", "}"));
}

/* A password that is removed, with all other logins, is removed whether there is one or not. */
static void append_set(bson_t *update, const na_decision *d)
{
    bson_t set;
    int changes_hash = (d->does & (NA_DB_SETS_PASSWORD | NA_DB_ENDS_LOGINS)) != 0;
    int changes_disabled = (d->does & (NA_DB_DISABLES | NA_DB_ENABLES)) != 0;
    if (!changes_hash && !changes_disabled)
        return;
    BSON_APPEND_DOCUMENT_BEGIN(update, "$set", &set);
    if (d->does & NA_DB_SETS_PASSWORD && d->hash)
        BSON_APPEND_UTF8(&set, "hash", d->hash);
    else if (changes_hash)
        BSON_APPEND_NULL(&set, "hash");
    if (changes_hash)
        BSON_APPEND_DATE_TIME(&set, "changedAt",
                              d->now ? d->now : apr_time_as_msec(apr_time_now()));
    if (changes_disabled)
        BSON_APPEND_BOOL(&set, "disabled", (d->does & NA_DB_DISABLES) != 0);
    bson_append_document_end(update, &set);
}

static void append_raise(bson_t *update)
{
    bson_t increments;
    BSON_APPEND_DOCUMENT_BEGIN(update, "$inc", &increments);
    BSON_APPEND_INT64(&increments, "revision", 1);
    bson_append_document_end(update, &increments);
}

static bson_t *list_of(na_db_use *use, const apr_array_header_t *texts)
{
    bson_t *list = na_mongo_own(use, bson_new());
    char buffer[16];
    const char *key;
    for (int i = 0; texts && i < texts->nelts; i++) {
        bson_uint32_to_string((uint32_t)i, &key, buffer, sizeof buffer);
        BSON_APPEND_UTF8(list, key, APR_ARRAY_IDX(texts, i, const char *));
    }
    return list;
}

static void append_grants(na_db_use *use, bson_t *update, const apr_array_header_t *roles)
{
    const bson_t *list = list_of(use, roles);
    if (!bson_empty(list))
        BCON_APPEND(update, "$addToSet", "{", "roles", "{", "$each", BCON_ARRAY(list), "}", "}");
}

/* One update cannot take roles away and add others. */
static na_error *revoke_roles(na_db_use *use, const bson_oid_t *id, const na_decision *decision)
{
    const bson_t *list = list_of(use, decision->revokes);
    const bson_t *update =
        na_mongo_own(use, BCON_NEW("$pullAll", "{", "roles", BCON_ARRAY(list), "}"));
    return bson_empty(list) ? NULL
                            : na_mongo_update(use, NA_OWN_USERS, own_filter(use, id), update, NULL);
}

na_error *na_mongo_change_access(na_db_use *use, const bson_oid_t *id, const na_decision *decision,
                                 apr_int64_t stored, int raises, int *held)
{
    bson_t *update = na_mongo_own(use, bson_new());
    NA_TRY(revoke_roles(use, id, decision));
    append_set(update, decision);
    append_grants(use, update, decision->grants);
    if (raises)
        append_raise(update);
    *held = 1;
    return bson_empty(update) ? NULL
                              : na_mongo_put_if(use, NA_OWN_USERS,
                                                unchanged_filter(use, id, stored), update, held);
}

na_error *na_mongo_change_hash(na_db_use *use, const bson_oid_t *id, const char *was,
                               const char *hash)
{
    const bson_t *filter = na_mongo_own(use, BCON_NEW("_id", BCON_OID(id), "hash", BCON_UTF8(was)));
    const bson_t *update = na_mongo_own(use, BCON_NEW("$set", "{", "hash", BCON_UTF8(hash), "}"));
    return na_mongo_update(use, NA_OWN_USERS, filter, update, NULL);
}
