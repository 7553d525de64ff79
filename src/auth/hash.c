/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/hash.h"

#include <string.h>

#include <crypt.h>

#include <apr_md5.h>
#include <apr_strings.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "auth/password.h"
#include "base/crypto.h"
#include "base/text.h"

/* A cost of 16 is four seconds: no one page may take longer, whatever somebody imported. */
#define BCRYPT_COST_MAX 16
#define SALT_LEN 16

/* Argon2id as OWASP recommends it, in KiB, passes and lanes; and what is put up with from others.
 */
#define MEMORY 19456
#define PASSES 2
#define LANES 1
#define MEMORY_MAX (256 * 1024)
#define PASSES_MAX 16
#define LANES_MAX 16
#define ARGON2_PREFIX "$argon2id$"
#define ARGON2_HASH_LEN 32

/* Base64 of a salt or a hash: 64 bytes. */
#define BASE64_MAX 86

typedef struct argon2 {
    apr_uint32_t memory, passes, lanes;
    unsigned char salt[NA_BASE64URL_DECODED_MAX(BASE64_MAX)];
    unsigned char hash[NA_BASE64URL_DECODED_MAX(BASE64_MAX)];
    apr_size_t salt_len, hash_len;
} argon2;

static const struct {
    const char *name;
    int cost_min, cost, cost_max;
} kinds[] = {[NA_HASH_BCRYPT] = {"bcrypt", 10, 12, BCRYPT_COST_MAX},
             [NA_HASH_YESCRYPT] = {"yescrypt", 5, 5, 11},
             [NA_HASH_ARGON2ID] = {"argon2id", 0, 0, 0}};

/* ── hashes as text ────────────────────────────────────────────────────────────────────────── */

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The cost of a bcrypt hash; 0 where it is none. $2a$ and $2b$ are what other programs write. */
static int bcrypt_cost(const char *hash)
{
    if (strlen(hash) != 60 || strncmp(hash, "$2", 2) != 0 || !strchr("aby", hash[2]) ||
        hash[3] != '$' || !is_digit(hash[4]) || !is_digit(hash[5]) || hash[6] != '$')
        return 0;
    return (hash[4] - '0') * 10 + hash[5] - '0';
}

/*
 * The cost of a yescrypt hash: 5 is "$y$j9T$", where '9' tells the number of blocks and 'T' their
 * size. 0 where it is none, or of other parameters than costs of 3 and more have.
 */
static int yescrypt_cost(const char *hash)
{
    static const char digits[] = "789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (strncmp(hash, "$y$j", 4) != 0 || !hash[4] || strncmp(hash + 5, "T$", 2) != 0)
        return 0;
    const char *digit = strchr(digits, hash[4]);
    return digit ? (int)(digit - digits) + 3 : 0;
}

/* "name=number" and moves on; the number is 1 to `max`. */
static int read_number(const char **text, const char *name, apr_uint32_t max, apr_uint32_t *number)
{
    size_t len = strlen(name);
    if (strncmp(*text, name, len) != 0 || (*text)[len] == '0')
        return 0;
    *text += len;
    for (*number = 0; is_digit(**text) && *number <= max; ++*text)
        *number = *number * 10 + (apr_uint32_t)(**text - '0');
    return *number >= 1 && *number <= max;
}

/* Standard base64 without padding, which is base64url but for two characters. */
static int read_bytes(const char **text, unsigned char *out, apr_size_t *len)
{
    char text64[BASE64_MAX];
    size_t count = strcspn(*text, "$");
    if (**text != '$' || (count = strcspn(++*text, "$")) > BASE64_MAX)
        return 0;
    for (size_t i = 0; i < count; i++) {
        char c = (*text)[i];
        if (c == '-' || c == '_')
            return 0;
        text64[i] = c == '+' ? '-' : c == '/' ? '_' : c;
    }
    *text += count;
    return na_base64url_decode_to(out, len, text64, count);
}

static int read_argon2(const char *text, argon2 *a)
{
    apr_uint32_t version;
    text += strlen(ARGON2_PREFIX);
    return read_number(&text, "v=", 19, &version) && version == 19 &&
           read_number(&text, "$m=", MEMORY_MAX, &a->memory) &&
           read_number(&text, ",t=", PASSES_MAX, &a->passes) &&
           read_number(&text, ",p=", LANES_MAX, &a->lanes) && a->memory >= 8 * a->lanes &&
           read_bytes(&text, a->salt, &a->salt_len) && a->salt_len >= 8 &&
           read_bytes(&text, a->hash, &a->hash_len) && a->hash_len >= 16 && !*text;
}

