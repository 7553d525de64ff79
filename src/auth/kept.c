/* SPDX-License-Identifier: Apache-2.0 */
/* Values that wait in the session store until a sign-in: forms and long URLs. */
#include "auth/kept.h"

#include <string.h>

#include <apr_strings.h>

#include "base/json.h"

/* Most bytes of a piece, and least: more than a thousand entries for one value are too many. */
#define PIECE_MAX (32 * 1024)
#define PIECE_MIN 1024

static na_error *find_store(const na_request *request, const na_store **store)
{
    const na_registry *registry = request->sessions->registry;
    *store = registry ? registry->stores[0] : NULL;
    if (!*store)
        return na_error_new(request->pool, NA_ERR_CONFIGURATION, "there is no session store");
    return (*store)->driver->value_max >= PIECE_MIN
               ? NULL
               : na_error_new(request->pool, NA_ERR_CONFIGURATION, "the values of %s are too small",
                              (*store)->breaker.name);
}

static apr_size_t piece_size(const na_store *store)
{
    apr_size_t max = store->driver->value_max < PIECE_MAX ? store->driver->value_max : PIECE_MAX;
    return max - NA_RECORD_OVERHEAD;
}

/* `part` is 0 for the head, and from 1 on for the pieces of the body. */
static na_store_key key_of(const na_request *request, const na_kept *kept, int part)
{
    na_store_key key;
    na_store_key_make(&key, kept->kind,
                      apr_psprintf(request->pool, "%s %s %d", request->config->session.site,
                                   kept->name, part));
    return key;
}

/* ── keeping ───────────────────────────────────────────────────────────────────────────────── */

static na_error *put_part(const na_request *request, const na_store *store, const na_store_key *key,
                          na_bytes plain, long seconds)
{
    na_bytes sealed;
    NA_TRY(na_record_seal_bytes(request->pool, &request->config->session.record_keys, key, plain,
                                &sealed));
    return na_store_put(store, request->pool, key, sealed,
                        request->now + apr_time_from_sec(seconds));
}

static na_error *put_body(const na_request *request, const na_store *store, const na_kept *kept,
                          na_bytes body, long seconds, int *pieces)
{
    apr_size_t size = piece_size(store);
    *pieces = 0;
    for (apr_size_t at = 0; at < body.len; at += size) {
        const na_store_key key = key_of(request, kept, ++*pieces);
        apr_size_t len = body.len - at < size ? body.len - at : size;
        NA_TRY(put_part(request, store, &key, (na_bytes){body.data + at, len}, seconds));
    }
    return NULL;
}

na_error *na_kept_put(const na_request *request, const na_kept *kept, na_bytes body, long seconds)
{
    const na_store *store;
    const na_store_key key = key_of(request, kept, 0);
    int pieces;
    NA_TRY(find_store(request, &store));
    NA_TRY(put_body(request, store, kept, body, seconds, &pieces));
    json_object_set_new(kept->head, "length", json_integer((json_int_t)body.len));
    json_object_set_new(kept->head, "pieces", json_integer(pieces));
    return put_part(request, store, &key, na_bytes_of(na_json_dump(request->pool, kept->head)),
                    seconds);
}

/* ── finding ───────────────────────────────────────────────────────────────────────────────── */

static na_error *get_part(const na_request *request, const na_store *store, const na_store_key *key,
                          na_bytes *sealed, na_bytes *plain)
{
    int is_stale;
    *plain = (na_bytes){0};
    NA_TRY(na_store_get(store, request->pool, key, 1, sealed));
    return sealed->data ? na_record_open_bytes(request->pool, &request->config->session.record_keys,
                                               key, *sealed, plain, &is_stale)
                        : NULL;
}

static apr_size_t length_of(const na_kept *kept)
{
    return (apr_size_t)json_integer_value(json_object_get(kept->head, "length"));
}

static int pieces_of(const na_kept *kept)
{
    return (int)json_integer_value(json_object_get(kept->head, "pieces"));
}

na_error *na_kept_find(const na_request *request, na_kept *kept)
{
    const na_store *store;
    const na_store_key key = key_of(request, kept, 0);
    na_bytes plain;
    kept->head = NULL;
    NA_TRY(find_store(request, &store));
    NA_TRY(get_part(request, store, &key, &kept->sealed, &plain));
    if (!plain.data)
        return NULL;
    NA_TRY(na_json_parse_sealed(request->pool, NA_ERR_SESSION, plain, &kept->head));
    if (!json_object_get(kept->head, "pieces")) /* it was taken */
        kept->head = NULL;
    return NULL;
}

na_error *na_kept_read(const na_request *request, const na_kept *kept, na_bytes *body,
                       int *is_whole)
{
    const na_store *store;
    apr_size_t length = length_of(kept), at = 0;
    unsigned char *bytes = apr_palloc(request->pool, length + 1);
    na_wipe_with_pool(request->pool, bytes, length);
    NA_TRY(find_store(request, &store));
    for (int i = 1; i <= pieces_of(kept); i++) {
        const na_store_key key = key_of(request, kept, i);
        na_bytes sealed, plain;
        NA_TRY(get_part(request, store, &key, &sealed, &plain));
        if (!plain.data || plain.len > length - at)
            break;
        memcpy(bytes + at, plain.data, plain.len);
        na_wipe((void *)(apr_uintptr_t)plain.data, plain.len);
        at += plain.len;
    }
    *is_whole = at == length;
    *body = (na_bytes){bytes, at};
    return NULL;
}

/* ── taking ────────────────────────────────────────────────────────────────────────────────── */

/* Seconds for which it is known that a value was taken: longer than any is kept. */
#define TAKEN_AGE 7200

/* The pieces are of no use any more, but would stay until they expire. */
static void drop_body(const na_request *request, const na_store *store, const na_kept *kept)
{
    static const na_bytes nothing = {(const unsigned char *)"-", 1};
    for (int i = 1; i <= pieces_of(kept); i++) {
        const na_store_key key = key_of(request, kept, i);
        na_store_put(store, request->pool, &key, nothing, request->now + apr_time_from_sec(1));
    }
}

na_error *na_kept_take(const na_request *request, const na_kept *kept, int *taken)
{
    const na_store *store;
    const na_store_key key = key_of(request, kept, 0);
    na_bytes nothing;
    NA_TRY(find_store(request, &store));
    NA_TRY(na_record_seal_bytes(request->pool, &request->config->session.record_keys, &key,
                                na_bytes_of("{}"), &nothing));
    NA_TRY(na_store_swap(store, request->pool, &key, kept->sealed, nothing,
                         request->now + apr_time_from_sec(TAKEN_AGE), taken));
    if (*taken)
        drop_body(request, store, kept);
    return NULL;
}
