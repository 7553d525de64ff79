/* SPDX-License-Identifier: Apache-2.0 */
/* Creates, verifies, and compares password hashes. */
#include "password/hash.h"

#include <string.h>

#include <crypt.h>

#include <apr_md5.h>
#include <apr_strings.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "base/crypto.h"
#include "base/text.h"
#include "password/stored_hash.h"

#define SALT_LEN 16

/* Argon2id as OWASP recommends it: KiB, passes, and lanes. */
#define MEMORY 19456
#define PASSES 2
#define LANES 1
#define ARGON2_HASH_LEN 32

static const struct {
    const char *name;
    int cost_min, cost, cost_max;
} kinds[] = {[NA_HASH_BCRYPT] = {"bcrypt", 10, 12, 16},
             [NA_HASH_YESCRYPT] = {"yescrypt", 5, 5, 8},
             [NA_HASH_ARGON2ID] = {"argon2id", 0, 0, 0}};

/* ── hashes as text ────────────────────────────────────────────────────────────────────────── */

static const char *base64(apr_pool_t *pool, const unsigned char *data, apr_size_t len)
{
    char *text = na_base64url_encode(pool, data, len);
    for (char *p = text; *p; p++)
        *p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
    return text;
}

const char *na_hash_name(apr_pool_t *pool, const char *hash)
{
    static const char *const names[] = {[NA_FORM_OTHER] = "other",
                                        [NA_FORM_BCRYPT] = "bcrypt",
                                        [NA_FORM_YESCRYPT] = "yescrypt",
                                        [NA_FORM_ARGON2ID] = "argon2id"};
    na_stored_hash stored;
    return na_stored_hash_read(pool, hash, &stored) ? "unusable" : names[stored.form];
}

int na_password_is_outdated(apr_pool_t *pool, const char *hash, na_hash_kind kind)
{
    na_stored_hash stored;
    if (na_stored_hash_read(pool, hash, &stored))
        return 1;
    if (kind.algorithm == NA_HASH_BCRYPT)
        return stored.form != NA_FORM_BCRYPT || stored.cost < kind.cost;
    if (kind.algorithm == NA_HASH_YESCRYPT)
        return stored.form != NA_FORM_YESCRYPT || stored.cost < kind.cost;
    return stored.form != NA_FORM_ARGON2ID || stored.argon2.memory < MEMORY ||
           stored.argon2.passes < PASSES;
}

/* ── Argon2id, which requires OpenSSL 3.2 ──────────────────────────────────────────────────── */

static na_error *fetch_argon2(apr_pool_t *pool, EVP_KDF **kdf)
{
    *kdf = EVP_KDF_fetch(NULL, "ARGON2ID", NULL);
    if (*kdf)
        return NULL;
    ERR_clear_error();
    return na_error_with_hint(
        na_error_new(pool, NA_ERR_CONFIGURATION,
                     "Argon2id requires OpenSSL 3.2 or later; this is OpenSSL %s",
                     OpenSSL_version(OPENSSL_VERSION_STRING)),
        "use bcrypt or yescrypt");
}

/* The names are literals because the headers of OpenSSL 3.0 do not define all of them. */
static na_error *derive_argon2(apr_pool_t *pool, na_argon2 *a, const char *password,
                               unsigned char *out)
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
                   : na_error_new(pool, NA_ERR_CONFIGURATION,
                                  "could not compute an Argon2id hash: %s", na_openssl_error(pool));
}

static na_error *hash_argon2(apr_pool_t *pool, const char *password, const char **hash)
{
    na_argon2 a = {MEMORY, PASSES, LANES, .salt_len = SALT_LEN, .hash_len = ARGON2_HASH_LEN};
    na_random(a.salt, SALT_LEN);
    NA_TRY(derive_argon2(pool, &a, password, a.hash));
    *hash =
        apr_psprintf(pool, NA_ARGON2_PREFIX "v=19$m=%u,t=%u,p=%u$%s$%s", a.memory, a.passes,
                     a.lanes, base64(pool, a.salt, a.salt_len), base64(pool, a.hash, a.hash_len));
    return NULL;
}

static na_error *matches_argon2(apr_pool_t *pool, const char *password, na_argon2 *a, int *matches)
{
    unsigned char derived[sizeof a->hash];
    NA_TRY(derive_argon2(pool, a, password, derived));
    *matches = CRYPTO_memcmp(derived, a->hash, a->hash_len) == 0;
    return NULL;
}

