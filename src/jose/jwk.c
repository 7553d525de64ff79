/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Web Keys. */
#include "jose/jwk.h"

#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"
#include "jose/alg.h"
#include "jose/compact.h"
#include "jose/jwk_material.h"

typedef na_error *material(apr_pool_t *pool, const json_t *json, EVP_PKEY **pkey);

/* The asymmetric types, the member that shows that a key has its own numbers, and its reader. */
static const struct {
    const char *name;
    na_kty kty;
    const char *member;
    material *read;
} types[] = {
    {"RSA", NA_KTY_RSA, "n", na_jwk_rsa},
    {"EC", NA_KTY_EC, "x", na_jwk_ec},
    {"OKP", NA_KTY_OKP, "x", na_jwk_okp},
};

static na_error *copy_string(apr_pool_t *pool, const json_t *json, const char *name,
                             const char **copy)
{
    NA_TRY(na_jose_string(pool, NA_ERR_OAUTH_CALLBACK, json, name, copy));
    *copy = apr_pstrdup(pool, *copy);
    return NULL;
}

/* RFC 7517 section 4.7: the certificate can replace the numbers, but must not contradict them. */
static na_error *read_pkey(apr_pool_t *pool, const json_t *json, const char *member, material *read,
                           EVP_PKEY **pkey)
{
    EVP_PKEY *leaf = NULL;
    *pkey = NULL;
    if (json_object_get(json, "x5c"))
        NA_TRY(na_jwk_x5c(pool, json, &leaf));
    if (!leaf || json_object_get(json, member))
        NA_TRY(read(pool, json, pkey));
    if (leaf && *pkey && EVP_PKEY_eq(leaf, *pkey) != 1)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK,
                            "the key and its certificate in \"x5c\" are not the same");
    if (!*pkey)
        *pkey = leaf;
    return NULL;
}

static na_error *read_asymmetric(apr_pool_t *pool, const json_t *json, size_t type, na_jwk *key)
{
    EVP_PKEY *pkey;
    const char *crv;
    NA_TRY(na_jose_string(pool, NA_ERR_OAUTH_CALLBACK, json, "crv", &crv));
    NA_TRY(read_pkey(pool, json, types[type].member, types[type].read, &pkey));
    NA_TRY(na_pkey_describe(pool, NA_ERR_OAUTH_CALLBACK, pkey, key));
    if (key->kty != types[type].kty || (key->crv && crv && strcmp(key->crv, crv) != 0))
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK,
                            "\"kty\" or \"crv\" is not that of the certificate in \"x5c\"");
    return NULL;
}

static na_error *read_symmetric(apr_pool_t *pool, const json_t *json, na_jwk *key)
{
    key->kty = NA_KTY_OCT;
    NA_TRY(na_jose_bytes(pool, NA_ERR_OAUTH_CALLBACK, json, "k", &key->secret));
    const na_alg *alg = na_alg_find(key->alg ? key->alg : "HS256");
    if (alg && na_alg_secret_too_short(alg, key->secret))
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK,
                            "symmetric key: %" APR_SIZE_T_FMT " bytes are too few for %s",
                            key->secret.len, alg->name);
    return NULL;
}

static na_error *read_material(apr_pool_t *pool, const json_t *json, na_jwk *key)
{
    const char *kty;
    NA_TRY(na_jose_string(pool, NA_ERR_OAUTH_CALLBACK, json, "kty", &kty));
    if (kty && strcmp(kty, "oct") == 0)
        return read_symmetric(pool, json, key);
    for (size_t i = 0; kty && i < sizeof types / sizeof *types; i++)
        if (strcmp(kty, types[i].name) == 0)
            return read_asymmetric(pool, json, i, key);
    return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "a key of an unknown type");
}

/* Returns 1 if `ops` (RFC 7517 section 4.3) is missing or names one of the two. */
static int op_permitted(const json_t *ops, const char *one, const char *other)
{
    size_t i;
    json_t *op;
    json_array_foreach((json_t *)ops, i, op)
    {
        const char *name = json_string_value(op);
        if (name && (strcmp(name, one) == 0 || strcmp(name, other) == 0))
            return 1;
    }
    return ops == NULL;
}

static int use_permitted(const char *use, const char *wanted)
{
    return !use || strcmp(use, wanted) == 0;
}

static na_error *read_permissions(apr_pool_t *pool, const json_t *json, na_jwk *key)
{
    const json_t *ops = json_object_get(json, "key_ops");
    if (ops && !json_is_array(ops))
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "\"key_ops\" is not a list");
    const na_alg *alg = key->alg ? na_alg_find(key->alg) : NULL;
    if (key->alg && (!alg || !na_alg_fits(alg, key)))
        return na_error_new(
            pool, NA_ERR_OAUTH_CALLBACK,
            "the key's \"alg\" %.40s is unknown or does not match its type and curve", key->alg);
    key->can_verify = use_permitted(key->use, "sig") && op_permitted(ops, "verify", "verify") &&
                      (!alg || alg->purpose == NA_ALG_SIGN);
    /* RFC 7518 section 4.6 derives; section 4.3 decrypts or unwraps: keys can name either */
    int agrees = key->kty == NA_KTY_EC && op_permitted(ops, "deriveKey", "deriveBits");
    int unwraps = key->kty == NA_KTY_RSA && op_permitted(ops, "decrypt", "unwrapKey");
    key->can_decrypt = use_permitted(key->use, "enc") && (agrees || unwraps) &&
                       (!alg || alg->purpose == NA_ALG_DECRYPT);
    return NULL;
}

na_error *na_jwk_parse(apr_pool_t *pool, const json_t *json, const na_jwk **key)
{
    na_jwk *made = apr_pcalloc(pool, sizeof *made);
    if (!json_is_object(json))
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "a key that is not a JSON object");
    NA_TRY(copy_string(pool, json, "kid", &made->kid));
    NA_TRY(copy_string(pool, json, "alg", &made->alg));
    NA_TRY(copy_string(pool, json, "use", &made->use));
    NA_TRY(read_material(pool, json, made));
    NA_TRY(read_permissions(pool, json, made));
    *key = made;
    return NULL;
}

const na_jwk *na_jwk_from_secret(apr_pool_t *pool, na_bytes secret)
{
    na_jwk *made = apr_pcalloc(pool, sizeof *made);
    unsigned char *copy = apr_pmemdup(pool, secret.data, secret.len);
    na_wipe_with_pool(pool, copy, secret.len);
    made->kty = NA_KTY_OCT;
    made->can_verify = 1;
    made->secret = (na_bytes){copy, secret.len};
    return made;
}
