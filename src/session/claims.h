/* SPDX-License-Identifier: Apache-2.0 */
/* Claims of sessions, read and bounded. */
#ifndef NA_SESSION_CLAIMS_H
#define NA_SESSION_CLAIMS_H

#include <apr_tables.h>
#include <apr_time.h>

#include "base/error.h"
#include "base/text.h"

/* A claim as text. An array gives one entry an element, an object one a member ("name.member"). */
typedef struct na_claim {
    const char *name;
    const char *value;
    int is_element; /* of an array */
} na_claim;

/* The claims of a token; times in seconds, 0 if none. */
typedef struct na_claims {
    apr_array_header_t *list; /* na_claim */
    apr_int64_t exp, nbf, iat, auth_time;
    int too_many; /* there are more than NA_CLAIMS_MAX */
} na_claims;

/*
 * Values of claims that a session may have. One that has more is refused: a rule over a list of
 * which a part is missing would let in whom it is to keep out.
 */
#define NA_CLAIMS_MAX 1024

/* Bytes of JSON that a session may begin with, wherever its claims are kept. */
#define NA_CLAIMS_BYTES_MAX 65536

/*
 * Reads the JSON of a sealed token, NUL-terminated. Most tokens are one flat object without white
 * space or escapes, as JSON.stringify writes it; that is read in place, in a tenth of the time that
 * a JSON library takes, which would be three fifths of the cost of a token seen for the first time.
 * All others are the library's.
 */
na_error *na_claims_read(apr_pool_t *pool, na_bytes text, na_claims *claims);

/* The two ways, for comparing them. The first returns 0 if the text is none of its kind. */
int na_claims_read_plain(apr_pool_t *pool, na_bytes text, na_claims *claims);
na_error *na_claims_read_json(apr_pool_t *pool, na_bytes text, na_claims *claims);

/* Checks exp and nbf. A token without exp would never end: refused. */
na_error *na_claims_check_times(apr_pool_t *pool, const na_claims *claims, apr_time_t now);

#endif
