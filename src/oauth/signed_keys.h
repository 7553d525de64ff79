/* SPDX-License-Identifier: Apache-2.0 */
/* Key sets that are signed (OpenID Federation 1.0). */
#ifndef NA_OAUTH_SIGNED_KEYS_H
#define NA_OAUTH_SIGNED_KEYS_H

#include <apr_time.h>

#include "jose/jwk.h"

/* Requirements of a signed key set. */
typedef struct na_signed_keys_check {
    const na_jwks *signers; /* federation entity keys, as configured */
    const char *issuer;
    apr_int64_t now; /* seconds, as for the next */
    long tolerance;
} na_signed_keys_check;

typedef struct na_signed_keys {
    na_jwks set;
    apr_int64_t expires; /* seconds; 0 if never */
} na_signed_keys;

/* Verifies the JWT of a signed_jwks_uri (section 5.2.1) and reads its keys. */
na_error *na_signed_keys_read(apr_pool_t *pool, const na_signed_keys_check *check, na_bytes text,
                              const na_signed_keys **keys);

#endif