static const char *base64(apr_pool_t *pool, const unsigned char *data, apr_size_t len)
{
    char *text = na_base64url_encode(pool, data, len);
    for (char *p = text; *p; p++)
        *p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
    return text;
}

static int is_argon2(const char *hash)
{
    return strncmp(hash, ARGON2_PREFIX, strlen(ARGON2_PREFIX)) == 0;
}

const char *na_hash_name(const char *hash)
{
    if (bcrypt_cost(hash))
        return kinds[NA_HASH_BCRYPT].name;
    if (strncmp(hash, "$y$", 3) == 0)
        return kinds[NA_HASH_YESCRYPT].name;
    return is_argon2(hash) ? kinds[NA_HASH_ARGON2ID].name : "other";
}

int na_password_is_outdated(const char *hash, na_hash_kind kind)
{
    argon2 a;
    if (kind.algorithm == NA_HASH_BCRYPT)
        return bcrypt_cost(hash) < kind.cost;
    if (kind.algorithm == NA_HASH_YESCRYPT)
        return yescrypt_cost(hash) < kind.cost;
    return !is_argon2(hash) || !read_argon2(hash, &a) || a.memory < MEMORY || a.passes < PASSES;
}

/* ── Argon2id, which only newer versions of OpenSSL have ───────────────────────────────────── */

static na_error *fetch_argon2(apr_pool_t *pool, EVP_KDF **kdf)
{
    *kdf = EVP_KDF_fetch(NULL, "ARGON2ID", NULL);
    if (*kdf)
        return NULL;
    ERR_clear_error();
    return na_error_mended_by(
        na_error_new(pool, NA_CONFIGURATION,
                     "Argon2id takes OpenSSL 3.2 or newer; this is OpenSSL %s",
                     OpenSSL_version(OPENSSL_VERSION_STRING)),
        "choose bcrypt or yescrypt");
}

/* Names as text: OpenSSL 3.0's headers, which the module may be built with, do not have them. */
static na_error *derive(apr_pool_t *pool, argon2 *a, const char *password, unsigned char *out)
{
    EVP_KDF *kdf;
    OSSL_PARAM params[] = {OSSL_PARAM_octet_string(OSSL_KDF_PARAM_PASSWORD,
                                                   (void *)(apr_uintptr_t)password,
                                                   strlen(password)),
                           OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SALT, a->salt, a->salt_len),
                           OSSL_PARAM_uint32("memcost", &a->memory),
                           OSSL_PARAM_uint32(OSSL_KDF_PARAM_ITER, &a->passes),
                           OSSL_PARAM_uint32("lanes", &a->lanes),
                           OSSL_PARAM_END};
    NA_TRY(fetch_argon2(pool, &kdf));
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    EVP_KDF_free(kdf);
    int derived = context && EVP_KDF_derive(context, out, a->hash_len, params) == 1;
    EVP_KDF_CTX_free(context);
    return derived ? NULL
                   : na_error_new(pool, NA_CONFIGURATION, "Argon2id: %s", na_openssl_error(pool));
}

static na_error *hash_argon2(apr_pool_t *pool, const char *password, const char **hash)
{
    argon2 a = {MEMORY, PASSES, LANES, .salt_len = SALT_LEN, .hash_len = ARGON2_HASH_LEN};
    na_random(a.salt, SALT_LEN);
    NA_TRY(derive(pool, &a, password, a.hash));
    *hash =
        apr_psprintf(pool, ARGON2_PREFIX "v=19$m=%u,t=%u,p=%u$%s$%s", a.memory, a.passes, a.lanes,
                     base64(pool, a.salt, a.salt_len), base64(pool, a.hash, a.hash_len));
    return NULL;
}

static na_error *matches_argon2(apr_pool_t *pool, const char *password, const char *hash,
                                int *matches)
{
    argon2 a;
    unsigned char derived[sizeof a.hash];
    if (!read_argon2(hash, &a))
        return na_error_new(pool, NA_CONFIGURATION,
                            "an Argon2id hash is malformed or costs too much");
    NA_TRY(derive(pool, &a, password, derived));
    *matches = CRYPTO_memcmp(derived, a.hash, a.hash_len) == 0;
    return NULL;
}

/* ── bcrypt and yescrypt ───────────────────────────────────────────────────────────────────── */

static na_error *hash_bcrypt(apr_pool_t *pool, int cost, const char *password, const char **hash)
{
    unsigned char salt[SALT_LEN];
    char out[64];
    if (strlen(password) > NA_BCRYPT_PASSWORD_MAX)
        return na_error_new(pool, NA_CONFIGURATION, "bcrypt takes passwords of at most %d bytes",
                            NA_BCRYPT_PASSWORD_MAX);
    na_random(salt, sizeof salt);
    if (apr_bcrypt_encode(password, (unsigned)cost, salt, sizeof salt, out, sizeof out) !=
        APR_SUCCESS)
        return na_error_new(pool, NA_CONFIGURATION, "APR-util does not make bcrypt hashes");
    *hash = apr_pstrdup(pool, out);
    return NULL;
}

