/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log in the database. */
#include "mongodb/records.h"

#include "mongodb/collection.h"
#include "mongodb/value.h"

static void append_given(bson_t *document, const char *field, const char *text)
{
    if (text)
        BSON_APPEND_UTF8(document, field, text);
}

static na_error *insert_record(na_db_use *use, const na_db_record *r)
{
    bson_t *document = na_mongo_own(use, BCON_NEW("_id", BCON_UTF8(r->id), "occurredAt",
                                                  BCON_DATE_TIME(r->occurred_at)));
    append_given(document, "event", r->event);
    append_given(document, "outcome", r->outcome);
    append_given(document, "reason", r->reason);
    append_given(document, "userId", r->user_id);
    append_given(document, "email", r->email);
    append_given(document, "provider", r->provider);
    append_given(document, "actor", r->actor);
    append_given(document, "detail", r->detail);
    append_given(document, "address", r->address);
    append_given(document, "userAgent", r->user_agent);
    append_given(document, "requestId", r->request_id);
    return na_mongo_insert(use, NA_AUDIT, document, NULL);
}

/* A failed insert would end the transaction, so this one is beside it. */
static na_error *insert_beside(na_db_use *use, const na_db_record *record)
{
    na_db_use beside = *use;
    beside.session = NULL;
    return insert_record(&beside, record);
}

na_error *na_mongo_add_record(void *self, apr_pool_t *pool, na_db_use *use, int if_can,
                              const na_db_record *record, int *found)
{
    *found = 1; /* every database that was migrated can have the collection */
    if (use)
        return if_can ? insert_beside(use, record) : insert_record(use, record);
    NA_TRY(na_mongo_write(self, pool, &use));
    return na_mongo_end(use, insert_record(use, record));
}

static na_error *add_to_list(void *records, na_db_use *use, const bson_t *d)
{
    apr_pool_t *pool = use->pool;
    APR_ARRAY_PUSH((apr_array_header_t *)records, na_db_record) =
        (na_db_record){.id = na_value_text(pool, d, "_id"),
                       .occurred_at = na_value_time(d, "occurredAt"),
                       .event = na_value_text(pool, d, "event"),
                       .outcome = na_value_text(pool, d, "outcome"),
                       .reason = na_value_text(pool, d, "reason"),
                       .user_id = na_value_text(pool, d, "userId"),
                       .email = na_value_text(pool, d, "email"),
                       .provider = na_value_text(pool, d, "provider"),
                       .actor = na_value_text(pool, d, "actor"),
                       .detail = na_value_text(pool, d, "detail"),
                       .address = na_value_text(pool, d, "address"),
                       .user_agent = na_value_text(pool, d, "userAgent"),
                       .request_id = na_value_text(pool, d, "requestId")};
    return NULL;
}

static na_error *find_records(na_db_use *use, const char *user_id, int count,
                              apr_array_header_t *records)
{
    const bson_t *filter = na_mongo_own(use, BCON_NEW("userId", BCON_UTF8(user_id)));
    const bson_t *newest =
        na_mongo_own(use, BCON_NEW("sort", "{", "occurredAt", BCON_INT32(-1), "_id", BCON_INT32(1),
                                   "}", "limit", BCON_INT64(count)));
    return na_mongo_find(use, NA_AUDIT, filter, newest, add_to_list, records);
}

na_error *na_mongo_list_records(void *self, apr_pool_t *pool, const char *user_id, int count,
                                apr_array_header_t *records)
{
    na_db_use *use;
    NA_TRY(na_mongo_read(self, pool, &use));
    return na_mongo_end(use, find_records(use, user_id, count, records));
}
