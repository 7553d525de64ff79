/* SPDX-License-Identifier: Apache-2.0 */
/* Compact serialization: its parts, and the members of a header. */
#include "jose/compact.h"

#include <string.h>

#include "base/crypto.h"
#include "base/json.h"

int na_compact_split(const char *token, apr_size_t len, na_bytes *parts, int count)
{
    const char *end = token + len;
    for (int i = 0; i < count - 1; i++) {
        const char *dot = memchr(token, '.', (size_t)(end - token));
        if (!dot)
            return 0;
        parts[i] = (na_bytes){(const unsigned char *)token, (apr_size_t)(dot - token)};
        token = dot + 1;
    }
    parts[count - 1] = (na_bytes){(const unsigned char *)token, (apr_size_t)(end - token)};
    return memchr(token, '.', (size_t)(end - token)) == NULL;
}

na_error *na_compact_decode(apr_pool_t *pool, const char *code, const char *what, na_bytes part,
                            na_bytes *decoded)
{
    decoded->data = na_base64url_decode(pool, (const char *)part.data, part.len, &decoded->len);
    if (!decoded->data)
        return na_error_new(pool, code, "the %s is not canonical base64url", what);
    return NULL;
}

na_error *na_jose_header(apr_pool_t *pool, const char *code, na_bytes part, const json_t **header)
{
    static const char *const refused[] = {"crit", "zip", "b64"};
    na_bytes text;
    json_t *json;
    NA_TRY(na_compact_decode(pool, code, "header", part, &text));
    na_error *error = na_json_parse(pool, code, (const char *)text.data, text.len, &json);
    if (error)
        return na_error_wrap(pool, error, NULL, "invalid header");
    if (!json_is_object(json))
        return na_error_new(pool, code, "the header is not a JSON object");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (json_object_get(json, refused[i]))
            return na_error_new(pool, code, "the header has \"%s\", which is refused", refused[i]);
    *header = json;
    return NULL;
}

na_error *na_jose_string(apr_pool_t *pool, const char *code, const json_t *object, const char *name,
                         const char **value)
{
    const json_t *member = json_object_get(object, name);
    *value = json_string_value(member);
    if (member && !*value)
        return na_error_new(pool, code, "\"%s\" is not a string", name);
    return NULL;
}

na_error *na_jose_bytes(apr_pool_t *pool, const char *code, const json_t *object, const char *name,
                        na_bytes *value)
{
    const char *text;
    *value = (na_bytes){NULL, 0};
    NA_TRY(na_jose_string(pool, code, object, name, &text));
    if (!text)
        return NULL;
    unsigned char *data = na_base64url_decode(pool, text, strlen(text), &value->len);
    if (!data)
        return na_error_new(pool, code, "\"%s\" is not canonical base64url", name);
    na_wipe_with_pool(pool, data, value->len);
    value->data = data;
    return NULL;
}
