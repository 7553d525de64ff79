/* SPDX-License-Identifier: Apache-2.0 */
/* Claims of sessions, parsed within bounds. */
#include "session/claims.h"

#include <stdint.h>
#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/json.h"

#define NAMES_MAX 256
#define DEPTH_MAX 4

/* Most bytes of the name of a nested member, because each of its own members repeats it. */
#define PATH_MAX_BYTES 512

static void add_claim(na_claims *claims, const char *name, const char *value, int is_element)
{
    if (claims->list->nelts < NA_CLAIMS_MAX)
        APR_ARRAY_PUSH(claims->list, na_claim) = (na_claim){name, value, is_element};
    else
        claims->too_many = 1;
}

/* Returns the place for the time in a claim of that name; NULL if none. */
static apr_int64_t *time_of(na_claims *claims, const char *name)
{
    if (na_is_same(name, "exp"))
        return &claims->exp;
    if (na_is_same(name, "nbf"))
        return &claims->nbf;
    if (na_is_same(name, "iat"))
        return &claims->iat;
    return na_is_same(name, "auth_time") ? &claims->auth_time : NULL;
}

/* ── any JSON ──────────────────────────────────────────────────────────────────────────────── */

static void flatten(apr_pool_t *pool, na_claims *claims, const char *name, const json_t *value,
                    int depth, int is_element)
{
    size_t index;
    const char *member;
    json_t *child;
    if (depth > DEPTH_MAX || claims->too_many)
        return;
    if (json_is_array(value))
        json_array_foreach(value, index, child) flatten(pool, claims, name, child, depth + 1, 1);
    if (json_is_object(value) && strlen(name) <= PATH_MAX_BYTES)
        json_object_foreach((json_t *)value, member, child)
            flatten(pool, claims, apr_pstrcat(pool, name, ".", member, NULL), child, depth + 1,
                    is_element);
    const char *text = na_json_scalar(pool, value);
    if (text)
        add_claim(claims, name, text, is_element);
}

na_error *na_claims_read_json(apr_pool_t *pool, na_bytes text, na_claims *claims)
{
    json_t *json, *value;
    json_int_t seconds;
    const char *name;
    *claims = (na_claims){.list = apr_array_make(pool, 16, sizeof(na_claim))};
    NA_TRY(na_json_parse_sealed(pool, NA_ERR_SESSION, text, &json));
    if (!json_is_object(json))
        return na_error_new(pool, NA_ERR_SESSION, "the token's claims are not an object");
    json_object_foreach(json, name, value)
    {
        apr_int64_t *time = time_of(claims, name);
        flatten(pool, claims, name, value, 0, 0);
        if (time && na_json_whole(value, &seconds))
            *time = seconds;
        else if (time == &claims->nbf)
            claims->nbf = INT64_MAX; /* an invalid start is never reached */
    }
    return NULL;
}

/* ── plain JSON ────────────────────────────────────────────────────────────────────────────── */

