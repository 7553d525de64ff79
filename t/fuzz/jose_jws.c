/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>

#include "jose/jws.h"
#include "jose_parts.h"

/* Tokens against a symmetric key, an RSA, an EC and an Ed25519 key (RFC 7515, 8037: examples). */

static apr_pool_t *keys_pool, *pool;
static const na_jwks *public, *symmetric;

static const char public_text[] =
    "{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_"
    "wWJcyQoTbji"
    "9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2"
    "jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVM"
    "TBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9"
    "gb54h4FRWyuXpoQ\"},"
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},"
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char oct[] =
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"
        "aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}]}";
    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&keys_pool, NULL);
    apr_pool_create(&pool, NULL);
    if (na_jwks_parse(keys_pool, public_text, strlen(public_text), &public) ||
        na_jwks_parse(keys_pool, oct, strlen(oct), &symmetric) || public->count != 3)
        abort();
    return 0;
}

static void verify(const char *token, size_t size, const na_jwks *set)
{
    static const char *const algs[] = {"RS256", "PS256", "ES256", "EdDSA", "HS256", NULL};
    na_jws jws;
    na_error *error = na_jws_read(pool, token, size, &jws);
    if (!error)
        error = na_jws_verify(pool, &jws, set, algs);
    if (error && jws.payload.data)
        abort();
    if (!error && (jws.payload.data[jws.payload.len] || !na_jws_has_key(&jws, set)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *token = token_of(pool, data, &size);
    verify(token, size, public);
    verify(token, size, symmetric);
    apr_pool_clear(pool);
    return 0;
}
