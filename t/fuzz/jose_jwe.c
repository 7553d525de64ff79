/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "jose/jwe.h"
#include "jose_parts.h"

/* Tokens with our session keys, and with private keys of both kinds. */

static apr_pool_t *keys_pool, *pool;
static const na_jwe_key *keys[4];
static const na_jwk *private[2];

static const na_jwk *make_private(const char *text)
{
    const na_jwk *key;
    json_t *json = json_loads(text, 0, NULL);
    if (na_jwk_parse(keys_pool, json, &key))
        abort();
    json_decref(json);
    return key;
}

static const na_jwk *make_rsa(void)
{
    const na_jwk *key;
    char *pem;
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
    BIO_write(bio, "", 1);
    BIO_get_mem_data(bio, &pem);
    if (na_jwk_from_pem(keys_pool, pem, &key))
        abort();
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    return key;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const unsigned char secret[64];
    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&keys_pool, NULL);
    apr_pool_create(&pool, NULL);
    for (int i = 0; i < 4; i++)
        if (na_jwe_key_make(keys_pool, i & 1 ? NA_A256CBC_HS512 : NA_A256GCM, secret, i & 2,
                            &keys[i]))
            abort();
    private[0] = make_private("{\"kty\":\"EC\",\"crv\":\"P-256\","
                              "\"x\":\"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ\","
                              "\"y\":\"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck\","
                              "\"d\":\"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw\"}");
    private[1] = make_rsa();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    na_bytes plaintext;
    const char *token = token_of(pool, data, &size);
    na_error *error = na_jwe_open(pool, keys, 4, token, size, &plaintext);
    if (!error && plaintext.data[plaintext.len])
        abort();
    for (int i = 0; i < 2; i++)
        na_jwe_open_private(pool, private[i], token, size, &plaintext);
    apr_pool_clear(pool);
    return 0;
}
