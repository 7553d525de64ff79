/* SPDX-License-Identifier: Apache-2.0 */
/* ECDH-ES: the key that two sides agree on. */
#ifndef NA_JOSE_JWE_AGREE_H
#define NA_JOSE_JWE_AGREE_H

#include "jose/jwe_content.h"
#include "jose/jwk.h"

/*
 * Derives the content key of enc->key_len bytes by ECDH-ES in direct key agreement (RFC 7518
 * section 4.6), from the private key and the header's `epk`, `apu`, and `apv`.
 */
na_error *na_jwe_agree(apr_pool_t *pool, const na_jwk *key, const json_t *header, const na_enc *enc,
                       unsigned char *cek);

#endif
