/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a collection. */
#include "mongodb/store.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"
#include "mongodb/collection.h"
#include "mongodb/use.h"
#include "mongodb/value.h"

/*
 * { _id: "session:<hash in hex>", value: binary, expires: date }. Each change is one operation on
 * one document, so none needs a transaction.
 */

static const char *text_of(apr_pool_t *pool, const na_store_key *key)
{
    return apr_pstrcat(pool, key->kind, ":", na_hex(pool, key->hash, sizeof key->hash), NULL);
}

/* The database has its own breaker: the store's would also stop reads while only writes fail. */
static na_error *own_word(apr_pool_t *pool, na_error *error)
{
    return na_is_unavailable(error)
               ? na_error_wrap(pool, error, NA_ERR_BUSY, "temporarily unavailable")
               : error;
}

static na_error *read_value(apr_pool_t *pool, const bson_t *document, na_bytes *value)
{
    size_t len;
    const unsigned char *data = na_value_binary(document, "value", &len);
    if (!data || !len)
        return na_error_new(pool, NA_ERR_SESSION, "nextauth_store contains an invalid value");
    *value = (na_bytes){apr_pmemdup(pool, data, len), len};
    return NULL;
}

/* ── reading ───────────────────────────────────────────────────────────────────────────────── */

static na_error *get_one(na_db_use *use, const na_store_key *key, apr_int64_t now, na_bytes *value)
{
    const bson_t *document;
    const bson_t *filter = na_mongo_own(use, BCON_NEW("_id", BCON_UTF8(text_of(use->pool, key))));
    *value = (na_bytes){0};
    NA_TRY(na_mongo_find_one(use, NA_STORE, filter, NULL, &document));
    if (document && na_value_time(document, "expires") > now)
        return read_value(use->pool, document, value);
    return !document && use->is_behind && !key->is_optional
               ? na_error_new(use->pool, NA_ERR_BUSY, "a secondary might not have it yet")
               : NULL;
}

static na_error *get_all(na_db_use *use, const na_store_key *keys, int count, na_bytes *values)
{
    apr_int64_t now = apr_time_as_msec(apr_time_now());
    for (int i = 0; i < count; i++)
        NA_TRY(get_one(use, &keys[i], now, &values[i]));
    return NULL;
}

static na_error *get(void *self, apr_pool_t *pool, const na_store_key *keys, int count,
                     na_bytes *values)
{
    na_db_use *use;
    na_error *error = na_mongo_read(self, pool, &use);
    return own_word(pool, error ? error : na_mongo_end(use, get_all(use, keys, count, values)));
}

/* ── changing ──────────────────────────────────────────────────────────────────────────────── */

typedef struct change {
    const char *key;
    na_bytes value, expected; /* expected.data is NULL if no entry must exist */
    apr_int64_t now, expires;
    int done;
} change;

static na_error *put_entry(na_db_use *use, const change *c)
{
    const bson_t *filter = na_mongo_own(use, BCON_NEW("_id", BCON_UTF8(c->key)));
    const bson_t *update =
        na_mongo_own(use,
                     BCON_NEW("$set", "{", "value",
                              BCON_BIN(BSON_SUBTYPE_BINARY, c->value.data, (uint32_t)c->value.len),
                              "expires", BCON_DATE_TIME(c->expires), "}"));
    return na_mongo_put(use, NA_STORE, filter, update);
}

/* An expired entry counts as missing, but it must be deleted before an insert. */
static na_error *add_entry(na_db_use *use, change *c)
{
    int is_duplicate;
    const bson_t *old = na_mongo_own(use, BCON_NEW("_id", BCON_UTF8(c->key), "expires", "{", "$lte",
                                                   BCON_DATE_TIME(c->now), "}"));
    const bson_t *entry =
        na_mongo_own(use,
                     BCON_NEW("_id", BCON_UTF8(c->key), "value",
                              BCON_BIN(BSON_SUBTYPE_BINARY, c->value.data, (uint32_t)c->value.len),
                              "expires", BCON_DATE_TIME(c->expires)));
    NA_TRY(na_mongo_delete(use, NA_STORE, old, NULL));
    NA_TRY(na_mongo_insert(use, NA_STORE, entry, &is_duplicate));
    c->done = !is_duplicate;
    return NULL;
}

