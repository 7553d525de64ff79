/* SPDX-License-Identifier: Apache-2.0 */
/* Reads translations, chooses a language, and translates. */
#include "base/language.h"

#include <stdarg.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

#define FILE_MAX (512 * 1024)
#define TEXT_MAX 1000
#define TAG_MAX 35    /* as RFC 5646 section 4.4.1 recommends */
#define RANGES_MAX 32 /* of Accept-Language that are read */

const na_language na_english = {.tag = "en"};

/* ── translating ───────────────────────────────────────────────────────────────────────────── */

const char *na_say(const na_language *language, const char *english)
{
    const char *text = english && language->texts
                           ? apr_hash_get(language->texts, english, APR_HASH_KEY_STRING)
                           : NULL;
    return text ? text : english;
}

/* Returns the value of the placeholder whose name has `len` characters; NULL if there is none. */
static const char *value_of(const char *name, apr_size_t len, va_list values)
{
    const char *found = NULL, *key;
    va_list rest;
    va_copy(rest, values);
    while (!found && (key = va_arg(rest, const char *))) {
        const char *value = va_arg(rest, const char *);
        if (strlen(key) == len && memcmp(key, name, len) == 0)
            found = value;
    }
    va_end(rest);
    return found;
}

static const char *fill_text(apr_pool_t *pool, const char *text, va_list values)
{
    apr_array_header_t *parts = apr_array_make(pool, 8, sizeof(const char *));
    const char *open, *end;
    while ((open = strchr(text, '{')) && (end = strchr(open, '}'))) {
        const char *value = value_of(open + 1, (apr_size_t)(end - open - 1), values);
        APR_ARRAY_PUSH(parts, const char *) = apr_pstrmemdup(pool, text, (apr_size_t)(open - text));
        APR_ARRAY_PUSH(parts, const char *) = value ? value : "";
        text = end + 1;
    }
    APR_ARRAY_PUSH(parts, const char *) = text;
    return apr_array_pstrcat(pool, parts, '\0');
}

const char *na_say_with(apr_pool_t *pool, const na_language *language, const char *english, ...)
{
    va_list values;
    va_start(values, english);
    const char *text = fill_text(pool, na_say(language, english), values);
    va_end(values);
    return text;
}

const char *na_say_html(apr_pool_t *pool, const na_language *language, const char *english, ...)
{
    va_list values;
    va_start(values, english);
    const char *text = fill_text(pool, na_html(pool, na_say(language, english)), values);
    va_end(values);
    return text;
}

/* ── choosing ──────────────────────────────────────────────────────────────────────────────── */

int na_language_is_tag(const char *tag)
{
    size_t len = strlen(tag);
    if (len < 2 || len > TAG_MAX || !apr_isalpha(*tag) || tag[len - 1] == '-' || strstr(tag, "--"))
        return 0;
    for (; *tag; tag++)
        if (!apr_isalnum(*tag) && *tag != '-')
            return 0;
    return 1;
}

static const na_language *find_language(const apr_array_header_t *languages, const char *tag,
                                        size_t len)
{
    for (int i = 0; i < languages->nelts; i++) {
        const na_language *language = APR_ARRAY_IDX(languages, i, const na_language *);
        if (strlen(language->tag) == len && strncasecmp(language->tag, tag, len) == 0)
            return language;
    }
    return NULL;
}

/* Removes the last subtag of a range, and one of a single character before it (RFC 4647 section
 * 3.4). */
static size_t shorter(const char *range, size_t len)
{
    while (len > 0 && range[len - 1] != '-')
        len--;
    len -= len > 0;
    return len > 1 && range[len - 2] == '-' ? len - 2 : len;
}

