/* SPDX-License-Identifier: Apache-2.0 */
/* Users with everything that decides what they may do. */
#ifndef NA_SQL_PEOPLE_H
#define NA_SQL_PEOPLE_H

#include "sql/database.h"

/* Implement the adapter's functions of the same names; `self` is an na_sql. */
na_error *na_sql_find(void *self, apr_pool_t *pool, const na_db_who *who, na_db_person *person,
                      int *found);
na_error *na_sql_list(void *self, apr_pool_t *pool, const char *last, int count,
                      apr_array_header_t *people);
na_error *na_sql_find_session(void *self, apr_pool_t *pool, const char *token, int role_column,
                              na_db_session *session, na_db_person *person, int *found);

#endif
