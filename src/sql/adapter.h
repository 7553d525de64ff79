/* SPDX-License-Identifier: Apache-2.0 */
/* The adapter for PostgreSQL, MySQL and SQLite. */
#ifndef NA_SQL_ADAPTER_H
#define NA_SQL_ADAPTER_H

#include "db/adapter.h"

extern const na_adapter na_sql_adapter;

#endif
