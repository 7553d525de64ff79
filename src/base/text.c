/* SPDX-License-Identifier: Apache-2.0 */
/* Text: encodings, checks, quoting. */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include <apr_lib.h>
#include <apr_strings.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/*
 * The values of base64url characters, each as its bits stand in a group of four from bit 8 upwards.
 * The lowest bit says that a character is not among them, so that a text is checked once, at its
 * end.
 */
#define NONE 1
#define TWO(character, value, shift)                                                               \
    [character] = (apr_uint32_t)(value) << (shift),                                                \
    [(character) + 1] = (apr_uint32_t)((value) + 1) << (shift)
#define EIGHT(character, value, shift)                                                             \
    TWO(character, value, shift), TWO((character) + 2, (value) + 2, shift),                        \
        TWO((character) + 4, (value) + 4, shift), TWO((character) + 6, (value) + 6, shift)
#define LETTERS(character, value, shift)                                                           \
    EIGHT(character, value, shift), EIGHT((character) + 8, (value) + 8, shift),                    \
        EIGHT((character) + 16, (value) + 16, shift), TWO((character) + 24, (value) + 24, shift)
#define VALUES(shift)                                                                              \
    {                                                                                              \
        LETTERS('A', 0, shift), LETTERS('a', 26, shift), EIGHT('0', 52, shift),                    \
            TWO('8', 60, shift),                                                                   \
            ['-'] = (apr_uint32_t)62 << (shift), ['_'] = (apr_uint32_t)63 << (shift),              \
            [0 ... '-' - 1] = NONE, ['-' + 1 ... '0' - 1] = NONE, ['9' + 1 ... 'A' - 1] = NONE,    \
            ['Z' + 1 ... '_' - 1] = NONE, ['_' + 1 ... 'a' - 1] = NONE, ['z' + 1 ... 255] = NONE,  \
    }
static const apr_uint32_t values[4][256] = {VALUES(26), VALUES(20), VALUES(14), VALUES(8)};

int na_small_number(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits && digits <= 5 && !text[digits] ? atoi(text) : -1;
}

int na_is_word_of(const char *word, const char *list)
{
    size_t len;
    for (; word && *word && *list; list += len + strspn(list + len, " ")) {
        len = strcspn(list, " ");
        if (strlen(word) == len && strncmp(word, list, len) == 0)
            return 1;
    }
    return 0;
}

na_bytes na_bytes_of(const char *text)
{
    return (na_bytes){(const unsigned char *)text, strlen(text)};
}

char *na_base64url_encode(apr_pool_t *pool, const void *data, apr_size_t len)
{
    const unsigned char *in = data;
    char *out = apr_palloc(pool, (len + 2) / 3 * 4 + 1);
    char *p = out;
    for (; len >= 3; len -= 3, in += 3) {
        *p++ = alphabet[in[0] >> 2];
        *p++ = alphabet[(in[0] & 3) << 4 | in[1] >> 4];
        *p++ = alphabet[(in[1] & 15) << 2 | in[2] >> 6];
        *p++ = alphabet[in[2] & 63];
    }
    if (len) {
        unsigned char second = len == 2 ? in[1] : 0;
        *p++ = alphabet[in[0] >> 2];
        *p++ = alphabet[(in[0] & 3) << 4 | second >> 4];
        if (len == 2)
            *p++ = alphabet[(second & 15) << 2];
    }
    *p = '\0';
    return out;
}

int na_base64url_decode_to(unsigned char *out, apr_size_t *out_len, const char *text,
                           apr_size_t len)
{
    const unsigned char *in = (const unsigned char *)text, *groups_end = in + len / 4 * 4;
    unsigned char *p = out;
    apr_uint32_t seen = 0;
    for (; in < groups_end; in += 4, p += 3) {
        apr_uint32_t bits =
            values[0][in[0]] | values[1][in[1]] | values[2][in[2]] | values[3][in[3]];
        seen |= bits;
        /* the fourth byte is overwritten by the next three; `out` has room for the last one */
        apr_uint32_t bytes = htonl(bits);
        memcpy(p, &bytes, sizeof bytes);
    }
    len %= 4;
    if (len == 1)
        return 0;
    if (len) {
        apr_uint32_t bits = values[0][in[0]] | values[1][in[1]] | (len == 3 ? values[2][in[2]] : 0);
        int bytes = (int)len - 1;
        if (bits << 8 * bytes)
            return 0; /* stray bits behind the last byte, or NONE */
        for (int i = 0; i < bytes; i++)
            *p++ = (unsigned char)(bits >> (24 - 8 * i));
    }
    if (seen & NONE)
        return 0;
    *out_len = (apr_size_t)(p - out);
    return 1;
}

