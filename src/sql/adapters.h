/* SPDX-License-Identifier: Apache-2.0 */
/* The adapter for a URL: SQL's, or one in a shared object. */
#ifndef NA_SQL_ADAPTERS_H
#define NA_SQL_ADAPTERS_H

#include "db/adapter.h"

/*
 * Returns the adapter for a URL's scheme. One that is in a shared object is loaded, and stays for
 * as long as the process. If its file is missing, the error's hint names the package.
 */
na_error *na_adapter_of_url(apr_pool_t *pool, const char *url, const na_adapter **adapter);

#endif
