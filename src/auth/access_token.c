/* SPDX-License-Identifier: Apache-2.0 */
/* Personal access tokens: their text, and the rows that the database has of them. */
#include "auth/access_token.h"

#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"

/* ── the text ──────────────────────────────────────────────────────────────────────────────── */

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

#define BASE 62
#define PREFIX_LEN (sizeof NA_ACCESS_TOKEN_PREFIX - 1)
#define CHECKSUM_LEN 6
#define BODY_LEN (NA_ACCESS_TOKEN_LEN - CHECKSUM_LEN)

/* CRC-32 as in ISO 3309 and gzip (RFC 1952 section 8): 56 bytes need no table. */
static apr_uint32_t crc_of(const char *text, apr_size_t len)
{
    apr_uint32_t crc = 0xffffffff;
    for (apr_size_t i = 0; i < len; i++) {
        crc ^= (unsigned char)text[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* The checksum of what comes before it, the most significant digit first. */
static void write_checksum(const char *body, char *checksum)
{
    apr_uint32_t crc = crc_of(body, BODY_LEN);
    for (int i = CHECKSUM_LEN - 1; i >= 0; i--, crc /= BASE)
        checksum[i] = digits[crc % BASE];
}

/* Draws again what is beyond the last digit, so that all digits are equally likely. */
static char random_digit(apr_pool_t *pool)
{
    unsigned char byte;
    do {
        na_random_from(pool, &byte, 1);
        byte &= 63;
    } while (byte >= BASE);
    return digits[byte];
}

char *na_access_token_new(apr_pool_t *pool)
{
    char *token = apr_pcalloc(pool, NA_ACCESS_TOKEN_LEN + 1);
    memcpy(token, NA_ACCESS_TOKEN_PREFIX, PREFIX_LEN);
    for (apr_size_t i = PREFIX_LEN; i < BODY_LEN; i++)
        token[i] = random_digit(pool);
    write_checksum(token, token + BODY_LEN);
    na_wipe_with_pool(pool, token, NA_ACCESS_TOKEN_LEN);
    return token;
}

int na_access_token_is_meant(const char *text)
{
    return strncmp(text, NA_ACCESS_TOKEN_PREFIX, PREFIX_LEN) == 0;
}

int na_access_token_is_well_formed(const char *text)
{
    char checksum[CHECKSUM_LEN];
    if (!na_access_token_is_meant(text) || strlen(text) != NA_ACCESS_TOKEN_LEN ||
        strspn(text + PREFIX_LEN, digits) != NA_ACCESS_TOKEN_LEN - PREFIX_LEN)
        return 0;
    write_checksum(text, checksum);
    return memcmp(text + BODY_LEN, checksum, CHECKSUM_LEN) == 0;
}

char *na_access_token_id(apr_pool_t *pool, const char *token)
{
    return na_sha256_hex(pool, token, "");
}
