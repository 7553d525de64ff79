/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys of authenticators: COSE_Key (RFC 9052 section 7) to libfido2's form. */
#include "webauthn/cose.h"

#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>

#include "webauthn/cbor.h"
#include "webauthn/webauthn.h"

/* Labels and values of RFC 9052 section 7.1 and RFC 9053 section 7; for RSA, RFC 8230 section 4. */
enum {
    LABEL_KTY = 1,
    LABEL_ALG = 3,
    LABEL_CRV = -1,
    LABEL_X = -2,
    LABEL_Y = -3,
    LABEL_N = -1,
    LABEL_E = -2,
    KTY_OKP = 1,
    KTY_EC2 = 2,
    KTY_RSA = 3,
    CRV_P256 = 1,
    CRV_ED25519 = 6
};

#define P256_LEN 32
#define ED25519_LEN 32
#define RSA_LEN 256
#define RSA_E_LEN 3

static int has_number(const na_cbor_item *map, apr_int64_t label, apr_int64_t number)
{
    na_cbor_item item;
    return na_cbor_find_number(map, label, &item) && item.type == NA_CBOR_INTEGER &&
           item.number == number;
}

/* Copies a member that has exactly this length. */
static int copy_bytes(const na_cbor_item *map, apr_int64_t label, unsigned char *out,
                      apr_size_t len)
{
    na_cbor_item item;
    if (!na_cbor_find_number(map, label, &item) || item.type != NA_CBOR_BYTES ||
        item.content.len != len)
        return 0;
    memcpy(out, item.content.data, len);
    return 1;
}

/* OpenSSL decides whether it is a key: a point must be on its curve. */
static int is_key(EVP_PKEY *pkey)
{
    EVP_PKEY_free(pkey);
    return pkey != NULL;
}

static apr_status_t free_es256(void *pk)
{
    es256_pk_free((es256_pk_t **)&pk);
    return APR_SUCCESS;
}

static apr_status_t free_eddsa(void *pk)
{
    eddsa_pk_free((eddsa_pk_t **)&pk);
    return APR_SUCCESS;
}

static apr_status_t free_rs256(void *pk)
{
    rs256_pk_free((rs256_pk_t **)&pk);
    return APR_SUCCESS;
}

static int read_es256(apr_pool_t *pool, const na_cbor_item *map, na_cose_key *key)
{
    unsigned char point[2 * P256_LEN];
    if (!has_number(map, LABEL_KTY, KTY_EC2) || !has_number(map, LABEL_CRV, CRV_P256) ||
        !copy_bytes(map, LABEL_X, point, P256_LEN) ||
        !copy_bytes(map, LABEL_Y, point + P256_LEN, P256_LEN))
        return 0;
    es256_pk_t *pk = es256_pk_new();
    apr_pool_cleanup_register(pool, pk, free_es256, apr_pool_cleanup_null);
    *key = (na_cose_key){COSE_ES256, pk};
    return es256_pk_from_ptr(pk, point, sizeof point) == FIDO_OK &&
           is_key(es256_pk_to_EVP_PKEY(pk));
}

static int read_eddsa(apr_pool_t *pool, const na_cbor_item *map, na_cose_key *key)
{
    unsigned char point[ED25519_LEN];
    if (!has_number(map, LABEL_KTY, KTY_OKP) || !has_number(map, LABEL_CRV, CRV_ED25519) ||
        !copy_bytes(map, LABEL_X, point, ED25519_LEN))
        return 0;
    eddsa_pk_t *pk = eddsa_pk_new();
    apr_pool_cleanup_register(pool, pk, free_eddsa, apr_pool_cleanup_null);
    *key = (na_cose_key){COSE_EDDSA, pk};
    return eddsa_pk_from_ptr(pk, point, sizeof point) == FIDO_OK &&
           is_key(eddsa_pk_to_EVP_PKEY(pk));
}

static int read_rs256(apr_pool_t *pool, const na_cbor_item *map, na_cose_key *key)
{
    unsigned char both[RSA_LEN + RSA_E_LEN];
    if (!has_number(map, LABEL_KTY, KTY_RSA) || !copy_bytes(map, LABEL_N, both, RSA_LEN) ||
        !copy_bytes(map, LABEL_E, both + RSA_LEN, RSA_E_LEN))
        return 0;
    rs256_pk_t *pk = rs256_pk_new();
    apr_pool_cleanup_register(pool, pk, free_rs256, apr_pool_cleanup_null);
    *key = (na_cose_key){COSE_RS256, pk};
    return rs256_pk_from_ptr(pk, both, sizeof both) == FIDO_OK && is_key(rs256_pk_to_EVP_PKEY(pk));
}

na_error *na_cose_key_read(apr_pool_t *pool, na_bytes bytes, na_cose_key *key, na_bytes *rest)
{
    na_cbor_item map;
    if (!na_cbor_read(bytes, &map, rest) || map.type != NA_CBOR_MAP)
        return na_error_new(pool, NA_ERR_WEBAUTHN, "the public key is not a map of CBOR");
    int is_read = has_number(&map, LABEL_ALG, COSE_ES256)   ? read_es256(pool, &map, key)
                  : has_number(&map, LABEL_ALG, COSE_EDDSA) ? read_eddsa(pool, &map, key)
                  : has_number(&map, LABEL_ALG, COSE_RS256) ? read_rs256(pool, &map, key)
                                                            : 0;
    return is_read ? NULL
                   : na_error_new(pool, NA_ERR_WEBAUTHN,
                                  "the public key is not a valid one of ES256, EdDSA, or RS256 "
                                  "with 2048 bits");
}
