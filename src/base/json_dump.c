/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes JSON. Jansson passes each piece of a text to a callback: that takes five times as long,
 * and would be a tenth of a sign-in.
 */
#include "base/json.h"

#include <string.h>

#include <apr_strings.h>

/* Names and strings of most documents fit in; a longer text moves to twice the room. */
#define ROOM_FIRST 1024

typedef struct writer {
    apr_pool_t *pool;
    char *text;
    apr_size_t len, room;
} writer;

static void put(writer *w, const char *text, apr_size_t len)
{
    if (len >= w->room - w->len) {
        w->room = 2 * (w->len + len) + ROOM_FIRST;
        char *larger = apr_palloc(w->pool, w->room);
        memcpy(larger, w->text, w->len);
        w->text = larger;
    }
    memcpy(w->text + w->len, text, len);
    w->len += len;
}

/* RFC 8259 section 7: a character that must not be in a string as it is. */
static void put_escape(writer *w, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";
    static const char letters[128] = {['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
                                      ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't'};
    const char escape[] = {'\\', letters[c]};
    const char number[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
    if (letters[c])
        put(w, escape, sizeof escape);
    else
        put(w, number, sizeof number);
}

static void put_string(writer *w, const char *text, apr_size_t len)
{
    static const char is_special[256] = {[0 ... 0x1f] = 1, ['"'] = 1, ['\\'] = 1};
    const char *end = text + len, *p = text;
    put(w, "\"", 1);
    while (p < end) {
        const char *start = p;
        while (p < end && !is_special[(unsigned char)*p])
            p++;
        put(w, start, (apr_size_t)(p - start));
        if (p < end)
            put_escape(w, (unsigned char)*p++);
    }
    put(w, "\"", 1);
}

static void put_value(writer *w, const json_t *json);

static void put_array(writer *w, const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        put(w, i ? "," : "[", 1);
        put_value(w, json_array_get(array, i));
    }
    if (json_array_size(array))
        put(w, "]", 1);
    else
        put(w, "[]", 2);
}

static void put_object(writer *w, json_t *object)
{
    const char *name, *joint = "{";
    json_t *value;
    json_object_foreach(object, name, value)
    {
        put(w, joint, 1);
        put_string(w, name, strlen(name));
        put(w, ":", 1);
        put_value(w, value);
        joint = ",";
    }
    put(w, *joint == ',' ? "}" : "{}", *joint == ',' ? 1 : 2);
}

static void put_value(writer *w, const json_t *json)
{
    if (json_is_array(json))
        put_array(w, json);
    else if (json_is_object(json))
        put_object(w, (json_t *)json);
    else if (json_is_string(json))
        put_string(w, json_string_value(json), json_string_length(json));
    else {
        const char *text = json_is_null(json) ? "null" : na_json_scalar(w->pool, json);
        put(w, text, strlen(text));
    }
}

char *na_json_dump(apr_pool_t *pool, const json_t *json)
{
    writer w = {pool, apr_palloc(pool, ROOM_FIRST), 0, ROOM_FIRST};
    if (!json_is_array(json) && !json_is_object(json))
        return NULL;
    put_value(&w, json);
    w.text[w.len] = '\0';
    return w.text;
}
