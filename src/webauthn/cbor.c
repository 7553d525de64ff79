/* SPDX-License-Identifier: Apache-2.0 */
/* Reads CBOR (RFC 8949) in place, as far as CTAP2's canonical form goes. */
#include "webauthn/cbor.h"

#include <string.h>

#include <cbor.h>

/* CTAP 2.1 section 8: four levels. Attestation statements and extensions need no more. */
#define DEPTH_MAX 4

/* ── one head ──────────────────────────────────────────────────────────────────────────────── */

static void set_number(na_cbor_item *item, uint64_t value, int is_negative)
{
    if (value > INT64_MAX)
        return;
    item->type = NA_CBOR_INTEGER;
    item->number = is_negative ? -1 - (apr_int64_t)value : (apr_int64_t)value;
}

static void on_uint8(void *item, uint8_t value)
{
    set_number(item, value, 0);
}

static void on_uint16(void *item, uint16_t value)
{
    set_number(item, value, 0);
}

static void on_uint32(void *item, uint32_t value)
{
    set_number(item, value, 0);
}

static void on_uint64(void *item, uint64_t value)
{
    set_number(item, value, 0);
}

static void on_negint8(void *item, uint8_t value)
{
    set_number(item, value, 1);
}

static void on_negint16(void *item, uint16_t value)
{
    set_number(item, value, 1);
}

static void on_negint32(void *item, uint32_t value)
{
    set_number(item, value, 1);
}

static void on_negint64(void *item, uint64_t value)
{
    set_number(item, value, 1);
}

static void on_bytes(void *data, cbor_data bytes, size_t len)
{
    na_cbor_item *item = data;
    item->type = NA_CBOR_BYTES;
    item->content = (na_bytes){bytes, len};
}

static void on_text(void *data, cbor_data text, size_t len)
{
    na_cbor_item *item = data;
    item->type = NA_CBOR_TEXT;
    item->content = (na_bytes){text, len};
}

/* Each item of a container has at least one byte, so its end refuses a number that is too large. */
static void set_container(na_cbor_item *item, na_cbor_type type, size_t count)
{
    if (count > INT32_MAX)
        return;
    item->type = type;
    item->number = (apr_int64_t)count;
}

static void on_array(void *item, size_t count)
{
    set_container(item, NA_CBOR_ARRAY, count);
}

static void on_map(void *item, size_t pairs)
{
    set_container(item, NA_CBOR_MAP, pairs <= INT32_MAX / 2 ? 2 * pairs : pairs);
}

static void on_boolean(void *data, bool value)
{
    na_cbor_item *item = data;
    item->type = NA_CBOR_SIMPLE;
}

static void on_null(void *data)
{
    na_cbor_item *item = data;
    item->type = NA_CBOR_SIMPLE;
}

/* Reads the head of an item, and all of it unless it is a container. *rest is what follows. */
static int read_head(na_bytes bytes, na_cbor_item *item, na_bytes *rest)
{
    struct cbor_callbacks callbacks = cbor_empty_callbacks;
    callbacks.uint8 = on_uint8;
    callbacks.uint16 = on_uint16;
    callbacks.uint32 = on_uint32;
    callbacks.uint64 = on_uint64;
    callbacks.negint8 = on_negint8;
    callbacks.negint16 = on_negint16;
    callbacks.negint32 = on_negint32;
    callbacks.negint64 = on_negint64;
    callbacks.byte_string = on_bytes;
    callbacks.string = on_text;
    callbacks.array_start = on_array;
    callbacks.map_start = on_map;
    callbacks.boolean = on_boolean;
    callbacks.null = on_null;
    *item = (na_cbor_item){.type = NA_CBOR_OTHER};
    if (!bytes.len)
        return 0;
    struct cbor_decoder_result result = cbor_stream_decode(bytes.data, bytes.len, &callbacks, item);
    if (result.status != CBOR_DECODER_FINISHED || item->type == NA_CBOR_OTHER)
        return 0;
    *rest = (na_bytes){bytes.data + result.read, bytes.len - result.read};
    return 1;
}

/* ── an item with all that is in it ────────────────────────────────────────────────────────── */

static int read_item(na_bytes bytes, int depth, na_cbor_item *item, na_bytes *rest)
{
    na_cbor_item inner;
    if (depth > DEPTH_MAX || !read_head(bytes, item, rest))
        return 0;
    const unsigned char *begin = rest->data;
    int is_container = item->type == NA_CBOR_ARRAY || item->type == NA_CBOR_MAP;
    for (apr_int64_t i = 0; is_container && i < item->number; i++)
        if (!read_item(*rest, depth + 1, &inner, rest))
            return 0;
    if (is_container)
        item->content = (na_bytes){begin, (apr_size_t)(rest->data - begin)};
    item->whole = (na_bytes){bytes.data, (apr_size_t)(rest->data - bytes.data)};
    return 1;
}

int na_cbor_read(na_bytes bytes, na_cbor_item *item, na_bytes *rest)
{
    return read_item(bytes, 1, item, rest);
}

/* ── maps ──────────────────────────────────────────────────────────────────────────────────── */

static int is_key(const na_cbor_item *key, const char *text, apr_int64_t number)
{
    if (!text)
        return key->type == NA_CBOR_INTEGER && key->number == number;
    return key->type == NA_CBOR_TEXT && key->content.len == strlen(text) &&
           memcmp(key->content.data, text, key->content.len) == 0;
}

static int find_value(const na_cbor_item *map, const char *text, apr_int64_t number,
                      na_cbor_item *value)
{
    na_bytes rest = map->content;
    na_cbor_item key, candidate;
    int count = 0;
    if (map->type != NA_CBOR_MAP)
        return 0;
    while (rest.len && na_cbor_read(rest, &key, &rest) && na_cbor_read(rest, &candidate, &rest)) {
        if (!is_key(&key, text, number))
            continue;
        *value = candidate;
        count++;
    }
    return count == 1;
}

int na_cbor_find(const na_cbor_item *map, const char *key, na_cbor_item *value)
{
    return find_value(map, key, 0, value);
}

int na_cbor_find_number(const na_cbor_item *map, apr_int64_t key, na_cbor_item *value)
{
    return find_value(map, NULL, key, value);
}
