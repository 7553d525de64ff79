/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>
#include <openssl/pem.h>

#include "base/crypto.h"
#include "jose/jwk_material.h"

/* Without one, OpenSSL would ask for the password at the terminal. */
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
