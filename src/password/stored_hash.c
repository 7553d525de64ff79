/* SPDX-License-Identifier: Apache-2.0 */
/* Reads stored password hashes, strictly, before anything is computed. */
#include "password/stored_hash.h"

#include <string.h>

/*
 * Each limit is a few seconds of work and 128 MiB: a child process verifies several hashes at once,
 * and those of yescrypt and scrypt use 4 KiB for each of their blocks.
 */
#define BCRYPT_COST_MAX 16
#define YESCRYPT_COST_MAX 8
#define SHA_ROUNDS_MIN 1000
#define SHA_ROUNDS_MAX 1000000
#define SHA_ROUNDS_DEFAULT 5000
#define ARGON2_MEMORY_MAX (128 * 1024)
#define ARGON2_PASSES_MAX 16
#define ARGON2_LANES_MAX 16

/* crypt(5)'s own digits, in their order. */
static const char digits64[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* ── pieces ────────────────────────────────────────────────────────────────────────────────── */

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int na_read_number(const char **text, const char *name, apr_uint32_t max, apr_uint32_t *number)
{
    size_t len = strlen(name);
    if (strncmp(*text, name, len) != 0 || (*text)[len] == '0')
        return 0;
    *text += len;
    for (*number = 0; is_digit(**text) && *number <= max; ++*text)
        *number = *number * 10 + (apr_uint32_t)(**text - '0');
    return *number >= 1 && *number <= max;
}

/* Skips crypt's digits; returns 1 if there were `min` to `max` of them. */
static int read_digits(const char **text, size_t min, size_t max)
{
    size_t count = strspn(*text, digits64);
    *text += count;
    return count >= min && count <= max;
}

/* Returns 1 if the rest is "salt$hash" of crypt's digits. */
static int is_salt_and_hash(const char *text, size_t salt_min, size_t salt_max, size_t hash_len)
{
    return read_digits(&text, salt_min, salt_max) && *text++ == '$' &&
           read_digits(&text, hash_len, hash_len) && !*text;
}

/* Standard base64 without padding, which is base64url but for two characters. */
static int read_bytes(const char **text, unsigned char *out, apr_size_t *len)
{
    char text64[NA_ARGON2_BASE64_MAX];
    size_t count;
    if (**text != '$' || (count = strcspn(++*text, "$")) > sizeof text64)
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

/* ── the kinds: each reads what follows its prefix ─────────────────────────────────────────── */

typedef enum reading { READ, MALFORMED, TOO_COSTLY } reading;

static reading read_bcrypt(const char *text, na_stored_hash *hash)
{
    if (!is_digit(text[0]) || !is_digit(text[1]) || text[2] != '$')
        return MALFORMED;
    *hash = (na_stored_hash){.form = NA_FORM_BCRYPT, .cost = (text[0] - '0') * 10 + text[1] - '0'};
    text += 3;
    if (hash->cost < 4 || !read_digits(&text, 53, 53) || *text)
        return MALFORMED;
    hash->work = 60u << (hash->cost & 31);
    return hash->cost > BCRYPT_COST_MAX ? TOO_COSTLY : READ;
}

/*
 * "jNr$": the flavor that crypt(5) creates, the logarithm of the number of blocks, and their size.
 * A cost of 5 is "j9T$"; 1 and 2 have small blocks.
 */
static int yescrypt_cost(const char *text)
{
    const char *blocks = text[0] == 'j' && text[1] ? strchr(digits64, text[1]) : NULL;
    int logarithm = blocks ? (int)(blocks - digits64) + 1 : 0;
    if (!blocks || !text[2] || text[3] != '$')
        return 0;
    if (text[2] == '5')
        return logarithm == 10 || logarithm == 11 ? logarithm - 9 : 0;
    return text[2] == 'T' && logarithm >= 10 ? logarithm - 7 : 0;
}

static reading read_yescrypt(const char *text, na_stored_hash *hash)
{
    *hash = (na_stored_hash){.form = NA_FORM_YESCRYPT, .cost = yescrypt_cost(text)};
    if (!hash->cost || !is_salt_and_hash(text + 4, 1, NA_ARGON2_BASE64_MAX, 43))
        return MALFORMED;
    if (hash->cost > YESCRYPT_COST_MAX)
        return TOO_COSTLY;
    hash->work = 600u << hash->cost;
    return READ;
}

static reading read_gost_yescrypt(const char *text, na_stored_hash *hash)
{
    reading result = read_yescrypt(text, hash);
    hash->form = NA_FORM_OTHER; /* not a kind that a site can choose */
    return result;
}

/* "NrrrrrPPPPP", of which crypt(5) varies only the first. */
static reading read_scrypt(const char *text, na_stored_hash *hash)
{
    const char *blocks = *text ? strchr(digits64, *text) : NULL;
    *hash = (na_stored_hash){.form = NA_FORM_OTHER};
    if (!blocks || strncmp(text + 1, "U..../....", 10) != 0 ||
        !is_salt_and_hash(text + 11, 1, NA_ARGON2_BASE64_MAX, 43))
        return MALFORMED;
    if (blocks - digits64 > YESCRYPT_COST_MAX + 7)
        return TOO_COSTLY;
    hash->work = 6u << (blocks - digits64);
    return READ;
}

static reading read_sha_crypt(const char *text, size_t hash_len, na_stored_hash *hash)
{
    apr_uint32_t rounds = SHA_ROUNDS_DEFAULT;
    int has_rounds = strncmp(text, "rounds=", 7) == 0;
    *hash = (na_stored_hash){.form = NA_FORM_OTHER};
    if (has_rounds && !na_read_number(&text, "rounds=", SHA_ROUNDS_MAX, &rounds))
        return rounds > SHA_ROUNDS_MAX ? TOO_COSTLY : MALFORMED;
    if (rounds < SHA_ROUNDS_MIN || (has_rounds && *text++ != '$') ||
        !is_salt_and_hash(text, 1, 16, hash_len))
        return MALFORMED;
    hash->work = rounds / 2;
    return READ;
}

static reading read_sha256_crypt(const char *text, na_stored_hash *hash)
{
    return read_sha_crypt(text, 43, hash);
}

static reading read_sha512_crypt(const char *text, na_stored_hash *hash)
{
    return read_sha_crypt(text, 86, hash);
}

/* Reads apr1 and MD5 crypt. */
static reading read_md5_crypt(const char *text, na_stored_hash *hash)
{
    *hash = (na_stored_hash){.form = NA_FORM_OTHER, .work = 400};
    return is_salt_and_hash(text, 1, 8, 22) ? READ : MALFORMED;
}

static reading read_sha1(const char *text, na_stored_hash *hash)
{
    static const char base64[] = "+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    *hash = (na_stored_hash){.form = NA_FORM_OTHER, .work = 1};
    return strspn(text, base64) == 27 && strcmp(text + 27, "=") == 0 ? READ : MALFORMED;
}

static reading read_argon2(const char *text, na_stored_hash *hash)
{
    apr_uint32_t version;
    *hash = (na_stored_hash){.form = NA_FORM_ARGON2ID};
    na_argon2 *a = &hash->argon2;
    if (!na_read_number(&text, "v=", 19, &version) || version != 19)
        return MALFORMED;
    if (!na_read_number(&text, "$m=", ARGON2_MEMORY_MAX, &a->memory))
        return a->memory > ARGON2_MEMORY_MAX ? TOO_COSTLY : MALFORMED;
    if (!na_read_number(&text, ",t=", ARGON2_PASSES_MAX, &a->passes))
        return a->passes > ARGON2_PASSES_MAX ? TOO_COSTLY : MALFORMED;
    if (!na_read_number(&text, ",p=", ARGON2_LANES_MAX, &a->lanes))
        return a->lanes > ARGON2_LANES_MAX ? TOO_COSTLY : MALFORMED;
    hash->work = a->memory * a->passes;
    return a->memory >= 8 * a->lanes && read_bytes(&text, a->salt, &a->salt_len) &&
                   a->salt_len >= 8 && read_bytes(&text, a->hash, &a->hash_len) &&
                   a->hash_len >= 16 && !*text
               ? READ
               : MALFORMED;
}

static const struct {
    const char *prefix, *name;
    reading (*read)(const char *text, na_stored_hash *hash);
} kinds[] = {{"$2a$", "bcrypt", read_bcrypt},
             {"$2b$", "bcrypt", read_bcrypt},
             {"$2y$", "bcrypt", read_bcrypt},
             {"$y$", "yescrypt", read_yescrypt},
             {"$gy$", "gost-yescrypt", read_gost_yescrypt},
             {NA_ARGON2_PREFIX, "Argon2id", read_argon2},
             {"$7$", "scrypt", read_scrypt},
             {"$6$", "SHA-512 crypt", read_sha512_crypt},
             {"$5$", "SHA-256 crypt", read_sha256_crypt},
             {"$apr1$", "apr1", read_md5_crypt},
             {"$1$", "MD5 crypt", read_md5_crypt},
             {"{SHA}", "{SHA}", read_sha1}};

/* Traditional DES has no prefix. */
static int is_des(const char *text)
{
    return strlen(text) == 13 && strspn(text, digits64) == 13;
}

static na_error *unusable_hash(apr_pool_t *pool, const char *name, reading result)
{
    if (result == READ)
        return NULL;
    return na_error_new(pool, NA_ERR_CONFIGURATION,
                        result == MALFORMED ? "malformed password hash of kind %s"
                                            : "the password hash of kind %s costs too much",
                        name);
}

na_error *na_stored_hash_read(apr_pool_t *pool, const char *text, na_stored_hash *hash)
{
    for (apr_size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t len = strlen(kinds[i].prefix);
        if (strncmp(text, kinds[i].prefix, len) == 0)
            return unusable_hash(pool, kinds[i].name, kinds[i].read(text + len, hash));
    }
    *hash = (na_stored_hash){.form = NA_FORM_OTHER, .work = 30};
    return is_des(text) ? NULL
                        : na_error_new(pool, NA_ERR_CONFIGURATION, "unknown kind of password hash");
}

int na_is_locked_hash(const char *text)
{
    return *text == '!' || *text == '*';
}
