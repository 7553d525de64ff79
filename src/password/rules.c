/* SPDX-License-Identifier: Apache-2.0 */
/* Judges new passwords. */
#include "password/rules.h"

#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/crypto.h"
#include "base/text.h"

/* shorter words are in too many passwords by chance */
#define WORD_MIN 4

/* conf/common-passwords.txt, which the build turns into string literals in strcmp's order. */
static const char *const common[] = {
#include "common_passwords.h"
};

static int max_bytes(const na_password_rules *rules)
{
    return rules->kind.algorithm == NA_HASH_BCRYPT ? NA_BCRYPT_PASSWORD_MAX : NA_PASSWORD_MAX;
}

/* Counts characters of well-formed UTF-8: bytes that do not continue one. */
static int count_characters(const char *text, size_t len)
{
    int count = 0;
    for (size_t i = 0; i < len; i++)
        count += (text[i] & 0xc0) != 0x80;
    return count;
}

/* ── passwords that attackers try first ────────────────────────────────────────────────────── */

static int compare_entry(const void *password, const void *entry)
{
    return strcmp(password, *(const char *const *)entry);
}

static int is_common(const char *lower)
{
    return bsearch(lower, common, sizeof common / sizeof *common, sizeof *common, compare_entry) !=
           NULL;
}

/* Returns the next character of well-formed UTF-8 and advances *text. */
static int next_character(const char **text)
{
    const unsigned char *p = (const unsigned char *)*text;
    int len = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
    int character = len == 1 ? *p : *p & (0x7f >> len);
    for (int i = 1; i < len; i++)
        character = character << 6 | (p[i] & 0x3f);
    *text += len;
    return character;
}

/* Returns the distance of two characters; 9 and 0 are neighbors, as on a keyboard. */
static int distance(int from, int to)
{
    if (from == '9' && to == '0')
        return 1;
    return from == '0' && to == '9' ? -1 : to - from;
}

/* Returns 1 if one character is repeated, or each is the successor, or each the predecessor. */
static int is_simple(const char *lower)
{
    if (!*lower)
        return 0;
    int from = next_character(&lower);
    const char *rest = lower;
    int first = *rest ? distance(from, next_character(&rest)) : 0;
    if (abs(first) > 1)
        return 0;
    while (*lower) {
        int to = next_character(&lower);
        if (distance(from, to) != first)
            return 0;
        from = to;
    }
    return 1;
}

/* ── words that others can know about the owner
 * ──────────────────────────────────────────────────────── */

static int has_word(const char *lower, const char *word, size_t len)
{
    if (count_characters(word, len) < WORD_MIN)
        return 0;
    for (; *lower; lower++) {
        size_t same = 0;
        while (same < len && lower[same] == apr_tolower(word[same]))
            same++;
        if (same == len)
            return 1;
    }
    return 0;
}

/* Returns 1 if the password has `len` bytes of the text as a whole, or one of its words. */
static int has_word_of(const char *lower, const char *text, size_t len)
{
    if (has_word(lower, text, len))
        return 1;
    for (const char *end = text + len; text < end;) {
        size_t word = strcspn(text, " .-_+");
        if (word > (size_t)(end - text))
            word = (size_t)(end - text);
        if (has_word(lower, text, word))
            return 1;
        text += word + 1;
    }
    return 0;
}

/* Omits the part after the last dot: passwords can contain "info" by coincidence. */
static size_t host_len(const char *host)
{
    const char *dot = strrchr(host, '.');
    return dot ? (size_t)(dot - host) : strlen(host);
}

static int is_personal(const char *lower, const na_password_owner *owner)
{
    return (owner->name && has_word_of(lower, owner->name, strlen(owner->name))) ||
           (owner->email && has_word(lower, owner->email, strlen(owner->email))) ||
           (owner->email && has_word_of(lower, owner->email, strcspn(owner->email, "@"))) ||
           (owner->host && has_word_of(lower, owner->host, host_len(owner->host)));
}

/* ── all of it ─────────────────────────────────────────────────────────────────────────────── */

static na_password_fault judge_lower(const na_password_owner *owner, const char *lower)
{
    if (is_simple(lower))
        return NA_PASSWORD_SIMPLE;
    if (is_common(lower))
        return NA_PASSWORD_COMMON;
    return is_personal(lower, owner) ? NA_PASSWORD_PERSONAL : NA_PASSWORD_FINE;
}

na_password_fault na_password_judge(const na_password_rules *rules, const na_password_owner *owner,
                                    const char *password)
{
    char lower[NA_PASSWORD_MAX + 1];
    size_t len = strlen(password);
    if (len > (size_t)max_bytes(rules))
        return NA_PASSWORD_TOO_LONG;
    if (!na_is_utf8(password))
        return NA_PASSWORD_NO_TEXT;
    if (count_characters(password, len) < rules->min_characters)
        return NA_PASSWORD_TOO_SHORT;
    for (size_t i = 0; i <= len; i++)
        lower[i] = (char)apr_tolower(password[i]);
    na_password_fault fault = judge_lower(owner, lower);
    na_wipe(lower, len);
    return fault;
}

const char *na_password_fault_text(apr_pool_t *pool, const na_language *language,
                                   const na_password_rules *rules, na_password_fault fault)
{
    switch (fault) {
    case NA_PASSWORD_FINE:
        return "";
    case NA_PASSWORD_TOO_SHORT:
        return na_say_with(pool, language,
                           "Use at least {number} characters. Several unrelated words work well.",
                           "number", apr_itoa(pool, rules->min_characters), NULL);
    case NA_PASSWORD_TOO_LONG:
        return na_say_with(pool, language,
                           "This password is too long. The limit is {number} characters, fewer "
                           "with accented letters, other scripts, or emoji.",
                           "number", apr_itoa(pool, max_bytes(rules)), NULL);
    case NA_PASSWORD_NO_TEXT:
        return na_say(language, "This password contains invalid characters.");
    case NA_PASSWORD_COMMON:
        return na_say(language, "This password is too common. Choose another.");
    case NA_PASSWORD_PERSONAL:
        return na_say(language,
                      "Do not use your name, your email address, or the name of this site.");
    case NA_PASSWORD_SIMPLE:
        return na_say(language, "Do not use a repeated character or a sequence such as 12345678.");
    }
    return "";
}
