/* SPDX-License-Identifier: Apache-2.0 */
/* Forms that were sent after their session had ended, and wait in the store for a sign-in. */
#include "auth/kept_post.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/limit.h"
#include "base/json.h"

#define ID_BYTES 16

/* Most bytes of a piece, and least: more than a thousand values for one form are none. */
#define PIECE_MAX (32 * 1024)
#define PIECE_MIN 2048

/* ── entries ───────────────────────────────────────────────────────────────────────────────── */

static na_error *find_store(const na_request *request, const na_store **store)
{
    const na_registry *registry = request->sessions->registry;
    *store = registry ? registry->stores[0] : NULL;
    if (!*store)
        return na_error_new(request->pool, NA_ERR_CONFIGURATION,
                            "NextAuthPreservePost requires NextAuthSessionStore");
    return (*store)->driver->value_max >= PIECE_MIN
               ? NULL
               : na_error_new(request->pool, NA_ERR_CONFIGURATION,
                              "%s is too small for NextAuthPreservePost", (*store)->breaker.name);
}

static apr_size_t piece_size(const na_store *store)
{
    apr_size_t max = store->driver->value_max < PIECE_MAX ? store->driver->value_max : PIECE_MAX;
    return max - NA_RECORD_OVERHEAD;
}

/* `part` is 0 for what is known about the form, and from 1 on for the pieces of its body. */
static na_store_key key_of(const na_request *request, const na_former *former, const char *id,
                           int part)
{
    na_store_key key;
    na_store_key_make(&key, NA_KIND_POST,
                      apr_psprintf(request->pool, "%s %s %s %d", request->config->session.site,
                                   former->browser, id, part));
    return key;
}

static na_error *put_part(const na_request *request, const na_store *store, const na_store_key *key,
                          na_bytes plain, long seconds)
{
    na_bytes sealed;
    NA_TRY(na_record_seal_bytes(request->pool, &request->config->session.record_keys, key, plain,
                                &sealed));
    return na_store_put(store, request->pool, key, sealed,
                        request->now + apr_time_from_sec(seconds));
}

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

/* ── keeping ───────────────────────────────────────────────────────────────────────────────── */

static na_error *put_body(const na_request *request, const na_store *store, const na_former *former,
                          const char *id, na_bytes body, long seconds, int *pieces)
{
    apr_size_t size = piece_size(store);
    *pieces = 0;
    for (apr_size_t at = 0; at < body.len; at += size) {
        const na_store_key key = key_of(request, former, id, ++*pieces);
        apr_size_t len = body.len - at < size ? body.len - at : size;
        NA_TRY(put_part(request, store, &key, (na_bytes){body.data + at, len}, seconds));
    }
    return NULL;
}

na_error *na_kept_post_put(na_request *request, const na_former *former, const na_kept_post *post,
                           long seconds, const char **id)
{
    const na_store *store;
    int pieces;
    NA_TRY(find_store(request, &store));
    NA_TRY(na_limit_take(request, NA_LIMIT_PRESERVED_POST,
                         apr_pstrcat(request->pool, "post ", former->user, NULL)));
    *id = na_random_base64url(request->pool, ID_BYTES);
    NA_TRY(put_body(request, store, former, *id, post->body, seconds, &pieces));
    const na_store_key key = key_of(request, former, *id, 0);
    const json_t *json =
        na_json_own(request->pool,
                    json_pack("{s:s, s:s, s:s*, s:s, s:I, s:i}", "url", post->url, "type",
                              post->type, "encoding", post->encoding, "user", former->user,
                              "length", (json_int_t)post->body.len, "pieces", pieces));
    if (!json)
        return na_error_new(request->pool, NA_ERR_CALLBACK, "the form's headers are not UTF-8");
    return put_part(request, store, &key, na_bytes_of(na_json_dump(request->pool, json)), seconds);
}

/* ── finding ───────────────────────────────────────────────────────────────────────────────── */

/* What is known about a form, as it is in the store. */
typedef struct head {
    na_store_key key;
    na_bytes sealed;
    apr_size_t length;
    int pieces;
} head;