static const na_language *look_up(const apr_array_header_t *languages, const char *range,
                                  size_t len)
{
    const na_language *found = NULL;
    for (; len > 0 && !found; len = shorter(range, len))
        found = find_language(languages, range, len);
    return found;
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

/* Returns a weight (RFC 9110 section 12.4.2) in thousandths: 1000 if there is none, 0 if it is
 * malformed. */
static int weight_of(const char *text)
{
    int weight = 0, place = 1000;
    text = skip_blanks(text);
    if (!*text || *text == ',')
        return place;
    if (*text != ';')
        return 0;
    text = skip_blanks(text + 1);
    if ((*text != 'q' && *text != 'Q') || text[1] != '=' || (text[2] != '0' && text[2] != '1'))
        return 0;
    weight = (text[2] - '0') * place;
    if (text[3] == '.')
        for (text += 4; place > 1 && apr_isdigit(*text); text++)
            weight += (*text - '0') * (place /= 10);
    return weight <= 1000 ? weight : 0;
}

/* The first range with the highest weight counts. "*" fits nothing better than the default. */
const na_language *na_language_choose(const apr_array_header_t *languages, const char *accepted)
{
    const na_language *best = APR_ARRAY_IDX(languages, 0, const na_language *);
    int highest = 0;
    for (int n = 0; accepted && *accepted && n < RANGES_MAX; n++) {
        accepted = skip_blanks(accepted);
        size_t len = strspn(accepted, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789-");
        int weight = weight_of(accepted + len);
        const na_language *found = weight > highest ? look_up(languages, accepted, len) : NULL;
        if (found) {
            best = found;
            highest = weight;
        }
        accepted += strcspn(accepted, ",");
        accepted += *accepted == ',';
    }
    return best;
}

/* ── reading ───────────────────────────────────────────────────────────────────────────────── */

/* Returns a placeholder, such as "{name}", of `text` that `other` lacks; NULL if it has all. */
static const char *lacking(apr_pool_t *pool, const char *text, const char *other)
{
    const char *end;
    while ((text = strchr(text, '{')) && (end = strchr(text, '}'))) {
        const char *placeholder = apr_pstrmemdup(pool, text, (apr_size_t)(end - text + 1));
        if (!strstr(other, placeholder))
            return placeholder;
        text = end;
    }
    return NULL;
}

static const char *fault_of(apr_pool_t *pool, const char *english, const char *text)
{
    if (!text || !*text)
        return "it is not a text";
    if (strlen(text) > TEXT_MAX)
        return apr_psprintf(pool, "it is longer than %d bytes", TEXT_MAX);
    if (na_has_control(text) || strpbrk(text, "<>"))
        return "it has control characters, or < or >";
    const char *missing = lacking(pool, english, text), *extra = lacking(pool, text, english);
    if (missing)
        return apr_psprintf(pool, "it lacks %s", missing);
    return extra ? apr_psprintf(pool, "the English text has no %s",
                                na_one_line(pool, extra, (int)strlen(extra)))
                 : NULL;
}

static na_error *read_texts(apr_pool_t *pool, const json_t *texts, na_language *language)
{
    const char *english;
    json_t *value;
    language->texts = apr_hash_make(pool);
    json_object_foreach((json_t *)(apr_uintptr_t)texts, english, value)
    {
        const char *text = json_string_value(value), *fault = fault_of(pool, english, text);
        if (fault)
            return na_error_new(pool, NA_ERR_CONFIGURATION, "invalid translation of '%s': %s",
                                na_one_line(pool, english, 200), fault);
        apr_hash_set(language->texts, english, APR_HASH_KEY_STRING, text);
    }
    return NULL;
}

static na_error *read_language(apr_pool_t *pool, const char *text, na_language *language)
{
    json_t *json;
    NA_TRY(na_json_parse(pool, NA_ERR_CONFIGURATION, text, strlen(text), &json));
    const char *tag = na_json_string(json, "language"),
               *direction = na_json_string(json, "direction");
    if (!tag || strcasecmp(tag, language->tag) != 0)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "its language is not '%s'", language->tag);
    if (!direction || (strcmp(direction, "ltr") != 0 && strcmp(direction, "rtl") != 0))
        return na_error_new(pool, NA_ERR_CONFIGURATION, "invalid direction: expected ltr or rtl");
    const json_t *texts = json_object_get(json, "texts");
    if (!json_is_object(texts))
        return na_error_new(pool, NA_ERR_CONFIGURATION, "missing texts");
    language->is_rtl = strcmp(direction, "rtl") == 0;
    return read_texts(pool, texts, language);
}

na_error *na_language_read(apr_pool_t *pool, const char *tag, const char *path,
                           const na_language **language)
{
    void *kept;
    const char *text, *key = apr_pstrcat(pool, "nextauth-language ", tag, " ", path, NULL);
    apr_pool_userdata_get(&kept, key, pool);
    *language = kept;
    if (kept)
        return NULL;
    NA_TRY(na_file_read(pool, path, FILE_MAX, &text));
    na_language *read = apr_pcalloc(pool, sizeof *read);
    read->tag = apr_pstrdup(pool, tag);
    na_error *error = read_language(pool, text, read);
    if (error)
        return na_error_wrap(pool, error, NULL, "%s", path);
    apr_pool_userdata_setn(read, key, NULL, pool);
    *language = read;
    return NULL;
}
