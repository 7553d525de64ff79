/* SPDX-License-Identifier: Apache-2.0 */
/* JSON in pools, with Jansson. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"

static apr_status_t drop(void *json)
{
    json_decref(json);
    return APR_SUCCESS;
}

json_t *na_json_own(apr_pool_t *pool, json_t *json)
{
    if (json)
        apr_pool_cleanup_register(pool, json, drop, apr_pool_cleanup_null);
    return json;
}

static na_error *parse(apr_pool_t *pool, const char *code, na_bytes text, size_t flags,
                       json_t **json)
{
    json_error_t reason;
    *json = na_json_own(pool, json_loadb((const char *)text.data, text.len, flags, &reason));
    if (!*json)
        return na_error_new(pool, code, "not JSON: %s (line %d, byte %d)", reason.text, reason.line,
                            reason.position);
    return NULL;
}

na_error *na_json_parse(apr_pool_t *pool, const char *code, const char *text, apr_size_t len,
                        json_t **json)
{
    return parse(pool, code, (na_bytes){(const unsigned char *)text, len}, JSON_REJECT_DUPLICATES,
                 json);
}

na_error *na_json_parse_sealed(apr_pool_t *pool, const char *code, na_bytes text, json_t **json)
{
    return parse(pool, code, text, 0, json);
}

const char *na_json_string(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

int na_json_whole(const json_t *number, json_int_t *whole)
{
    if (json_is_integer(number)) {
        *whole = json_integer_value(number);
        return 1;
    }
    double real = json_real_value(number);
    if (!json_is_real(number) || !(real > -9e15 && real < 9e15))
        return 0;
    *whole = (json_int_t)real;
    return 1;
}

int na_json_number(const json_t *object, const char *name, json_int_t *whole)
{
    return na_json_whole(json_object_get(object, name), whole);
}

/* "[primary]": the first element whose member `primary` is true. */
static const json_t *first_with(const json_t *list, const char *name)
{
    char member[256];
    size_t len = strlen(name) - 2;
    memcpy(member, name + 1, len);
    member[len] = '\0';
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *element = json_array_get(list, i);
        if (json_is_true(json_object_get(element, member)))
            return element;
    }
    return NULL;
}

static const json_t *child(const json_t *json, const char *name)
{
    if (!json_is_array(json))
        return json_object_get(json, name);
    if (*name == '[' && name[strlen(name) - 1] == ']' && name[1])
        return first_with(json, name);
    char *end;
    unsigned long index = strtoul(name, &end, 10);
    return *name && !*end ? json_array_get(json, index) : NULL;
}

/*
 * Copies the next name of a path, in which a backslash escapes a dot or a backslash. Returns the
 * rest of the path; NULL if the name is too long.
 */
static const char *next_name(const char *path, char *name, size_t room)
{
    size_t len = 0;
    for (; *path && *path != '.'; path++) {
        if (*path == '\\' && (path[1] == '.' || path[1] == '\\'))
            path++;
        if (len + 1 == room)
            return NULL;
        name[len++] = *path;
    }
    name[len] = '\0';
    return path + (*path == '.');
}

const json_t *na_json_path(const json_t *json, const char *path)
{
    const json_t *found = json_object_get(json, path);
    char name[256];
    if (!found)
        found = json;
    else
        path = "";
    while (found && *path) {
        path = next_name(path, name, sizeof name);
        if (!path)
            return NULL;
        found = child(found, name);
    }
    return json_is_null(found) ? NULL : found;
}

/* Claims can be as secret as a token. */
static char *take_text(apr_pool_t *pool, char *text)
{
    char *copy = apr_pstrdup(pool, text);
    if (text)
        na_wipe(text, strlen(text));
    free(text);
    return copy;
}

int na_json_has_text(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *element = json_string_value(json_array_get(list, i));
        if (element && strcmp(element, text) == 0)
            return 1;
    }
    return 0;
}

const char *na_json_scalar(apr_pool_t *pool, const json_t *json)
{
    if (json_is_string(json))
        return json_string_value(json);
    if (json_is_integer(json))
        return apr_psprintf(pool, "%" APR_INT64_T_FMT, (apr_int64_t)json_integer_value(json));
    if (json_is_boolean(json))
        return json_is_true(json) ? "true" : "false";
    if (!json_is_real(json))
        return NULL;
    return take_text(pool, json_dumps(json, JSON_ENCODE_ANY));
}