static na_error *find_head(const na_request *request, const na_store *store,
                           const na_former *former, const char *id, na_kept_post *post, head *h,
                           int *found)
{
    na_bytes plain;
    json_t *json;
    *found = 0;
    h->key = key_of(request, former, id, 0);
    NA_TRY(get_part(request, store, &h->key, &h->sealed, &plain));
    if (!plain.data)
        return NULL;
    NA_TRY(na_json_parse_sealed(request->pool, NA_ERR_SESSION, plain, &json));
    *post = (na_kept_post){.url = na_json_string(json, "url"),
                           .type = na_json_string(json, "type"),
                           .encoding = na_json_string(json, "encoding"),
                           .user = na_json_string(json, "user")};
    h->length = (apr_size_t)json_integer_value(json_object_get(json, "length"));
    h->pieces = (int)json_integer_value(json_object_get(json, "pieces"));
    *found = post->url && post->type && post->user; /* one that was taken has none of them */
    return NULL;
}

na_error *na_kept_post_find(const na_request *request, const na_former *former, const char *id,
                            na_kept_post *post, int *found)
{
    const na_store *store;
    head h;
    NA_TRY(find_store(request, &store));
    return find_head(request, store, former, id, post, &h, found);
}

/* ── taking ────────────────────────────────────────────────────────────────────────────────── */

/* *is_whole is 0 if the store lost a piece. */
static na_error *get_body(const na_request *request, const na_store *store, const na_former *former,
                          const char *id, const head *h, na_bytes *body, int *is_whole)
{
    unsigned char *bytes = apr_palloc(request->pool, h->length + 1);
    apr_size_t at = 0;
    na_wipe_with_pool(request->pool, bytes, h->length);
    for (int i = 1; i <= h->pieces; i++) {
        const na_store_key key = key_of(request, former, id, i);
        na_bytes sealed, plain;
        NA_TRY(get_part(request, store, &key, &sealed, &plain));
        if (!plain.data || plain.len > h->length - at)
            break;
        memcpy(bytes + at, plain.data, plain.len);
        na_wipe((void *)(apr_uintptr_t)plain.data, plain.len);
        at += plain.len;
    }
    *is_whole = at == h->length;
    *body = (na_bytes){bytes, at};
    return NULL;
}

/* What was taken is of no use any more, but would stay until it expires. */
static void drop_body(const na_request *request, const na_store *store, const na_former *former,
                      const char *id, int pieces)
{
    static const na_bytes nothing = {(const unsigned char *)"-", 1};
    for (int i = 1; i <= pieces; i++) {
        const na_store_key key = key_of(request, former, id, i);
        na_store_put(store, request->pool, &key, nothing, request->now + apr_time_from_sec(1));
    }
}

/* Seconds for which it is known that a form was taken: longer than any is kept. */
#define TAKEN_AGE 7200

static na_error *swap_head(const na_request *request, const na_store *store, const head *h,
                           int *swapped)
{
    na_bytes taken;
    NA_TRY(na_record_seal_bytes(request->pool, &request->config->session.record_keys, &h->key,
                                na_bytes_of("{}"), &taken));
    return na_store_swap(store, request->pool, &h->key, h->sealed, taken,
                         request->now + apr_time_from_sec(TAKEN_AGE), swapped);
}

na_error *na_kept_post_take(const na_request *request, const na_former *former, const char *id,
                            const char *user, const char *url, na_kept_post *post, int *found)
{
    const na_store *store;
    head h;
    NA_TRY(find_store(request, &store));
    NA_TRY(find_head(request, store, former, id, post, &h, found));
    *found = *found && na_equal_secret(post->user, user) && strcmp(post->url, url) == 0;
    if (*found)
        NA_TRY(get_body(request, store, former, id, &h, &post->body, found));
    if (*found)
        NA_TRY(swap_head(request, store, &h, found));
    if (*found)
        drop_body(request, store, former, id, h.pieces);
    return NULL;
}

int na_kept_post_is_id(const char *text)
{
    return strlen(text) == NA_KEPT_POST_ID_LEN &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
               NA_KEPT_POST_ID_LEN;
}
