/* SPDX-License-Identifier: Apache-2.0 */
/* Compact serialization: its parts, and the members of a header. */
#ifndef NA_JOSE_COMPACT_H
#define NA_JOSE_COMPACT_H

#include <jansson.h>

#include "base/error.h"
#include "base/text.h"

/*
 * What JWS and JWE have in common: the compact serialization and its header. `code` is the public
 * code of errors.
 */

/*
 * Splits the token at its dots. Returns 0 unless there are exactly `count` parts; a part can be
 * empty.
 */
int na_compact_split(const char *token, apr_size_t len, na_bytes *parts, int count);

/* Decodes one part into the pool; `what` names it in the error. */
na_error *na_compact_decode(apr_pool_t *pool, const char *code, const char *what, na_bytes part,
                            na_bytes *decoded);

/*
 * Reads the protected header as an object. Refuses `crit`, `zip`, and `b64`: ignoring any of them
 * would give the rest of the token another meaning.
 */
na_error *na_jose_header(apr_pool_t *pool, const char *code, na_bytes part, const json_t **header);

/* Copies a string member into the pool, NULL if it is missing; any other type is an error. */
na_error *na_jose_string(apr_pool_t *pool, const char *code, const json_t *object, const char *name,
                         const char **value);

/* Decodes a member that is base64url text; `data` is NULL if it is missing. Wiped with the pool. */
na_error *na_jose_bytes(apr_pool_t *pool, const char *code, const json_t *object, const char *name,
                        na_bytes *value);

#endif
