/* SPDX-License-Identifier: Apache-2.0 */
/* Writes audit records to table nextauth_audit. */
#ifndef NA_AUDIT_DATABASE_H
#define NA_AUDIT_DATABASE_H

#include "audit/record.h"
#include "sql/database.h"

/* Inserts a record in a use that writes. If there is no such table, the use is still valid. */
na_error *na_audit_insert(na_db_use *use, const na_audit_fields *fields);

/* Inserts a record such that the use is still valid if that fails. */
na_error *na_audit_try_insert(na_db_use *use, const na_audit_fields *fields);

/* Inserts a record in a transaction of its own. */
na_error *na_audit_insert_alone(na_db *db, apr_pool_t *pool, const na_audit_fields *fields);

/* Inserts a record if the table exists; *found is 0 otherwise. */
na_error *na_audit_insert_if_there(na_db_use *use, const na_audit_fields *fields, int *found);

#endif
