/* SPDX-License-Identifier: Apache-2.0 */
/* Writes audit records to table nextauth_audit. */
#include "audit/database.h"

#include <apr_strings.h>

#include "base/crypto.h"

static na_error *insert_row(na_db_use *use, const na_audit_fields *f)
{
    apr_pool_t *pool = na_db_pool(use);
    const char *arguments[] = {na_random_uuid(pool),
                               apr_psprintf(pool, "%" APR_INT64_T_FMT, apr_time_as_msec(f->when)),
                               f->event,
                               f->outcome,
                               f->reason,
                               f->user,
                               f->email,
                               f->provider,
                               f->actor,
                               f->detail,
                               f->address,
                               f->user_agent,
                               f->request_id};
    return na_db_change(use, NA_SQL_ADD_AUDIT, sizeof arguments / sizeof *arguments, arguments,
                        NULL);
}

na_error *na_audit_insert_if_there(na_db_use *use, const na_audit_fields *fields, int *found)
{
    NA_TRY(na_db_has_table(use, "nextauth_audit", found));
    return *found ? insert_row(use, fields) : NULL;
}

na_error *na_audit_insert(na_db_use *use, const na_audit_fields *fields)
{
    int found;
    NA_TRY(na_audit_insert_if_there(use, fields, &found));
    return found ? NULL
                 : na_error_new(na_db_pool(use), NA_ERR_CONFIGURATION,
                                "table nextauth_audit does not exist: run nextauthctl migrate");
}

static na_error *run_insert(void *fields, na_db_use *use)
{
    return na_audit_insert(use, fields);
}

na_error *na_audit_try_insert(na_db_use *use, const na_audit_fields *fields)
{
    return na_db_try(use, run_insert, (void *)fields);
}

na_error *na_audit_insert_alone(na_db *db, apr_pool_t *pool, const na_audit_fields *fields)
{
    return na_db_transact(db, pool, run_insert, (void *)fields);
}
