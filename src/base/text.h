/* SPDX-License-Identifier: Apache-2.0 */
/* Text: encodings, checks, quoting. */
#ifndef NA_BASE_TEXT_H
#define NA_BASE_TEXT_H

#include <string.h>

#include <apr_pools.h>
#include <apr_tables.h>

/* Borrowed bytes, not NUL-terminated. */
typedef struct na_bytes {
    const unsigned char *data;
    apr_size_t len;
} na_bytes;

/* Returns a number of one to five digits; -1 for any other text. */
int na_small_number(const char *text);

/* Returns 1 if two names are equal. Most differ in the first character, which spares the call. */
static inline int na_is_same(const char *a, const char *b)
{
    return *a == *b && strcmp(a, b) == 0;
}

/* Returns 1 if `word` (can be NULL) is one of a list of words with a space in between. */
int na_is_word_of(const char *word, const char *list);

/* Returns the bytes of a C string, without its NUL. */
na_bytes na_bytes_of(const char *text);

/* Encodes as base64url without padding (RFC 4648 section 5, as used in RFC 7515 section 2). */
char *na_base64url_encode(apr_pool_t *pool, const void *data, apr_size_t len);

/* Most bytes that `len` characters of base64url decode to. */
#define NA_BASE64URL_DECODED_MAX(len) ((len) / 4 * 3 + 2)

/*
 * Decodes strictly: no padding, no white space, no characters of standard base64, no stray bits at
 * the end. `out` has NA_BASE64URL_DECODED_MAX(len) bytes. Returns 0 if the text is not canonical.
 */
int na_base64url_decode_to(unsigned char *out, apr_size_t *out_len, const char *text,
                           apr_size_t len);

/*
 * Decodes base64url into the pool, with a NUL after the bytes; NULL if the text is not canonical.
 */
unsigned char *na_base64url_decode(apr_pool_t *pool, const char *text, apr_size_t len,
                                   apr_size_t *out_len);

/* Returns lower-case hex. */
char *na_hex(apr_pool_t *pool, const void *data, apr_size_t len);

/* Decodes `len` bytes from lower-case hex; returns 0 if the text is anything else. */
int na_hex_decode_to(unsigned char *out, apr_size_t len, const char *text, apr_size_t text_len);

/* Escapes for HTML text and quoted attribute values. Returns "" for NULL. */
const char *na_html(apr_pool_t *pool, const char *text);

/* Encodes as JavaScript's encodeURIComponent does. */
char *na_percent_encode(apr_pool_t *pool, const char *text);

/*
 * Decodes one component of a query or form ('+' is a space if `plus`); NULL if an escape is
 * malformed or encodes NUL.
 */
char *na_percent_decode(apr_pool_t *pool, const char *text, int plus);

/*
 * Returns 1 if the first or last character is a blank: HTTP removes it from a header's value (RFC
 * 9110 section 5.5).
 */
int na_has_blank_ends(const char *text);

/* Returns 1 if `text` has a byte below 0x20 or 0x7f. */
int na_has_control(const char *text);

/*
 * Returns 1 if `text` begins with DEL or, in UTF-8, a C1 control: terminals obey some of them, and
 * JSON does not escape them.
 */
int na_is_unescaped_control(const char *text);

/* U+FFFD, for bytes that are not UTF-8. */
#define NA_REPLACEMENT "\xef\xbf\xbd"

/*
 * Returns foreign text for a log line, a header, or JSON: control characters become spaces, bytes
 * that are not UTF-8 become U+FFFD, and characters beyond `max` bytes are cut. Returns `text`
 * itself if nothing changes, "" for NULL.
 */
const char *na_one_line(apr_pool_t *pool, const char *text, apr_size_t max);

/* Returns the bytes of the well-formed sequence with which `text` begins, 0 if none (RFC 3629). */
int na_utf8_sequence(const char *text);

/* Returns 1 if the bytes are well-formed UTF-8 (RFC 3629). */
int na_is_utf8(const char *text);

/* Returns the text in ISO 8859-1; NULL if it is not UTF-8, or has characters beyond that
 * or C1 controls. */
const char *na_latin1(apr_pool_t *pool, const char *utf8);

/* Converts a whole text as na_one_line does, without a limit. */
const char *na_whole_line(apr_pool_t *pool, const char *text);

/*
 * Returns a list as one text: its elements (const char *) separated by commas. A comma in an
 * element is written as %2C, and % as %25, so that no element can be taken for two.
 */
const char *na_list_text(apr_pool_t *pool, const apr_array_header_t *elements);

/* Returns the list with another character, such as ';', in place of the comma. */
const char *na_list_text_with(apr_pool_t *pool, const apr_array_header_t *elements, char delimiter);

/* Returns the readable form of a path of names with dots: "\\." becomes ".", and "\\\\" "\\". */
const char *na_path_text(apr_pool_t *pool, const char *path);

/* Returns the texts (const char *) with the separator between them. Memory is linear. */
char *na_join(apr_pool_t *pool, const apr_array_header_t *texts, const char *separator);

#endif
