/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_AUDIT_DATABASE_H
#define NA_AUDIT_DATABASE_H

#include "audit/record.h"
#include "db/database.h"

/* Puts a record into table nextauth_audit, in a use that writes: it goes on where there is none. */
na_error *na_audit_insert(na_db_use *use, const na_audit_fields *fields);

/* The same where the use goes on without the record if that fails. */
na_error *na_audit_try_insert(na_db_use *use, const na_audit_fields *fields);

/* The same in a transaction of its own: what a sink of the database does. */
na_error *na_audit_insert_alone(na_db *db, apr_pool_t *pool, const na_audit_fields *fields);

/* The same where there is such a table; *found is 0 otherwise. */
na_error *na_audit_insert_if_there(na_db_use *use, const na_audit_fields *fields, int *found);

#endif