/* ── bcrypt and yescrypt ───────────────────────────────────────────────────────────────────── */

static na_error *hash_bcrypt(apr_pool_t *pool, int cost, const char *password, const char **hash)
{
    unsigned char salt[SALT_LEN];
    char out[64];
    if (strlen(password) > NA_BCRYPT_PASSWORD_MAX)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "bcrypt supports passwords of at most %d bytes",
                            NA_BCRYPT_PASSWORD_MAX);
    na_random(salt, sizeof salt);
    if (apr_bcrypt_encode(password, (unsigned)cost, salt, sizeof salt, out, sizeof out) !=
        APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "APR-util does not support bcrypt hashes");
    *hash = apr_pstrdup(pool, out);
    return NULL;
}

/* Only libxcrypt's crypt.h defines it; other C libraries have no yescrypt. */
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
                 : na_error_new(pool, NA_ERR_CONFIGURATION,
                                "libcrypt does not support yescrypt hashes");
}
#else
static na_error *hash_yescrypt(apr_pool_t *pool, int cost, const char *password, const char **hash)
{
    return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                           "yescrypt requires libxcrypt, which is not installed"),
                              "use bcrypt or argon2id");
}
#endif

/* ── all of them ───────────────────────────────────────────────────────────────────────────── */

na_error *na_password_hash(apr_pool_t *pool, na_hash_kind kind, const char *password,
                           const char **hash)
{
    if (strlen(password) > NA_PASSWORD_MAX)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "the password is too long; at most %d bytes are supported",
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
    na_stored_hash stored;
    size_t len = strlen(password);
    *matches = 0;
    if (!hash || len > NA_PASSWORD_MAX || na_is_locked_hash(hash))
        return NULL;
    NA_TRY(na_stored_hash_read(pool, hash, &stored));
    if (stored.form == NA_FORM_ARGON2ID)
        return matches_argon2(pool, password, &stored.argon2, matches);
    /* also if it is too long, or the time would reveal the kind of hash */
    *matches = apr_password_validate(password, hash) == APR_SUCCESS &&
               !(stored.form == NA_FORM_BCRYPT && len > NA_BCRYPT_PASSWORD_MAX);
    return NULL;
}

static int is_argon2_here(void)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "ARGON2ID", NULL);
    ERR_clear_error();
    EVP_KDF_free(kdf);
    return kdf != NULL;
}

/* Returns 0 if the hash is NULL or unusable. */
static apr_uint32_t work_of(apr_pool_t *pool, const char *hash)
{
    na_stored_hash stored;
    if (!hash || na_stored_hash_read(pool, hash, &stored))
        return 0;
    return stored.form == NA_FORM_ARGON2ID && !is_argon2_here() ? 0 : stored.work;
}

na_error *na_password_verify(apr_pool_t *pool, const char *password, const char *hash,
                             const char *decoy, int *matches)
{
    int ignored;
    if (work_of(pool, hash) < work_of(pool, decoy))
        (void)na_password_matches(pool, password, decoy, &ignored);
    return na_password_matches(pool, password, hash, matches);
}

const char *na_hash_costlier(apr_pool_t *pool, const char *one, const char *other)
{
    return work_of(pool, other) > work_of(pool, one) ? other : one;
}

/* Creates the cheapest hash of this kind, to see whether this system supports it. */
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
    if (*text && !na_read_number(&text, ":", (apr_uint32_t)kinds[i].cost_max, &cost))
        return 0;
    *kind = (na_hash_kind){(na_hash_algorithm)i, (int)cost};
    return !*text && kind->cost >= kinds[i].cost_min;
}

na_error *na_hash_kind_parse(apr_pool_t *pool, const char *text, na_hash_kind *kind)
{
    for (int i = 0; i < (int)(sizeof kinds / sizeof *kinds); i++)
        if (read_kind(text, i, kind))
            return try_kind(pool, kind->algorithm);
    return na_error_new(pool, NA_ERR_CONFIGURATION,
                        "invalid kind of password hash '%s': expected bcrypt, bcrypt:10 to "
                        "bcrypt:16, yescrypt, yescrypt:5 to yescrypt:8, or argon2id",
                        na_one_line(pool, text, 40));
}
