/* SPDX-License-Identifier: Apache-2.0 */
/* Base32 (RFC 4648 section 6), for keys and codes that people type. */
#include "twofactor/base32.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

char *na_base32_encode(apr_pool_t *pool, const unsigned char *bytes, apr_size_t len)
{
    char *text = apr_palloc(pool, (len * 8 + 4) / 5 + 1), *to = text;
    unsigned bits = 0, count = 0;
    for (apr_size_t i = 0; i < len; i++) {
        bits = bits << 8 | bytes[i];
        for (count += 8; count >= 5; count -= 5)
            *to++ = alphabet[bits >> (count - 5) & 31];
    }
    if (count)
        *to++ = alphabet[bits << (5 - count) & 31];
    *to = '\0';
    return text;
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

int na_base32_decode_to(unsigned char *out, apr_size_t len, const char *text)
{
    unsigned bits = 0, count = 0;
    apr_size_t written = 0;
    if (strlen(text) != len / 5 * 8)
        return 0;
    for (; *text; text++) {
        int value = value_of(*text);
        if (value < 0)
            return 0;
        bits = bits << 5 | (unsigned)value;
        count += 5;
        if (count < 8)
            continue;
        count -= 8;
        out[written++] = (unsigned char)(bits >> count & 0xff);
    }
    return written == len;
}
