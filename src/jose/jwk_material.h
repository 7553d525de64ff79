/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's keys from JWKs. Each `pkey` belongs to the pool. */
#ifndef NA_JOSE_JWK_MATERIAL_H
#define NA_JOSE_JWK_MATERIAL_H

#include <openssl/params.h>

#include "jose/jwk.h"

na_error *na_jwk_rsa(apr_pool_t *pool, const json_t *json, EVP_PKEY **pkey);
na_error *na_jwk_ec(apr_pool_t *pool, const json_t *json, EVP_PKEY **pkey);
na_error *na_jwk_okp(apr_pool_t *pool, const json_t *json, EVP_PKEY **pkey);

/* Reads the public key of the first certificate in `x5c`. */
na_error *na_jwk_x5c(apr_pool_t *pool, const json_t *json, EVP_PKEY **pkey);

/* Transfers `pkey` to the pool, which frees it. Returns `pkey`, which can be NULL. */
EVP_PKEY *na_pkey_own(apr_pool_t *pool, EVP_PKEY *pkey);

/* Returns a number of a JWK (big endian) as a parameter; its bytes are wiped with the pool. */
OSSL_PARAM na_pkey_number(apr_pool_t *pool, const char *name, na_bytes big_endian);

/* Returns NULL if OpenSSL refuses. */
EVP_PKEY *na_pkey_build(apr_pool_t *pool, const char *type, OSSL_PARAM *params);

/*
 * Sets type, curve, and `pkey` of `key`, and refuses weak or unsupported keys from any source: JWK,
 * certificate, or PEM.
 */
na_error *na_pkey_describe(apr_pool_t *pool, const char *code, EVP_PKEY *pkey, na_jwk *key);

#endif