unsigned char *na_base64url_decode(apr_pool_t *pool, const char *text, apr_size_t len,
                                   apr_size_t *out_len)
{
    unsigned char *out = apr_palloc(pool, NA_BASE64URL_DECODED_MAX(len) + 1);
    if (!na_base64url_decode_to(out, out_len, text, len))
        return NULL;
    out[*out_len] = '\0';
    return out;
}

char *na_hex(apr_pool_t *pool, const void *data, apr_size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *in = data;
    char *out = apr_palloc(pool, len * 2 + 1);
    for (apr_size_t i = 0; i < len; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    out[len * 2] = '\0';
    return out;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int na_hex_decode_to(unsigned char *out, apr_size_t len, const char *text, apr_size_t text_len)
{
    if (text_len != 2 * len)
        return 0;
    for (apr_size_t i = 0; i < len; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return 0;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return 1;
}

static const char *html_entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

const char *na_html(apr_pool_t *pool, const char *text)
{
    if (!text)
        return "";
    if (!strpbrk(text, "&<>\"'"))
        return text;
    char *out = apr_palloc(pool, strlen(text) * 6 + 1);
    char *p = out;
    for (; *text; text++) {
        const char *entity = html_entity(*text);
        if (!entity) {
            *p++ = *text;
            continue;
        }
        size_t len = strlen(entity);
        memcpy(p, entity, len);
        p += len;
    }
    *p = '\0';
    return out;
}

/* Returns 1 for the characters that encodeURIComponent leaves as they are. */
static int is_unreserved(unsigned char c)
{
    static const char unreserved[256] = {
        ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1, ['-'] = 1,  ['_'] = 1, ['.'] = 1,
        ['!'] = 1,         ['~'] = 1,         ['*'] = 1,         ['\''] = 1, ['('] = 1, [')'] = 1};
    return unreserved[c];
}

char *na_percent_encode(apr_pool_t *pool, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = apr_palloc(pool, strlen(text) * 3 + 1);
    char *p = out;
    for (;;) {
        while (is_unreserved((unsigned char)*text))
            *p++ = *text++;
        if (!*text)
            break;
        unsigned char c = (unsigned char)*text++;
        *p++ = '%';
        *p++ = digits[c >> 4];
        *p++ = digits[c & 15];
    }
    *p = '\0';
    return out;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

char *na_percent_decode(apr_pool_t *pool, const char *text, int plus)
{
    char *out = apr_palloc(pool, strlen(text) + 1);
    char *p = out;
    for (; *text; text++) {
        if (*text == '+' && plus) {
            *p++ = ' ';
            continue;
        }
        if (*text != '%') {
            *p++ = *text;
            continue;
        }
        int high = hex_value(text[1]);
        int low = high < 0 ? -1 : hex_value(text[2]);
        if (low < 0 || (high == 0 && low == 0))
            return NULL;
        *p++ = (char)(high << 4 | low);
        text += 2;
    }
    *p = '\0';
    return out;
}

/* Returns the first character that is not printable ASCII: mostly the end. */
static const char *skip_plain(const char *text)
{
    while (*text >= ' ' && *text < 0x7f)
        text++;
    return text;
}

int na_has_control(const char *text)
{
    for (text = skip_plain(text); *text; text = skip_plain(text + 1))
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return 1;
    return 0;
}

int na_has_blank_ends(const char *text)
{
    size_t len = strlen(text);
    return len && (*text == ' ' || text[len - 1] == ' ');
}

int na_utf8_sequence(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    int length = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    for (int i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return length;
}

/* Returns 1 if the next eight bytes are ASCII, which most text is made of. */
static int is_ascii_word(const char *text)
{
    apr_uint64_t word;
    memcpy(&word, text, sizeof word);
    return !(word & APR_UINT64_C(0x8080808080808080));
}

int na_is_utf8(const char *text)
{
    const char *end = text + strlen(text);
    while (text < end) {
        while (end - text >= 8 && is_ascii_word(text))
            text += 8;
        int length = na_utf8_sequence(text);
        if (!length)
            return 0;
        text += length;
    }
    return 1;
}

int na_is_unescaped_control(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    return p[0] == 0x7f || (p[0] == 0xc2 && p[1] < 0xa0);
}

static int is_control(const char *p)
{
    return ((unsigned char)*p < 0x20 && *p) || na_is_unescaped_control(p);
}

static int is_one_line(const char *text, apr_size_t max)
{
    const char *p = skip_plain(text);
    for (int len; *p; p = skip_plain(p + len)) {
        len = is_control(p) ? 0 : na_utf8_sequence(p);
        if (!len)
            return 0;
    }
    return (apr_size_t)(p - text) <= max;
}

const char *na_one_line(apr_pool_t *pool, const char *text, apr_size_t max)
{
    if (!text)
        return "";
    if (is_one_line(text, max))
        return text;
    char *copy = apr_palloc(pool, max + 1), *end = copy;
    while (*text) {
        int len = na_utf8_sequence(text);
        const char *from = is_control(text) ? " " : len ? text : NA_REPLACEMENT;
        apr_size_t size = from == text ? (apr_size_t)len : strlen(from);
        if (size > max - (apr_size_t)(end - copy))
            break;
        memcpy(end, from, size);
        end += size;
        text += len ? len : 1;
    }
    *end = '\0';
    return copy;
}

char *na_join(apr_pool_t *pool, const apr_array_header_t *texts, const char *separator)
{
    apr_size_t len = 0, separator_len = strlen(separator);
    for (int i = 0; i < texts->nelts; i++)
        len += strlen(APR_ARRAY_IDX(texts, i, const char *)) + separator_len;
    char *joined = apr_palloc(pool, len + 1), *end = joined;
    for (int i = 0; i < texts->nelts; i++) {
        const char *text = APR_ARRAY_IDX(texts, i, const char *);
        if (i)
            end = (char *)memcpy(end, separator, separator_len) + separator_len;
        len = strlen(text);
        end = (char *)memcpy(end, text, len) + len;
    }
    *end = '\0';
    return joined;
}

const char *na_latin1(apr_pool_t *pool, const char *utf8)
{
    char *out = apr_palloc(pool, strlen(utf8) + 1), *p = out;
    for (; *utf8; utf8++) {
        unsigned char c = (unsigned char)*utf8;
        if (c < 0x80) {
            *p++ = *utf8;
            continue;
        }
        int is_control = c == 0xc2 && (unsigned char)utf8[1] < 0xa0;
        if (c > 0xc3 || is_control || na_utf8_sequence(utf8) != 2) /* U+00FF is C3 BF */
            return NULL;
        *p++ = (char)(c << 6 | (*++utf8 & 0x3f));
    }
    *p = '\0';
    return out;
}

const char *na_whole_line(apr_pool_t *pool, const char *text)
{
    return text ? na_one_line(pool, text, strlen(text) * strlen(NA_REPLACEMENT)) : "";
}

static const char *element_text(apr_pool_t *pool, const char *element, char delimiter)
{
    static const char digits[] = "0123456789ABCDEF";
    const char special[] = {delimiter, '%', '\0'};
    if (!strpbrk(element, special))
        return element;
    char *out = apr_palloc(pool, strlen(element) * 3 + 1), *p = out;
    for (; *element; element++) {
        if (*element != delimiter && *element != '%') {
            *p++ = *element;
            continue;
        }
        *p++ = '%';
        *p++ = digits[(unsigned char)*element >> 4];
        *p++ = digits[*element & 15];
    }
    *p = '\0';
    return out;
}

const char *na_list_text_with(apr_pool_t *pool, const apr_array_header_t *elements, char delimiter)
{
    const char separator[] = {delimiter, '\0'};
    apr_array_header_t *texts = apr_array_make(pool, elements->nelts, sizeof(const char *));
    for (int i = 0; i < elements->nelts; i++)
        APR_ARRAY_PUSH(texts, const char *) =
            element_text(pool, APR_ARRAY_IDX(elements, i, const char *), delimiter);
    return na_join(pool, texts, separator);
}

const char *na_list_text(apr_pool_t *pool, const apr_array_header_t *elements)
{
    return na_list_text_with(pool, elements, ',');
}

const char *na_path_text(apr_pool_t *pool, const char *path)
{
    if (!strchr(path, '\\'))
        return path;
    char *out = apr_palloc(pool, strlen(path) + 1), *p = out;
    for (; *path; path++) {
        if (*path == '\\' && (path[1] == '.' || path[1] == '\\'))
            path++;
        *p++ = *path;
    }
    *p = '\0';
    return out;
}
