/* SPDX-License-Identifier: Apache-2.0 */
/* Reads keys from certificates (x5c) and PEM text. */
#include <string.h>

#include <apr_strings.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/crypto.h"
#include "jose/jwk_material.h"

/* RFC 7517 section 4.7: standard base64 of DER, with padding. Returns -1 for any other text. */
static int decode_base64(apr_pool_t *pool, const char *text, unsigned char **der)
{
    size_t len = strlen(text);
    if (!len || len % 4 || len > 64 * 1024)
        return -1;
    *der = apr_palloc(pool, len / 4 * 3);
    int decoded = EVP_DecodeBlock(*der, (const unsigned char *)text, (int)len);
    if (decoded < 0)
        return -1;
    return decoded - (text[len - 1] == '=') - (text[len - 2] == '=');
}

na_error *na_jwk_x5c(apr_pool_t *pool, const json_t *json, EVP_PKEY **pkey)
{
    const char *text = json_string_value(json_array_get(json_object_get(json, "x5c"), 0));
    unsigned char *der;
    int len = text ? decode_base64(pool, text, &der) : -1;
    if (len <= 0)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "\"x5c\" is not a list of base64 texts");
    const unsigned char *end = der;
    X509 *certificate = d2i_X509(NULL, &end, len);
    *pkey = na_pkey_own(pool, certificate ? X509_get_pubkey(certificate) : NULL);
    X509_free(certificate);
    if (!*pkey)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "\"x5c\": %s", na_openssl_error(pool));
    if (end != der + len)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK,
                            "\"x5c\": unexpected bytes after the certificate");
    return NULL;
}

/* Without this callback, OpenSSL would ask for the password at the terminal. */
static int no_password(char *buffer, int size, int writing, void *data)
{
    return -1;
}

na_error *na_jwk_from_pem(apr_pool_t *pool, const char *pem, const na_jwk **key)
{
    if (strstr(pem, "ENCRYPTED"))
        return na_error_new(pool, NA_ERR_CONFIGURATION, "private key: the PEM text is encrypted");
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *pkey =
        na_pkey_own(pool, bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL);
    BIO_free(bio);
    if (!pkey)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "private key: not PEM: %s",
                            na_openssl_error(pool));
    na_jwk *made = apr_pcalloc(pool, sizeof *made);
    NA_TRY(na_pkey_describe(pool, NA_ERR_CONFIGURATION, pkey, made));
    made->can_verify = 1;
    made->can_decrypt = made->kty != NA_KTY_OKP;
    *key = made;
    return NULL;
}