/* Reads a string without escapes and terminates it in place; `*p` is at its opening quote. */
static const char *read_string(char **p)
{
    static const char ends[256] = {[0 ... 0x1f] = 1, ['"'] = 1, ['\\'] = 1};
    if (**p != '"')
        return NULL;
    char *start = *p + 1, *end = start;
    while (!ends[(unsigned char)*end])
        end++;
    if (*end != '"')
        return NULL;
    *end = '\0';
    *p = end + 1;
    return start;
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/*
 * Reads a whole number that is already in the form in which it would be printed. The text ends
 * where the character after it is overwritten.
 */
static const char *read_whole(char **p, apr_int64_t *number)
{
    const char *start = *p, *first = start + (*start == '-'), *end = first;
    apr_int64_t value = 0;
    for (; is_digit(*end) && end - first <= 15; end++)
        value = value * 10 + (*end - '0');
    if (end == first || end - first > 15 || (*first == '0' && end - start > 1))
        return NULL;
    *number = first > start ? -value : value;
    *p += end - start;
    return start;
}

/* Returns the character after a value, and ends the value's text there. */
static char read_behind(char **p)
{
    char behind = **p;
    *(*p)++ = '\0';
    return behind;
}

static int read_word(char **p, const char *word)
{
    apr_size_t len = strlen(word);
    int found = strncmp(*p, word, len) == 0;
    *p += found ? len : 0;
    return found;
}

static int read_scalar(char **p, const char *name, na_claims *claims, int is_element)
{
    apr_int64_t number;
    if (**p == 'n')
        return read_word(p, "null");
    const char *value = **p == '"'              ? read_string(p)
                        : read_word(p, "true")  ? "true"
                        : read_word(p, "false") ? "false"
                                                : read_whole(p, &number);
    if (value)
        add_claim(claims, name, value, is_element);
    return value != NULL;
}

static int read_array(char **p, const char *name, na_claims *claims)
{
    if (*++*p == ']') {
        ++*p;
        return 1;
    }
    while (read_scalar(p, name, claims, 1)) {
        char behind = read_behind(p);
        if (behind != ',')
            return behind == ']';
    }
    return 0;
}

static int read_time(char **p, const char *name, na_claims *claims, apr_int64_t *time)
{
    const char *digits = read_whole(p, time);
    if (digits)
        add_claim(claims, name, digits, 0);
    return digits != NULL;
}

static int read_value(char **p, const char *name, na_claims *claims)
{
    apr_int64_t *time = time_of(claims, name);
    if (time)
        return read_time(p, name, claims, time);
    return **p == '[' ? read_array(p, name, claims) : read_scalar(p, name, claims, 0);
}

/*
 * Returns 1 for the first member of a name that has a value. The library decides which of two
 * counts; before this one there can be others that have none: null, [].
 */
static int is_new(const na_claims *claims, const char *name)
{
    for (int i = 0; i < claims->list->nelts; i++)
        if (na_is_same(APR_ARRAY_IDX(claims->list, i, na_claim).name, name))
            return 0;
    return 1;
}

int na_claims_read_plain(apr_pool_t *pool, na_bytes text, na_claims *claims)
{
    char *copy = apr_pstrmemdup(pool, (const char *)text.data, text.len), *p = copy;
    *claims = (na_claims){.list = apr_array_make(pool, 16, sizeof(na_claim))};
    claims->strings = (na_bytes){(unsigned char *)copy, text.len + 1};
    if (strlen(copy) != text.len || !na_is_utf8(copy) || *p++ != '{')
        return 0;
    for (int names = 0; names < NAMES_MAX; names++) {
        const char *name = read_string(&p);
        if (!name || *p++ != ':' || !is_new(claims, name) || !read_value(&p, name, claims))
            return 0;
        char behind = read_behind(&p);
        if (behind != ',')
            return behind == '}' && !*p;
    }
    return 0;
}

na_error *na_claims_read(apr_pool_t *pool, na_bytes text, na_claims *claims)
{
    if (!na_claims_read_plain(pool, text, claims))
        NA_TRY(na_claims_read_json(pool, text, claims));
    return claims->too_many
               ? na_error_new(pool, NA_ERR_SESSION, "the session has more than %d claim values",
                              NA_CLAIMS_MAX)
               : NULL;
}

const char *na_claims_text(const na_claims *claims, const char *name)
{
    for (int i = 0; i < claims->list->nelts; i++) {
        const na_claim *claim = &APR_ARRAY_IDX(claims->list, i, na_claim);
        if (!claim->is_element && na_is_same(claim->name, name))
            return claim->value;
    }
    return NULL;
}

na_error *na_claims_check_times(apr_pool_t *pool, const na_claims *claims, apr_time_t now)
{
    apr_int64_t seconds = apr_time_sec(now);
    if (!claims->exp)
        return na_error_new(pool, NA_ERR_SESSION, "the token has no exp");
    if (claims->exp <= seconds - NA_CLOCK_TOLERANCE)
        return na_error_new(pool, NA_ERR_SESSION, "the token expired %" APR_INT64_T_FMT " s ago",
                            seconds - claims->exp);
    if (claims->nbf > seconds + NA_CLOCK_TOLERANCE)
        return na_error_new(pool, NA_ERR_SESSION, "the token is not valid yet");
    return NULL;
}
