/* SPDX-License-Identifier: Apache-2.0 */
/* Second factors: one-time passwords as RFC 6238 has them, recovery codes, QR codes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "tap.h"
#include "twofactor/base32.h"
#include "twofactor/qr.h"
#include "twofactor/recovery.h"
#include "twofactor/totp.h"

static const na_bytes vector_key = {(const unsigned char *)"12345678901234567890", 20};

/* RFC 6238 appendix B, the rows of SHA-1; six digits are the last six of eight. */
static void rfc_6238(apr_pool_t *pool)
{
    static const struct {
        apr_int64_t seconds;
        const char *code;
    } rows[] = {{59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
                {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char code[NA_TOTP_DIGITS + 1];
        na_totp_code(vector_key, na_totp_step(apr_time_from_sec(rows[i].seconds)), code);
        is(code, rows[i].code, apr_psprintf(pool, "RFC 6238 at %ld", (long)rows[i].seconds));
    }
}

/* RFC 4226 appendix D: the same function, by counter. */
static void rfc_4226(void)
{
    static const char *const codes[] = {"755224", "287082", "359152", "969429", "338314",
                                        "254676", "287922", "162583", "399871", "520489"};
    int same = 1;
    for (int i = 0; i < 10; i++) {
        char code[NA_TOTP_DIGITS + 1];
        na_totp_code(vector_key, i, code);
        same &= strcmp(code, codes[i]) == 0;
    }
    ok(same, "the ten codes of RFC 4226");
}

static apr_int64_t check(const char *typed, long seconds, apr_int64_t last)
{
    return na_totp_check(vector_key, typed, apr_time_from_sec(seconds), last);
}

static void checks(void)
{
    static const char *const refused[] = {"",         "05047",  "0504711", "050472",  "05047a",
                                          "-50471",   "+50471", "050471x", "0x0471",  "050 47",
                                          "\xd9\xa0", "      ", "000000",  "05047\n1"};
    const long at = 1111111111;
    const apr_int64_t step = at / 30;
    is_number(check("050471", at, 0), step, "the code of this half minute");
    is_number(check("050 471", at, 0), step, "blanks between its groups");
    is_number(check("050471", at + 30, 0), step, "the code of the half minute before");
    is_number(check("050471", at - 30, 0), step, "the code of the half minute after");
    is_number(check("050471", at + 60, 0), 0, "not one that is older");
    is_number(check("050471", at - 60, 0), 0, "not one further ahead");
    is_number(check("050471", at, step), 0, "not the step that was used last");
    is_number(check("050471", at, step + 1), 0, "and none before it");
    is_number(check("050471", at, step - 1), step, "but the next one");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        is_number(check(refused[i], at, 0), 0, "no code is another text");
}

static void keys(apr_pool_t *pool)
{
    static const char *const refused[] = {"", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ",
                                          "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQA",
                                          "gezdgnbvgy3tqojqgezdgnbvgy3tqojq",
                                          "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1"};
    na_bytes key;
    const char *first = na_totp_new_key(pool), *second = na_totp_new_key(pool);
    ok(strcmp(first, second) != 0, "two keys differ");
    is_number(strlen(first), 32, "a key has 160 bits");
    ok(na_totp_decode_key(pool, first, &key), "and is read again");
    is(na_base32_encode(pool, key.data, key.len), first, "as it was");
    ok(na_totp_decode_key(pool, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", &key) &&
           memcmp(key.data, vector_key.data, key.len) == 0,
       "the key of the vectors");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        ok(!na_totp_decode_key(pool, refused[i], &key), "no key is '%s'", refused[i]);
    is(na_totp_uri(pool, "www.example.org:8443", "ada & co@example.org", "KEY"),
       "otpauth://totp/www.example.org%3A8443:ada%20%26%20co%40example.org"
       "?secret=KEY&issuer=www.example.org%3A8443",
       "the URI of a key, escaped");
}

/* RFC 4648 section 10, without padding */
static void base32(apr_pool_t *pool)
{
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "MY"},
                                          {"fo", "MZXQ"},
                                          {"foo", "MZXW6"},
                                          {"foob", "MZXW6YQ"},
                                          {"fooba", "MZXW6YTB"},
                                          {"foobar", "MZXW6YTBOI"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        is(na_base32_encode(pool, (const unsigned char *)rows[i][0], strlen(rows[i][0])),
           rows[i][1], apr_psprintf(pool, "base32 of '%s'", rows[i][0]));
}

static void recovery(apr_pool_t *pool)
{
    const char *code = na_recovery_new_code(pool), *hash = na_recovery_hash(pool, "7", code);
    char *typed = apr_pstrdup(pool, code);
    is_number(strlen(code), 19, "a recovery code is 16 characters in four groups");
    ok(na_recovery_is_code(code) && hash && strlen(hash) == 64, "it has a hash");
    for (char *p = typed; *p; p++)
        *p = *p == '-' ? ' ' : (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
    is(na_recovery_hash(pool, "7", typed), hash, "case and separators do not matter");
    ok(strcmp(na_recovery_hash(pool, "8", code), hash) != 0, "another user's hash is another");
    is(na_recovery_hash(pool, "7", "0180-IIII-IIII-IIII"),
       na_recovery_hash(pool, "7", "OIBO-IIII-IIII-IIII"), "digits that look like letters");
    ok(!na_recovery_is_code("123456"), "no one-time password is a recovery code");
    ok(!na_recovery_hash(pool, "7", "ABCD-EFGH-IJKL-MNO"), "nor is a shorter text");
    ok(!na_recovery_hash(pool, "7", "ABCD-EFGH-IJKL-MNOPQ"), "nor a longer one");
    ok(!na_recovery_hash(pool, "7", "ABCD-EFGH-IJKL-MNO\xc3\xa4"), "nor one with other letters");
}

static void qr(apr_pool_t *pool)
{
    const char *uri =
        na_totp_uri(pool, "www.example.org", "ada.lovelace@example.org", na_totp_new_key(pool));
    const char *svg = na_qr_svg(pool, uri, "QR code \"of\" <ada>");
    if (!svg) {
        ok(1, "built without libqrencode # SKIP");
        return;
    }
    ok(strstr(svg, "role=\"img\" aria-label=\"QR code &quot;of&quot; &lt;ada&gt;\"") != NULL,
       "a QR code has a name, which is escaped");
    ok(strlen(svg) < 8192, "and %d bytes, less than 8192", (int)strlen(svg));
    char *much = apr_pcalloc(pool, 4096);
    memset(much, 'x', 4000);
    ok(!na_qr_svg(pool, much, "x"), "what does not fit has none");
}

/* oathtool (OATH Toolkit) computes the same codes, for random keys and times. */
static void oathtool(apr_pool_t *pool)
{
    int same = 1;
    if (system("oathtool --version >/dev/null 2>&1") != 0) {
        ok(1, "oathtool is not installed # SKIP");
        return;
    }
    for (int i = 0; i < 20; i++) {
        char line[16] = "", code[NA_TOTP_DIGITS + 1];
        unsigned seconds;
        na_bytes key;
        const char *text = na_totp_new_key(pool);
        na_random(&seconds, sizeof seconds);
        na_totp_decode_key(pool, text, &key);
        FILE *out = popen(apr_psprintf(pool, "oathtool --totp -b -N @%u %s", seconds, text), "r");
        same &= out && fgets(line, sizeof line, out) != NULL;
        if (out)
            pclose(out);
        na_totp_code(key, na_totp_step(apr_time_from_sec((apr_int64_t)seconds)), code);
        same &= strncmp(line, code, NA_TOTP_DIGITS) == 0;
    }
    ok(same, "oathtool agrees about 20 random keys and times");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    rfc_6238(pool);
    rfc_4226();
    checks();
    keys(pool);
    base32(pool);
    recovery(pool);
    qr(pool);
    oathtool(pool);
    return tap_done();
}
