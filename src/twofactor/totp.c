/* SPDX-License-Identifier: Apache-2.0 */
/* Time-based one-time passwords (TOTP, RFC 6238), as authenticator apps show them. */
#include "twofactor/totp.h"

#include <stdio.h>
#include <string.h>

#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/crypto.h"
#include "twofactor/base32.h"

#define STEP_SECONDS 30

/* Steps before and after the current one that are accepted: clocks differ, and typing takes time.
 */
#define DRIFT 1

#define SHA1_LEN 20

const char *na_totp_new_key(apr_pool_t *pool)
{
    unsigned char key[NA_TOTP_KEY_LEN];
    na_random_from(pool, key, sizeof key);
    char *text = na_base32_encode(pool, key, sizeof key);
    na_wipe(key, sizeof key);
    na_wipe_with_pool(pool, text, strlen(text));
    return text;
}

int na_totp_decode_key(apr_pool_t *pool, const char *text, na_bytes *key)
{
    unsigned char *bytes = apr_palloc(pool, NA_TOTP_KEY_LEN);
    *key = (na_bytes){bytes, NA_TOTP_KEY_LEN};
    na_wipe_with_pool(pool, bytes, NA_TOTP_KEY_LEN);
    return na_base32_decode_to(bytes, NA_TOTP_KEY_LEN, text);
}

apr_int64_t na_totp_step(apr_time_t now)
{
    return apr_time_sec(now) / STEP_SECONDS;
}

/* RFC 4226 section 5.3: HMAC-SHA-1 of the step, of which the last nibble selects four bytes. */
void na_totp_code(na_bytes key, apr_int64_t step, char code[NA_TOTP_DIGITS + 1])
{
    unsigned char counter[8], hash[SHA1_LEN];
    unsigned int len = sizeof hash;
    for (int i = 7; i >= 0; i--, step >>= 8)
        counter[i] = (unsigned char)(step & 0xff);
    HMAC(EVP_sha1(), key.data, (int)key.len, counter, sizeof counter, hash, &len);
    const unsigned char *p = hash + (hash[SHA1_LEN - 1] & 0xf);
    unsigned number =
        (unsigned)(p[0] & 0x7f) << 24 | (unsigned)p[1] << 16 | (unsigned)p[2] << 8 | p[3];
    snprintf(code, NA_TOTP_DIGITS + 1, "%06u", number % 1000000);
    na_wipe(hash, sizeof hash);
}

/* Reads six digits; apps show them in groups, so that blanks are typed as well. */
static int read_digits(const char *typed, char digits[NA_TOTP_DIGITS + 1])
{
    int count = 0;
    for (; *typed; typed++) {
        if (*typed == ' ')
            continue;
        if (*typed < '0' || *typed > '9' || count == NA_TOTP_DIGITS)
            return 0;
        digits[count++] = *typed;
    }
    digits[count] = '\0';
    return count == NA_TOTP_DIGITS;
}

apr_int64_t na_totp_check(na_bytes key, const char *typed, apr_time_t now, apr_int64_t last)
{
    char digits[NA_TOTP_DIGITS + 1], code[NA_TOTP_DIGITS + 1];
    apr_int64_t current = na_totp_step(now), found = 0;
    if (!read_digits(typed, digits))
        return 0;
    for (apr_int64_t step = current - DRIFT; step <= current + DRIFT; step++) {
        na_totp_code(key, step, code);
        int matches = CRYPTO_memcmp(code, digits, NA_TOTP_DIGITS) == 0;
        found = matches && step > last ? step : found;
    }
    na_wipe(code, sizeof code);
    return found;
}

/* The label has the issuer as well, because older apps read no parameter of that name. */
const char *na_totp_uri(apr_pool_t *pool, const char *issuer, const char *account, const char *key)
{
    const char *by = na_percent_encode(pool, issuer);
    return apr_pstrcat(pool, "otpauth://totp/", by, ":", na_percent_encode(pool, account),
                       "?secret=", key, "&issuer=", by, NULL);
}