static na_error *swap_entry(na_db_use *use, change *c)
{
    const bson_t *filter =
        na_mongo_own(use, BCON_NEW("_id", BCON_UTF8(c->key), "value",
                                   BCON_BIN(BSON_SUBTYPE_BINARY, c->expected.data,
                                            (uint32_t)c->expected.len),
                                   "expires", "{", "$gt", BCON_DATE_TIME(c->now), "}"));
    const bson_t *update =
        na_mongo_own(use,
                     BCON_NEW("$set", "{", "value",
                              BCON_BIN(BSON_SUBTYPE_BINARY, c->value.data, (uint32_t)c->value.len),
                              "expires", BCON_DATE_TIME(c->expires), "}"));
    return na_mongo_update(use, NA_STORE, filter, update, &c->done);
}

static na_error *put(void *self, apr_pool_t *pool, const na_store_key *key, na_bytes value,
                     apr_time_t expires)
{
    na_db_use *use;
    change c = {.key = text_of(pool, key), .value = value, .expires = apr_time_as_msec(expires)};
    na_error *error = na_mongo_write(self, pool, &use);
    return own_word(pool, error ? error : na_mongo_end(use, put_entry(use, &c)));
}

static na_error *swap(void *self, apr_pool_t *pool, const na_store_key *key, na_bytes expected,
                      na_bytes value, apr_time_t expires, int *swapped)
{
    na_db_use *use;
    change c = {text_of(pool, key),        value, expected, apr_time_as_msec(apr_time_now()),
                apr_time_as_msec(expires), 0};
    na_error *error = na_mongo_write(self, pool, &use);
    if (!error)
        error = na_mongo_end(use, expected.data ? swap_entry(use, &c) : add_entry(use, &c));
    *swapped = !error && c.done;
    return own_word(pool, error);
}

/* ── listing ───────────────────────────────────────────────────────────────────────────────── */

typedef struct listing {
    const char *kind, *cursor; /* the hash in hex that the page follows; NULL on the first */
    int max;
    na_store_key key; /* of the last entry */
    int count;
    na_store_page *page;
} listing;

static na_error *add_entry_to_page(void *data, na_db_use *use, const bson_t *document)
{
    listing *l = data;
    na_bytes value;
    const char *text = na_value_text(use->pool, document, "_id");
    const char *hex = text ? strchr(text, ':') + 1 : "";
    if (!na_hex_decode_to(l->key.hash, sizeof l->key.hash, hex, strlen(hex)))
        return na_error_new(use->pool, NA_ERR_SESSION, "nextauth_store contains an invalid key");
    NA_TRY(read_value(use->pool, document, &value));
    na_store_page_add(l->page, &l->key, value);
    l->count++;
    return NULL;
}

static na_error *find_page(na_db_use *use, listing *l)
{
    const char *after = apr_pstrcat(use->pool, l->kind, ":", l->cursor, NULL);
    const char *end = apr_pstrcat(use->pool, l->kind, ";", NULL); /* follows every "kind:" */
    const bson_t *filter =
        na_mongo_own(use, BCON_NEW("_id", "{", "$gt", BCON_UTF8(after), "$lt", BCON_UTF8(end), "}",
                                   "expires", "{", "$gt",
                                   BCON_DATE_TIME(apr_time_as_msec(apr_time_now())), "}"));
    const bson_t *options = na_mongo_own(use, BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}",
                                                       "limit", BCON_INT64(l->max)));
    return na_mongo_find(use, NA_STORE, filter, options, add_entry_to_page, l);
}

static na_error *page(void *self, apr_pool_t *pool, const char *kind, const char *cursor, int max,
                      na_store_page *page)
{
    na_db_use *use;
    listing l = {kind, cursor, max, {.kind = kind}, 0, page};
    if (cursor && !na_hex_decode_to(l.key.hash, sizeof l.key.hash, cursor, strlen(cursor)))
        return na_store_bad_cursor(pool);
    na_error *error = na_mongo_read(self, pool, &use);
    NA_TRY(own_word(pool, error ? error : na_mongo_end(use, find_page(use, &l))));
    if (l.count < max)
        return NULL;
    page->next = na_hex(pool, l.key.hash, sizeof l.key.hash);
    page->share = na_store_share(l.key.hash);
    return NULL;
}

const na_store_driver na_mongo_store = {get, put, swap, page, 64 * 1024};
