/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords that are known from breaches. */
#ifndef NA_PASSWORD_BREACHED_H
#define NA_PASSWORD_BREACHED_H

#include "base/http.h"

/*
 * Passwords that became known by breaches, asked of a service by range: it is sent the first five
 * hex digits of the password's SHA-1, and answers with the rest of every hash that begins so, one
 * "REST:COUNT" a line. So it does not learn the password, nor whether it was found. A count of 0 is
 * padding.
 */

/* Whether an answer has the password: `rest` are the 35 digits of its hash in capitals. */
int na_breached_in(na_bytes answer, const char *rest);

/* Asks `url`, to which the five digits are added. */
na_error *na_breached_ask(na_http *http, apr_pool_t *pool, const char *url, const char *password,
                          int *found);

#endif
