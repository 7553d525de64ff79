/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions about a user, in one transaction. */
#ifndef NA_SQL_DECIDE_H
#define NA_SQL_DECIDE_H

#include "sql/database.h"

/* Implements the adapter's function; `self` is an na_sql. */
na_error *na_sql_decide(void *self, apr_pool_t *pool, na_decision *decision);

#endif
