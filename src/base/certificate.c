/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates with which this server authenticates as a TLS client. */
#include "base/certificate.h"

#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/crypto.h"
#include "base/text.h"

/* Without this callback, OpenSSL would ask for the password at the terminal. */
static int no_password(char *buffer, int size, int writing, void *data)
{
    return -1;
}

static X509 *read_certificate(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *read = bio ? PEM_read_bio_X509(bio, NULL, no_password, NULL) : NULL;
    BIO_free(bio);
    return read;
}

static EVP_PKEY *read_key(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *read = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    BIO_free(bio);
    return read;
}

static apr_time_t end_of(const X509 *certificate)
{
    int days, seconds;
    if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)) != 1)
        return 0;
    return apr_time_now() + apr_time_from_sec((apr_int64_t)days * 86400 + seconds);
}

na_error *na_certificate_check(apr_pool_t *pool, const na_certificate *certificate,
                               apr_time_t *ends)
{
    X509 *read = read_certificate(certificate->chain);
    EVP_PKEY *key = read_key(certificate->key);
    const char *wrong = !read  ? "the certificate is not in PEM"
                        : !key ? "the private key is not in PEM, or has a passphrase"
                        : X509_check_private_key(read, key) != 1
                            ? "the private key does not belong to the certificate"
                            : NULL;
    *ends = read ? end_of(read) : 0;
    X509_free(read);
    EVP_PKEY_free(key);
    return wrong ? na_error_new(pool, NA_ERR_CONFIGURATION, "%s: %s", wrong, na_openssl_error(pool))
                 : NULL;
}

const char *na_certificate_thumbprint(apr_pool_t *pool, const char *pem)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    X509 *read = read_certificate(pem);
    int is_done = read && X509_digest(read, EVP_sha256(), hash, &len) == 1;
    X509_free(read);
    return is_done ? na_base64url_encode(pool, hash, len) : NULL;
}
