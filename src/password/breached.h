/* SPDX-License-Identifier: Apache-2.0 */
/* Looks up new passwords in a service of breached passwords. */
#ifndef NA_PASSWORD_BREACHED_H
#define NA_PASSWORD_BREACHED_H

#include "base/http.h"

/*
 * The service is queried by range: it receives the first five hex digits of the password's SHA-1,
 * and returns the rest of every hash that begins with them, one "REST:COUNT" a line. It learns
 * neither the password nor whether it was found. A count of 0 is padding.
 */

/* Returns 1 if an answer has the password; `rest` is the 35 last digits of its hash, in capitals.
 */
int na_breached_in(na_bytes answer, const char *rest);

/* Queries `url`, to which the five digits are appended; sets *found to 1 if it has the password. */
na_error *na_breached_ask(na_http *http, apr_pool_t *pool, const char *url, const char *password,
                          int *found);

#endif
