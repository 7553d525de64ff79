/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_CTL_CONNECT_H
#define NA_CTL_CONNECT_H

#include "db/database.h"

/*
 * The database that a command works on. `url` is the option's value or NULL: the environment's
 * NEXTAUTH_DATABASE_URL or DATABASE_URL then; "file:PATH" is a file that holds the address and that
 * not everybody can read. `schema` NULL is "authjs". Statements may take ten minutes. What is made
 * lives as long as the pool; errors are NA_ERR_CONFIGURATION, a database that does not answer shows
 * at the first use.
 */
na_error *na_ctl_connect(apr_pool_t *pool, const char *url, const char *schema,
                         const na_db_options **options, na_db **db);

#endif
