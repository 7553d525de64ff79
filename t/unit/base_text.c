/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "tap.h"

static void base64url(apr_pool_t *pool)
{
    static const char *const refused[] = {"A",
                                          "AAAAA",
                                          "AB",
                                          "AAB",
                                          "AA==",
                                          "AA A",
                                          "A+AA",
                                          "A/AA",
                                          "AA\n",
                                          "\xc3\xa4"
                                          "AA"};
    apr_size_t len;
    for (apr_size_t n = 0; n < 70; n++) {
        unsigned char data[70];
        na_random(data, sizeof data);
        const char *text = na_base64url_encode(pool, data, n);
        unsigned char *back = na_base64url_decode(pool, text, strlen(text), &len);
        if (!back || len != n || memcmp(back, data, n) != 0)
            ok(0, "base64url of %d bytes comes back", (int)n);
    }
    ok(1, "base64url of 0 to 69 random bytes comes back");
    is(na_base64url_encode(pool, "\xff\xfe\xfd", 3), "__79", "the URL alphabet is used");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        ok(!na_base64url_decode(pool, refused[i], strlen(refused[i]), &len),
           "base64url refuses number %d of the odd ones", (int)i);
}

static void escaping(apr_pool_t *pool)
{
    is(na_html(pool, "<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;", "HTML");
    is(na_html(pool, NULL), "", "HTML of NULL is empty");
    is(na_percent_encode(pool, "a b/ü|'()*!~"), "a%20b%2F%C3%BC%7C'()*!~", "encodeURIComponent");
    is(na_percent_decode(pool, "a+b%2f%C3%BC", 1), "a b/ü", "form decoding");
    is(na_percent_decode(pool, "a+b", 0), "a+b", "component decoding leaves '+'");
    is(na_percent_decode(pool, "%0", 0), NULL, "half an escape is refused");
    is(na_percent_decode(pool, "%zz", 0), NULL, "no hex is refused");
    is(na_percent_decode(pool, "a%00b", 0), NULL, "an encoded NUL is refused");
}

static void utf8(void)
{
    ok(na_is_utf8("Zoë 😀"), "UTF-8 is UTF-8");
    ok(!na_is_utf8("\xc0\xaf"), "an overlong slash is not");
    ok(!na_is_utf8("\xed\xa0\x80"), "a surrogate is not");
    ok(!na_is_utf8("\xf4\x90\x80\x80"), "beyond U+10FFFF is not");
    ok(!na_is_utf8("\xe2\x82"), "a cut sequence is not");
}

static void lines(apr_pool_t *pool)
{
    const char *plain = "Zoë 😀";
    ok(na_one_line(pool, plain, 9) == plain, "a line of text stays where it is");
    is(na_one_line(pool, plain, 8), "Zoë ", "what is cut is cut before a character");
    is(na_one_line(pool, plain, 3), "Zo", "of two bytes, too");
    is(na_one_line(pool, "a\r\n\tb\x7f", 20), "a   b ", "control characters are spaces");
    is(na_one_line(pool,
                   "\xc2\x9b"
                   "31m",
                   20),
       " 31m", "C1 ones, too");
    is(na_one_line(pool, "M\xfcller \xe2\x82", 20), "M\ufffdller \ufffd\ufffd",
       "bytes that are no UTF-8 are marked");
    is(na_one_line(pool, "\xff\xff", 5), "\ufffd", "and never cut in two");
    is(na_one_line(pool, NULL, 5), "", "nothing is an empty line");
}

static void hashes(apr_pool_t *pool)
{
    /* RFC 5869 appendix A.1, the first 16 bytes */
    unsigned char secret[22], out[16], hash[NA_SHA256_LEN];
    memset(secret, 0x0b, sizeof secret);
    const unsigned char salt[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const unsigned char info[] = {0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9};
    succeeds(na_hkdf_sha256(pool, (na_bytes){secret, 22}, (na_bytes){salt, 13},
                            (na_bytes){info, 10}, out, sizeof out),
             "HKDF derives");
    is(na_hex(pool, out, sizeof out), "3cb25f25faacd57a90434f64d0362f2a", "as RFC 5869 has it");

    const char *token = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    na_sha256(hash, na_bytes_of(token), na_bytes_of("mod_nextauth-vector-secret-number-one-32b+"));
    is(na_hex(pool, hash, sizeof hash),
       "8cc3b7a93080ac62f1b9e5cc3b66cc1a68fe740d1ca8df45685296085b7343d8",
       "NextAuth's CSRF hash of token and secret");
    ok(na_equal_secret("abc", "abc"), "equal secrets are equal");
    ok(!na_equal_secret("abc", "abd") && !na_equal_secret("abc", "ab") &&
           !na_equal_secret(NULL, NULL),
       "others are not, NULL least of all");
    is(na_iso8601(pool, apr_time_from_sec(1780000000)), "2026-05-28T20:26:40.000Z", "ISO 8601");
}

static void json(apr_pool_t *pool)
{
    json_t *root;
    const char *text = "{\"a\":{\"b\":[{\"c\":\"deep\"},7]},\"a.b\":\"literal\",\"n\":null,"
                       "\"t\":true,\"r\":1.5}";
    succeeds(na_json_parse(pool, NA_ERR_CALLBACK, text, strlen(text), &root), "JSON is read");
    is(na_json_scalar(pool, na_json_path(root, "a.b.0.c")), "deep", "a dotted path is followed");
    is(na_json_scalar(pool, na_json_path(root, "a.b.1")), "7", "a number is text");
    json_t *least = json_integer(INT64_MIN);
    is(na_json_scalar(pool, least), "-9223372036854775808", "so is the least one");
    json_decref(least);
    is(na_json_scalar(pool, na_json_path(root, "a.b")), "literal", "a whole name goes first");
    is(na_json_scalar(pool, na_json_path(root, "t")), "true", "so is a truth value");
    is(na_json_scalar(pool, na_json_path(root, "r")), "1.5", "and a fraction");
    json_object_set_new(root, "my.app", json_pack("{s:i, s:i}", "x", 8, "y\\z", 9));
    is(na_json_scalar(pool, na_json_path(root, "my\\.app.x")), "8", "a dot may be in a name");
    is(na_json_scalar(pool, na_json_path(root, "my\\.app.y\\\\z")), "9", "so may a backslash");
    ok(!na_json_path(root, "my.app.x"), "which is not split there");
    ok(!na_json_path(root, "n"), "null is as good as missing");
    ok(!na_json_path(root, "a.x.y"), "a path that leads nowhere");
    fails(na_json_parse(pool, NA_ERR_CALLBACK, "{\"a\":1,\"a\":2}", 13, &root),
          "two members of one name are refused");
    fails(na_json_parse(pool, NA_ERR_CALLBACK, "{} x", 4, &root), "so is what follows the end");
}

/* Writes a document as Jansson does, which is the reference. */
static void dump(apr_pool_t *pool)
{
    static const char *const texts[] = {
        "[]",
        "{}",
        "[[],{},[[1,-2],{\"a\":{}}],null,true,false]",
        "{\"z\":1,\"a\":-9007199254740993,\"m\":1.5,\"tiny\":1e-300,\"whole\":3.0}",
        "[\"\",\"plain\",\"a/b\",\"\\\"\",\"\\\\\",\"\\b\\f\\n\\r\\t\"]",
        "[\"\\u0001\\u001f\\u007f\",\"Zo\\u00eb \\ud83d\\ude00\",\"\\\"a\\\"b\\\"\"]",
        "{\"\":\"no name\",\"a \\\"name\\\"\":\"\\u2028\"}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_t *json = na_json_own(pool, json_loads(texts[i], 0, NULL));
        char *expected = json_dumps(json, JSON_COMPACT);
        ok(strcmp(na_json_dump(pool, json), expected) == 0, "document %d is written", (int)i);
        free(expected);
    }
    json_t *long_list = na_json_own(pool, json_array());
    for (int i = 0; i < 1500; i++)
        json_array_append_new(long_list, json_string(apr_psprintf(pool, "\"%*d", i % 97, i)));
    char *expected = json_dumps(long_list, JSON_COMPACT);
    is(na_json_dump(pool, long_list), expected, "a long document is written");
    free(expected);
    ok(!na_json_dump(pool, NULL), "nothing is no text");
}

static void latin1(apr_pool_t *pool)
{
    is(na_latin1(pool, "Zo\u00eb \u00ff~"), "Zo\xeb \xff~", "ISO 8859-1 is converted");
    ok(!na_latin1(pool, "\u0141ukasz"), "a character beyond it is not");
    ok(!na_latin1(pool, "\xc2\x85"), "nor is a C1 control");
    ok(!na_latin1(pool, "\xc0\xaf") && !na_latin1(pool, "a\xc3") && !na_latin1(pool, "\xeb"),
       "nor is what is not UTF-8");
}

static void lists(apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 3, sizeof(const char *));
    is(na_list_text_with(pool, list, ';'), "", "an empty list");
    APR_ARRAY_PUSH(list, const char *) = "a,b";
    APR_ARRAY_PUSH(list, const char *) = "50%;";
    APR_ARRAY_PUSH(list, const char *) = "";
    is(na_list_text(pool, list), "a%2Cb,50%25;,", "a comma within an element is escaped");
    is(na_list_text_with(pool, list, ';'), "a,b;50%25%3B;", "so is another delimiter");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    base64url(pool);
    escaping(pool);
    utf8();
    latin1(pool);
    lists(pool);
    lines(pool);
    hashes(pool);
    json(pool);
    dump(pool);
    return tap_done();
}
