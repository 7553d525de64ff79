/* SPDX-License-Identifier: Apache-2.0 */
/* The database that a command works on. */
#ifndef NA_CTL_CONNECT_H
#define NA_CTL_CONNECT_H

#include "db/database.h"

/*
 * Opens the database of a command. `given` is the option's value, or NULL for the environment's
 * NEXTAUTH_DATABASE_URL, DATABASE_URL, or MONGODB_URI; "file:PATH" is a file that contains the URL
 * and that only its owner can read. If `schema` is NULL, it is the default. Statements can take ten
 * minutes. Both results live as long as the pool. Errors are NA_ERR_CONFIGURATION; a database that
 * does not answer is noticed at its first use.
 */
na_error *na_ctl_connect(apr_pool_t *pool, const char *given, const char *schema,
                         const na_db_options **options, na_db **db);

#endif