/* libxcrypt's crypt.h has it; other C libraries have no yescrypt. */
#ifdef CRYPT_GENSALT_OUTPUT_SIZE
static na_error *hash_yescrypt(apr_pool_t *pool, int cost, const char *password, const char **hash)
{
    char random[SALT_LEN], setting[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_data *data = apr_pcalloc(pool, sizeof *data);
    na_random(random, sizeof random);
    const char *made = NULL;
    if (crypt_gensalt_rn("$y$", (unsigned long)cost, random, sizeof random, setting,
                         sizeof setting))
        made = crypt_r(password, setting, data);
    *hash = made && *made == '$' ? apr_pstrdup(pool, made) : NULL;
    na_wipe(data, sizeof *data);
    return *hash ? NULL
                 : na_error_new(pool, NA_CONFIGURATION, "libcrypt does not make yescrypt hashes");
}
#else
static na_error *hash_yescrypt(apr_pool_t *pool, int cost, const char *password, const char **hash)
{
    return na_error_mended_by(na_error_new(pool, NA_CONFIGURATION,
                                           "yescrypt takes libxcrypt, which is not here"),
                              "choose bcrypt or argon2id");
}
#endif

/* ── all of them ───────────────────────────────────────────────────────────────────────────── */

na_error *na_password_hash(apr_pool_t *pool, na_hash_kind kind, const char *password,
                           const char **hash)
{
    if (strlen(password) > NA_PASSWORD_MAX)
        return na_error_new(pool, NA_CONFIGURATION, "a password has at most %d bytes",
                            NA_PASSWORD_MAX);
    if (kind.algorithm == NA_HASH_BCRYPT)
        return hash_bcrypt(pool, kind.cost, password, hash);
    if (kind.algorithm == NA_HASH_YESCRYPT)
        return hash_yescrypt(pool, kind.cost, password, hash);
    return hash_argon2(pool, password, hash);
}

na_error *na_password_matches(apr_pool_t *pool, const char *password, const char *hash,
                              int *matches)
{
    size_t len = strlen(password);
    *matches = 0;
    if (!hash || len > NA_PASSWORD_MAX)
        return NULL;
    if (is_argon2(hash))
        return matches_argon2(pool, password, hash, matches);
    int cost = bcrypt_cost(hash);
    if (cost > BCRYPT_COST_MAX)
        return na_error_new(pool, NA_CONFIGURATION, "a bcrypt hash of cost %d costs too much",
                            cost);
    /* also where it is too long, or time would tell which kind of hash there is */
    *matches = apr_password_validate(password, hash) == APR_SUCCESS &&
               !(cost && len > NA_BCRYPT_PASSWORD_MAX);
    return NULL;
}

/* Finds out by making one; the cheapest will do. */
static na_error *try_kind(apr_pool_t *pool, na_hash_algorithm algorithm)
{
    const char *hash;
    EVP_KDF *kdf;
    if (algorithm == NA_HASH_YESCRYPT)
        return hash_yescrypt(pool, kinds[algorithm].cost_min, "", &hash);
    if (algorithm == NA_HASH_BCRYPT)
        return NULL;
    NA_TRY(fetch_argon2(pool, &kdf));
    EVP_KDF_free(kdf);
    return NULL;
}

static int read_kind(const char *text, int i, na_hash_kind *kind)
{
    size_t len = strlen(kinds[i].name);
    apr_uint32_t cost = (apr_uint32_t)kinds[i].cost;
    if (strncmp(text, kinds[i].name, len) != 0)
        return 0;
    text += len;
    if (*text && !read_number(&text, ":", (apr_uint32_t)kinds[i].cost_max, &cost))
        return 0;
    *kind = (na_hash_kind){(na_hash_algorithm)i, (int)cost};
    return !*text && kind->cost >= kinds[i].cost_min;
}

na_error *na_hash_kind_parse(apr_pool_t *pool, const char *text, na_hash_kind *kind)
{
    for (int i = 0; i < (int)(sizeof kinds / sizeof *kinds); i++)
        if (read_kind(text, i, kind))
            return try_kind(pool, kind->algorithm);
    return na_error_new(pool, NA_CONFIGURATION,
                        "no kind of password hash '%s': bcrypt, bcrypt:10 to bcrypt:16, yescrypt, "
                        "yescrypt:5 to yescrypt:11 or argon2id is wanted",
                        na_one_line(pool, text, 40));
}
