/* SPDX-License-Identifier: Apache-2.0 */
/* Claims of sessions, parsed within bounds. */
#ifndef NA_SESSION_CLAIMS_H
#define NA_SESSION_CLAIMS_H

#include <apr_tables.h>
#include <apr_time.h>

#include "base/error.h"
#include "base/text.h"

/* A claim as text. An array has one entry for each element, an object for each member ("a.b"). */
typedef struct na_claim {
    const char *name;
    const char *value;
    int is_element; /* 1 for an element of an array */
} na_claim;

/* The claims of a token; times in seconds, 0 if none. */
typedef struct na_claims {
    apr_array_header_t *list; /* na_claim */
    na_bytes strings;         /* memory that has the names and values; empty if it is not one */
    apr_int64_t exp, nbf, iat, auth_time;
    int too_many; /* 1 if there are more than NA_CLAIMS_MAX */
} na_claims;

/*
 * Most values in the claims of a session. A session with more is refused, because a rule that sees
 * an incomplete list would admit users that it must keep out.
 */
#define NA_CLAIMS_MAX 1024

/* Most bytes of a new session's claims as JSON, wherever they are kept. */
#define NA_CLAIMS_BYTES_MAX 65536

/*
 * Parses the JSON of a decrypted token, NUL-terminated. Most tokens are one flat object without
 * white space or escapes, as JSON.stringify writes it. Those are parsed in place, in a tenth of the
 * time of a JSON library, which would be three fifths of the cost of a new token. All others are
 * parsed by the library.
 */
na_error *na_claims_read(apr_pool_t *pool, na_bytes text, na_claims *claims);

/* The two parsers, for comparison. The first returns 0 if it does not support the text. */
int na_claims_read_plain(apr_pool_t *pool, na_bytes text, na_claims *claims);
na_error *na_claims_read_json(apr_pool_t *pool, na_bytes text, na_claims *claims);

/* Returns the text of a claim that is neither an array nor an object; NULL if there is none. */
const char *na_claims_text(const na_claims *claims, const char *name);

/* Checks exp and nbf. A token without exp is refused, because it would never expire. */
na_error *na_claims_check_times(apr_pool_t *pool, const na_claims *claims, apr_time_t now);

#endif
