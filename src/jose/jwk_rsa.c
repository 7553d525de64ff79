/* SPDX-License-Identifier: Apache-2.0 */
/* RSA keys of JWKs. */
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "base/crypto.h"
#include "jose/compact.h"
#include "jose/jwk_material.h"

/* RFC 7518 section 6.3. A key with `d` alone is legal; with `p` it must have the others, too. */
typedef struct rsa_number {
    const char *member;
    const char *param;
} rsa_number;

static const rsa_number public_numbers[] = {
    {"n", OSSL_PKEY_PARAM_RSA_N},
    {"e", OSSL_PKEY_PARAM_RSA_E},
};
static const rsa_number private_exponent = {"d", OSSL_PKEY_PARAM_RSA_D};
static const rsa_number crt_numbers[] = {
    {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},       {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},
    {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},    {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2},
    {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
};

/* 8192 bits, and the leading zero that some writers add */
#define NUMBER_MAX 1025

static na_error *read_number(apr_pool_t *pool, const json_t *json, const rsa_number *number,
                             OSSL_PARAM *param)
{
    na_bytes big_endian;
    NA_TRY(na_jose_bytes(pool, NA_ERR_OAUTH_CALLBACK, json, number->member, &big_endian));
    if (!big_endian.len || big_endian.len > NUMBER_MAX)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "RSA key: \"%s\" is %s", number->member,
                            big_endian.len ? "too long" : "missing");
    *param = na_pkey_number(pool, number->param, big_endian);
    return NULL;
}

static na_error *read_numbers(apr_pool_t *pool, const json_t *json, const rsa_number *numbers,
                              size_t count, OSSL_PARAM **next)
{
    for (size_t i = 0; i < count; i++)
        NA_TRY(read_number(pool, json, &numbers[i], (*next)++));
    return NULL;
}

na_error *na_jwk_rsa(apr_pool_t *pool, const json_t *json, EVP_PKEY **pkey)
{
    OSSL_PARAM params[9], *next = params;
    if (json_object_get(json, "oth"))
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "RSA key: more than two primes");
    NA_TRY(read_numbers(pool, json, public_numbers, 2, &next));
    if (json_object_get(json, "d"))
        NA_TRY(read_numbers(pool, json, &private_exponent, 1, &next));
    if (json_object_get(json, "d") && json_object_get(json, "p"))
        NA_TRY(read_numbers(pool, json, crt_numbers, 5, &next));
    *next = OSSL_PARAM_construct_end();

    *pkey = na_pkey_build(pool, "RSA", params);
    if (!*pkey)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "RSA key: %s", na_openssl_error(pool));
    return NULL;
}
