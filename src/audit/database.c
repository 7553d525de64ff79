/* SPDX-License-Identifier: Apache-2.0 */
/* Writes audit records to table nextauth_audit. */
#include "audit/database.h"

#include "base/crypto.h"

static na_db_record record_of(apr_pool_t *pool, const na_audit_fields *f)
{
    return (na_db_record){.id = na_random_uuid(pool),
                          .occurred_at = apr_time_as_msec(f->when),
                          .event = f->event,
                          .outcome = f->outcome,
                          .reason = f->reason,
                          .user_id = f->user,
                          .email = f->email,
                          .provider = f->provider,
                          .actor = f->actor,
                          .detail = f->detail,
                          .address = f->address,
                          .user_agent = f->user_agent,
                          .request_id = f->request_id};
}

na_error *na_audit_insert_if_there(const na_db *db, apr_pool_t *pool, na_db_use *use,
                                   const na_audit_fields *fields, int *found)
{
    const na_db_record record = record_of(pool, fields);
    return na_db_add_record(db, pool, use, 0, &record, found);
}

na_error *na_audit_insert(const na_db *db, apr_pool_t *pool, na_db_use *use, int if_can,
                          const na_audit_fields *fields)
{
    const na_db_record record = record_of(pool, fields);
    int found;
    NA_TRY(na_db_add_record(db, pool, use, if_can, &record, &found));
    return found ? NULL
                 : na_error_new(pool, NA_ERR_CONFIGURATION,
                                "table nextauth_audit does not exist: run nextauthctl migrate");
}
