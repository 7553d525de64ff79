/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "base/json.h"
#include "jose/jws.h"

/* Key sets, keys and PEM; what is taken as a key must be usable as one. */

static apr_pool_t *pool;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&pool, NULL);
    return 0;
}

static void use_key(const na_jwk *key)
{
    static const char *const algs[] = {"RS256", "PS512", "ES256", "ES384", "ES512",
                                       "EdDSA", "HS256", "HS512", NULL};
    na_jwks set = {&key, 1};
    na_jws jws;
    char *token;
    na_bytes payload = na_bytes_of("{}");
    if ((key->kty == NA_KTY_OCT) != (key->pkey == NULL))
        abort();
    for (const char *const *alg = algs; *alg; alg++)
        if (!na_jws_sign(pool, key, *alg, NULL, payload, &token) &&
            !na_jws_read(pool, token, strlen(token), &jws))
            na_jws_verify(pool, &jws, &set, algs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const na_jwks *set;
    const na_jwk *key;
    json_t *json;
    const char *text = (const char *)data;
    if (!na_jwks_parse(pool, text, size, &set))
        for (int i = 0; i < set->count; i++)
            use_key(set->keys[i]);
    if (!na_json_parse(pool, NA_ERR_SESSION, text, size, &json) && !na_jwk_parse(pool, json, &key))
        use_key(key);
    if (!na_jwk_from_pem(pool, apr_pstrmemdup(pool, text, size), &key))
        use_key(key);
    apr_pool_clear(pool);
    return 0;
}
