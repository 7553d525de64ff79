/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery codes: what a user types once who has lost the second factor. */
#include "twofactor/recovery.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/crypto.h"
#include "twofactor/base32.h"

#define BYTES 10
#define CHARACTERS 16

const char *na_recovery_new_code(apr_pool_t *pool)
{
    unsigned char bytes[BYTES];
    na_random_from(pool, bytes, sizeof bytes);
    char *text = na_base32_encode(pool, bytes, sizeof bytes);
    char *code = apr_psprintf(pool, "%.4s-%.4s-%.4s-%.4s", text, text + 4, text + 8, text + 12);
    na_wipe(bytes, sizeof bytes);
    na_wipe_with_pool(pool, text, strlen(text));
    na_wipe_with_pool(pool, code, strlen(code));
    return code;
}

/* The digits that the alphabet lacks are read as the letters that they look like. */
static char letter_of(char typed)
{
    switch (typed) {
    case '0':
        return 'O';
    case '1':
        return 'I';
    case '8':
        return 'B';
    default:
        return (char)apr_toupper(typed);
    }
}

/* Reads a code without its groups; returns 0 if the text is anything else. */
static int read_code(const char *typed, char code[CHARACTERS + 1])
{
    unsigned char bytes[BYTES];
    int count = 0;
    for (; *typed; typed++) {
        if (*typed == ' ' || *typed == '-')
            continue;
        if (count == CHARACTERS)
            return 0;
        code[count++] = letter_of(*typed);
    }
    code[count] = '\0';
    int is_code = na_base32_decode_to(bytes, sizeof bytes, code);
    na_wipe(bytes, sizeof bytes);
    return is_code;
}

int na_recovery_is_code(const char *typed)
{
    char code[CHARACTERS + 1];
    int is_code = read_code(typed, code);
    na_wipe(code, sizeof code);
    return is_code;
}

const char *na_recovery_hash(apr_pool_t *pool, const char *user_id, const char *typed)
{
    char code[CHARACTERS + 1];
    const char *hash = NULL;
    if (read_code(typed, code))
        hash =
            na_sha256_hex(pool, apr_pstrcat(pool, "recovery code of ", user_id, "\n", NULL), code);
    na_wipe(code, sizeof code);
    return hash;
}
