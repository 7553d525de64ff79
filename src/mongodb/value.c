/* SPDX-License-Identifier: Apache-2.0 */
/* Values of documents, which anybody who can write to the database may have written. */
#include "mongodb/value.h"

#include <math.h>
#include <string.h>

#include <apr_strings.h>

#include "base/text.h"

static const char *read_text(apr_pool_t *pool, const bson_iter_t *at)
{
    uint32_t len;
    if (!BSON_ITER_HOLDS_UTF8(at))
        return NULL;
    const char *text = bson_iter_utf8(at, &len);
    if (!text || len > NA_TEXT_MAX || memchr(text, '\0', len))
        return NULL;
    const char *copy = apr_pstrmemdup(pool, text, len);
    return na_is_utf8(copy) ? copy : NULL;
}

const char *na_value_text(apr_pool_t *pool, const bson_t *document, const char *field)
{
    bson_iter_t at;
    return bson_iter_init_find(&at, document, field) ? read_text(pool, &at) : NULL;
}

const char *na_value_oid(apr_pool_t *pool, const bson_t *document, const char *field)
{
    bson_iter_t at;
    char text[NA_OID_LEN + 1];
    if (!bson_iter_init_find(&at, document, field) || !BSON_ITER_HOLDS_OID(&at))
        return NULL;
    bson_oid_to_string(bson_iter_oid(&at), text);
    return apr_pstrdup(pool, text);
}

apr_int64_t na_value_time(const bson_t *document, const char *field)
{
    bson_iter_t at;
    return bson_iter_init_find(&at, document, field) && BSON_ITER_HOLDS_DATE_TIME(&at)
               ? bson_iter_date_time(&at)
               : 0;
}

/* JavaScript's numbers are doubles; those beyond its whole numbers are not numbers of ours. */
static apr_int64_t read_double(double value)
{
    return isfinite(value) && fabs(value) <= 9007199254740991.0 ? (apr_int64_t)value : 0;
}

apr_int64_t na_value_number(const bson_t *document, const char *field)
{
    bson_iter_t at;
    if (!bson_iter_init_find(&at, document, field))
        return 0;
    if (BSON_ITER_HOLDS_DOUBLE(&at))
        return read_double(bson_iter_double(&at));
    return BSON_ITER_HOLDS_INT(&at) ? bson_iter_as_int64(&at) : 0;
}

int na_value_is_set(const bson_t *document, const char *field)
{
    bson_iter_t at;
    if (!bson_iter_init_find(&at, document, field) || BSON_ITER_HOLDS_NULL(&at) ||
        BSON_ITER_HOLDS_UNDEFINED(&at))
        return 0;
    return !(BSON_ITER_HOLDS_BOOL(&at) || BSON_ITER_HOLDS_NUMBER(&at)) || bson_iter_as_bool(&at);
}

static void add_text(apr_pool_t *pool, const bson_iter_t *at, apr_array_header_t *texts)
{
    const char *text = read_text(pool, at);
    if (text && *text)
        APR_ARRAY_PUSH(texts, const char *) = text;
}

void na_value_texts(apr_pool_t *pool, const bson_t *document, const char *field,
                    apr_array_header_t *texts)
{
    bson_iter_t at, each;
    if (!bson_iter_init_find(&at, document, field))
        return;
    if (!BSON_ITER_HOLDS_ARRAY(&at)) {
        add_text(pool, &at, texts);
        return;
    }
    if (!bson_iter_recurse(&at, &each))
        return;
    for (int i = 0; i < NA_ARRAY_MAX && bson_iter_next(&each); i++)
        add_text(pool, &each, texts);
}

const unsigned char *na_value_binary(const bson_t *document, const char *field, size_t *len)
{
    bson_iter_t at;
    bson_subtype_t subtype;
    const uint8_t *data;
    uint32_t size = 0;
    *len = 0;
    if (!bson_iter_init_find(&at, document, field) || !BSON_ITER_HOLDS_BINARY(&at))
        return NULL;
    bson_iter_binary(&at, &subtype, &size, &data);
    if (subtype != BSON_SUBTYPE_BINARY)
        return NULL;
    *len = size;
    return data;
}

int na_oid_parse(const char *text, bson_oid_t *oid)
{
    if (!text || strlen(text) != NA_OID_LEN || strspn(text, "0123456789abcdef") != NA_OID_LEN)
        return 0;
    bson_oid_init_from_string(oid, text);
    return 1;
}
