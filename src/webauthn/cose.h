/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys of authenticators: COSE_Key (RFC 9052 section 7) to libfido2's form. */
#ifndef NA_WEBAUTHN_COSE_H
#define NA_WEBAUTHN_COSE_H

#include "base/error.h"
#include "base/text.h"

typedef struct na_cose_key {
    int alg;        /* COSE_ES256, COSE_EDDSA, or COSE_RS256 of libfido2 */
    const void *pk; /* es256_pk_t, eddsa_pk_t, or rs256_pk_t; freed with the pool */
} na_cose_key;

/*
 * Reads the key with which `bytes` begins; *rest is what follows. Refuses other algorithms, RSA
 * keys of other than 2048 bits, and keys that OpenSSL refuses.
 */
na_error *na_cose_key_read(apr_pool_t *pool, na_bytes bytes, na_cose_key *key, na_bytes *rest);

#endif
