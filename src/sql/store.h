/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a table of the database. */
#ifndef NA_SQL_STORE_H
#define NA_SQL_STORE_H

#include "sql/database.h"
#include "store/store.h"

/* Implements a store in the table nextauth_store; the functions' `self` is an na_sql. */
extern const na_store_driver na_sql_store;

#endif
