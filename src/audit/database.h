/* SPDX-License-Identifier: Apache-2.0 */
/* Writes audit records to table nextauth_audit. */
#ifndef NA_AUDIT_DATABASE_H
#define NA_AUDIT_DATABASE_H

#include "audit/record.h"
#include "db/database.h"

/*
 * Writes a record, as a part of the decision that is being recorded (`use`), or by itself (NULL).
 * With `if_can`, the decision is still valid if that fails. Fails if the database has no audit log.
 */
na_error *na_audit_insert(const na_db *db, apr_pool_t *pool, na_db_use *use, int if_can,
                          const na_audit_fields *fields);

/* Writes a record if the database has an audit log; *found is 0 otherwise. */
na_error *na_audit_insert_if_there(const na_db *db, apr_pool_t *pool, na_db_use *use,
                                   const na_audit_fields *fields, int *found);

#endif
