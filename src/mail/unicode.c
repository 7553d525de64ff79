/* SPDX-License-Identifier: Apache-2.0 */
/* Email addresses beyond ASCII, with libunistring and libidn2. */
#include "mail/unicode.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <idn2.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#define LETTERS UC_CATEGORY_MASK_L
#define MARKS (UC_CATEGORY_MASK_Mn | UC_CATEGORY_MASK_Mc)
#define DIGITS UC_CATEGORY_MASK_Nd

static int is_among(ucs4_t c, uint32_t categories)
{
    return uc_is_general_category_withtable(c, categories);
}

static int is_allowed(ucs4_t c, ucs4_t before)
{
    if (uc_is_property_default_ignorable_code_point(c))
        return 0;
    return is_among(c, LETTERS | DIGITS) ||
           (is_among(c, MARKS) && is_among(before, LETTERS | MARKS | DIGITS));
}

/* Returns 1 if the text is composed and has no variants of other characters. */
static int is_normal(const uint8_t *text, size_t len)
{
    size_t normal_len = 0;
    uint8_t *normal = u8_normalize(UNINORM_NFKC, text, len, NULL, &normal_len);
    int is_same = normal && u8_cmp2(normal, normal_len, text, len) == 0;
    free(normal);
    return is_same;
}

int na_unicode_is_local(const char *local, apr_size_t len)
{
    const uint8_t *text = (const uint8_t *)local;
    ucs4_t c, before = 0;
    if (u8_check(text, len) || !is_normal(text, len))
        return 0;
    for (apr_size_t at = 0; at < len; before = c) {
        at += (apr_size_t)u8_mbtouc(&c, text + at, len - at);
        if (c >= 0x80 && !is_allowed(c, before))
            return 0;
    }
    return 1;
}

const char *na_unicode_lower(apr_pool_t *pool, const char *local, apr_size_t len)
{
    size_t lower_len = 0;
    uint8_t *lower = u8_tolower((const uint8_t *)local, len, NULL, UNINORM_NFC, NULL, &lower_len);
    const char *copy = lower ? apr_pstrmemdup(pool, (const char *)lower, lower_len) : NULL;
    free(lower);
    return copy;
}

/* Without IDN2_USE_STD3_ASCII_RULES, under which libidn2 2.3 drops characters: "a,ü" → "aü". */
const char *na_unicode_domain(apr_pool_t *pool, const char *domain)
{
    char *ascii;
    if (idn2_to_ascii_8z(domain, &ascii, IDN2_NONTRANSITIONAL) != IDN2_OK)
        return NULL;
    const char *copy = apr_pstrdup(pool, ascii);
    idn2_free(ascii);
    return copy;
}
