/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes, hashes, comparisons and wiping, all from OpenSSL. */
#include "base/crypto.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

void na_random(void *out, apr_size_t len)
{
    if (RAND_bytes(out, (int)len) != 1)
        abort();
}

/* ── a request's random bytes ──────────────────────────────────────────────────────────────── */

#define SUPPLY_KEY "nextauth random"

/* More than a sign-in uses; the last `left` bytes were drawn and not handed out. */
typedef struct supply {
    unsigned char bytes[256];
    apr_size_t left;
} supply;

void na_random_supply(apr_pool_t *pool)
{
    supply *made = apr_palloc(pool, sizeof *made);
    made->left = 0;
    na_wipe_with_pool(pool, made->bytes, sizeof made->bytes);
    apr_pool_userdata_setn(made, SUPPLY_KEY, NULL, pool);
}

void na_random_from(apr_pool_t *pool, void *out, apr_size_t len)
{
    void *found = NULL;
    apr_pool_userdata_get(&found, SUPPLY_KEY, pool);
    supply *from = found;
    if (!from || len > sizeof from->bytes) {
        na_random(out, len);
        return;
    }
    if (len > from->left) {
        na_random(from->bytes, sizeof from->bytes);
        from->left = sizeof from->bytes;
    }
    unsigned char *next = from->bytes + sizeof from->bytes - from->left;
    memcpy(out, next, len);
    na_wipe(next, len);
    from->left -= len;
}

char *na_random_hex(apr_pool_t *pool, apr_size_t bytes)
{
    unsigned char *data = apr_palloc(pool, bytes);
    na_random_from(pool, data, bytes);
    return na_hex(pool, data, bytes);
}

char *na_random_base64url(apr_pool_t *pool, apr_size_t bytes)
{
    unsigned char *data = apr_palloc(pool, bytes);
    na_random_from(pool, data, bytes);
    return na_base64url_encode(pool, data, bytes);
}

char *na_random_uuid(apr_pool_t *pool)
{
    unsigned char b[16];
    na_random_from(pool, b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    const char *hex = na_hex(pool, b, sizeof b);
    char *uuid = apr_palloc(pool, 37), *p = uuid;
    for (int i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            *p++ = '-';
        *p++ = hex[i];
    }
    *p = '\0';
    return uuid;
}

static EVP_MD *fetched_sha256;

static void fetch_sha256(void)
{
    fetched_sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

/*
 * The algorithm, fetched once and constant then: OpenSSL would search for it by name with each use,
 * which takes as long as hashing a short text.
 */
static const EVP_MD *sha256(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fetch_sha256);
    return fetched_sha256;
}

void na_sha256(unsigned char out[NA_SHA256_LEN], na_bytes first, na_bytes second)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || !EVP_DigestInit_ex(context, sha256(), NULL) ||
        !EVP_DigestUpdate(context, first.data, first.len) ||
        !EVP_DigestUpdate(context, second.data, second.len) ||
        !EVP_DigestFinal_ex(context, out, NULL))
        abort();
    EVP_MD_CTX_free(context);
}

char *na_sha256_hex(apr_pool_t *pool, const char *first, const char *second)
{
    unsigned char hash[NA_SHA256_LEN];
    na_sha256(hash, na_bytes_of(first), na_bytes_of(second));
    return na_hex(pool, hash, sizeof hash);
}

apr_uint64_t na_sha256_word(const char *text)
{
    unsigned char hash[NA_SHA256_LEN];
    apr_uint64_t word;
    na_sha256(hash, na_bytes_of(text), (na_bytes){0});
    memcpy(&word, hash, sizeof word);
    return word ? word : 1;
}

void na_sha1(unsigned char out[NA_SHA1_LEN], na_bytes text)
{
    if (!EVP_Digest(text.data, text.len, out, NULL, EVP_sha1(), NULL))
        abort();
}

void na_hmac_sha256(unsigned char out[NA_SHA256_LEN], na_bytes key, na_bytes text)
{
    if (!HMAC(EVP_sha256(), key.data, (int)key.len, text.data, text.len, out, NULL))
        abort();
}

na_error *na_hkdf_sha256(apr_pool_t *pool, na_bytes secret, na_bytes salt, na_bytes info,
                         unsigned char *out, apr_size_t out_len)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret.data, secret.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt.data, salt.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info.data, info.len),
        OSSL_PARAM_construct_end(),
    };
    int derived = context && EVP_KDF_derive(context, out, out_len, params) == 1;
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    if (!derived)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "HKDF failed: %s", na_openssl_error(pool));
    return NULL;
}

int na_equal_secret(const char *a, const char *b)
{
    if (!a || !b)
        return 0;
    size_t len = strlen(a);
    return len == strlen(b) && CRYPTO_memcmp(a, b, len) == 0;
}

void na_wipe(void *data, apr_size_t len)
{
    explicit_bzero(data, len);
}

typedef struct wiped {
    void *data;
    apr_size_t len;
} wiped;

static apr_status_t wipe_now(void *data)
{
    wiped *w = data;
    na_wipe(w->data, w->len);
    return APR_SUCCESS;
}

void na_wipe_with_pool(apr_pool_t *pool, void *data, apr_size_t len)
{
    wiped *w = apr_palloc(pool, sizeof *w);
    w->data = data;
    w->len = len;
    apr_pool_cleanup_register(pool, w, wipe_now, apr_pool_cleanup_null);
}

const char *na_openssl_error(apr_pool_t *pool)
{
    char text[256];
    unsigned long code = ERR_get_error();
    ERR_clear_error();
    if (!code)
        return "no reason given";
    ERR_error_string_n(code, text, sizeof text);
    return apr_pstrdup(pool, text);
}

void na_crypto_release_thread(void)
{
    OPENSSL_thread_stop();
}
