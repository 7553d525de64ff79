/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_BASE_SECRET_H
#define NA_BASE_SECRET_H

#include <apr_pools.h>

/*
 * What makes a secret guessable, however long it is: a placeholder of somebody's documentation, few
 * different characters, characters that repeat or count up. A phrase for a message, which shows
 * nothing of the secret but the placeholder; NULL where nothing of that kind is seen. A secret of
 * `nextauthctl secret` or `openssl rand` passes.
 */
const char *na_secret_weakness(apr_pool_t *pool, const char *secret);

#endif
