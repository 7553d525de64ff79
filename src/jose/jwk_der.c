/* SPDX-License-Identifier: Apache-2.0 */
/* Reads keys from certificates (x5c) and PEM text. */
#include <string.h>

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/crypto.h"
#include "jose/jwk_material.h"
#include "jose/jwk_public.h"

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

static EVP_PKEY *read_private(apr_pool_t *pool, BIO *bio)
{
    return na_pkey_own(pool, bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL);
}

static na_error *check_not_encrypted(apr_pool_t *pool, const char *pem)
{
    return strstr(pem, "ENCRYPTED")
               ? na_error_new(pool, NA_ERR_CONFIGURATION, "private key: the PEM text is encrypted")
               : NULL;
}

static na_error *describe_private(apr_pool_t *pool, EVP_PKEY *pkey, na_jwk **key)
{
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

na_error *na_jwk_from_pem(apr_pool_t *pool, const char *pem, const na_jwk **key)
{
    na_jwk *made;
    NA_TRY(check_not_encrypted(pool, pem));
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *pkey = read_private(pool, bio);
    BIO_free(bio);
    NA_TRY(describe_private(pool, pkey, &made));
    *key = made;
    return NULL;
}

static int count_keys(const char *pem)
{
    int count = 0;
    for (const char *at = pem; (at = strstr(at, "PRIVATE KEY-----")); at++)
        count++;
    return count / 2; /* the first and the last line of each */
}

/* RFC 7515 section 4.1.8: the hash of the certificate in DER. */
static const char *hash_of_certificate(apr_pool_t *pool, const X509 *certificate)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int len;
    return X509_digest(certificate, EVP_sha256(), hash, &len) == 1
               ? na_base64url_encode(pool, hash, len)
               : NULL;
}

/* The first certificate of a key counts. Those of a CA have no key here. */
static void set_certificate(apr_pool_t *pool, const X509 *certificate, na_jwk **keys, int count)
{
    for (int i = 0; i < count; i++)
        if (!keys[i]->x5t && EVP_PKEY_eq(keys[i]->pkey, X509_get0_pubkey(certificate)) == 1)
            keys[i]->x5t = hash_of_certificate(pool, certificate);
}

static void find_certificates(apr_pool_t *pool, const char *pem, na_jwk **keys, int count)
{
    X509 *certificate;
    BIO *bio = BIO_new_mem_buf(pem, -1);
    while (bio && (certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL))) {
        set_certificate(pool, certificate, keys, count);
        X509_free(certificate);
    }
    BIO_free(bio);
    ERR_clear_error();
}

na_error *na_jwks_from_pem(apr_pool_t *pool, const char *pem, const na_jwks **set)
{
    int count = count_keys(pem);
    NA_TRY(check_not_encrypted(pool, pem));
    if (count < 1 || count > NA_PEM_KEYS_MAX)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "%d private keys in PEM: expected 1 to %d",
                            count, NA_PEM_KEYS_MAX);
    na_jwk **keys = apr_pcalloc(pool, (apr_size_t)count * sizeof *keys);
    na_jwks *made = apr_palloc(pool, sizeof *made);
    *made = (na_jwks){(const na_jwk **)keys, count};
    EVP_PKEY **pkeys = apr_pcalloc(pool, (apr_size_t)count * sizeof *pkeys);
    BIO *bio = BIO_new_mem_buf(pem, -1);
    for (int i = 0; i < count; i++)
        pkeys[i] = read_private(pool, bio);
    BIO_free(bio);
    for (int i = 0; i < count; i++) {
        NA_TRY(describe_private(pool, pkeys[i], &keys[i]));
        NA_TRY(na_jwk_thumbprint(pool, keys[i], &keys[i]->kid));
    }
    find_certificates(pool, pem, keys, count);
    *set = made;
    return NULL;
}
