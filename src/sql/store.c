/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a table of the database. */
#include "sql/store.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"

/*
 * Returns "session:<hash in hex>": the entries of a kind are adjacent, in the order of their
 * hashes.
 */
static const char *text_of(apr_pool_t *pool, const na_store_key *key)
{
    return apr_pstrcat(pool, key->kind, ":", na_hex(pool, key->hash, sizeof key->hash), NULL);
}

static const char *number(apr_pool_t *pool, apr_time_t time)
{
    return apr_psprintf(pool, "%" APR_INT64_T_FMT, apr_time_as_msec(time));
}

static na_error *read_value(apr_pool_t *pool, const char *text, na_bytes *value)
{
    apr_size_t len;
    unsigned char *data = na_base64url_decode(pool, text, strlen(text), &len);
    if (!data)
        return na_error_new(pool, NA_ERR_SESSION, "table nextauth_store contains an invalid value");
    *value = (na_bytes){data, len};
    return NULL;
}

/* The database has its own breaker: the store's would also stop reads while only writes fail. */
static na_error *own_word(apr_pool_t *pool, na_error *error)
{
    return na_is_unavailable(error)
               ? na_error_wrap(pool, error, NA_ERR_BUSY, "temporarily unavailable")
               : error;
}

/* Keys that one query reads, which are all that the check of a session needs. */
#define KEYS 3

/* Returns the value in the row of that key; NULL if there is no such row. */
static const char *value_of(const na_rows *rows, const char *key)
{
    for (int row = 0; row < rows->count; row++)
        if (strcmp(na_rows_value(rows, row, 0), key) == 0)
            return na_rows_value(rows, row, 1);
    return NULL;
}

/* Reads at most KEYS values. */
static na_error *get_some(na_db_use *use, const na_store_key *keys, int count, const char *now,
                          na_bytes *values)
{
    apr_pool_t *pool = na_sql_pool(use);
    const char *arguments[KEYS + 1] = {[KEYS] = now};
    na_rows rows;
    for (int i = 0; i < KEYS; i++)
        arguments[i] = i < count ? text_of(pool, &keys[i]) : arguments[0];
    NA_TRY(na_sql_select(use, NA_SQL_STORE_GET, KEYS + 1, arguments, &rows));
    for (int i = 0; i < count; i++) {
        const char *value = value_of(&rows, arguments[i]);
        values[i] = (na_bytes){0};
        if (value)
            NA_TRY(read_value(pool, value, &values[i]));
        else if (na_sql_is_behind(use) && !keys[i].is_optional)
            return na_error_new(pool, NA_ERR_BUSY, "a replica might not have it yet");
    }
    return NULL;
}

static na_error *get_all(na_db_use *use, const na_store_key *keys, int count, na_bytes *values)
{
    const char *now = number(na_sql_pool(use), apr_time_now());
    for (int i = 0; i < count; i += KEYS)
        NA_TRY(get_some(use, keys + i, count - i < KEYS ? count - i : KEYS, now, values + i));
    return NULL;
}

static na_error *get(void *self, apr_pool_t *pool, const na_store_key *keys, int count,
                     na_bytes *values)
{
    na_db_use *use;
    na_error *error = na_sql_read(self, pool, &use);
    return own_word(pool, error ? error : na_sql_end(use, get_all(use, keys, count, values)));
}

typedef struct change {
    const char *key, *value, *expires;
    const char *expected; /* for a swap; NULL if no entry must exist */
    const char *now;
    int *swapped;
} change;

static na_error *replace(void *data, na_db_use *use)
{
    const change *c = data;
    const char *arguments[] = {c->key, c->value, c->expires};
    return na_sql_change(use, NA_SQL_STORE_REPLACE, 3, arguments, NULL);
}

static na_error *put(void *self, apr_pool_t *pool, const na_store_key *key, na_bytes value,
                     apr_time_t expires)
{
    change c = {.key = text_of(pool, key),
                .value = na_base64url_encode(pool, value.data, value.len),
                .expires = number(pool, expires)};
    return own_word(pool, na_sql_transact(self, pool, replace, &c));
}

/* An expired row counts as missing, but it must be deleted before an insert. */
static na_error *add(const change *c, na_db_use *use)
{
    const char *old[] = {c->key, c->now}, *arguments[] = {c->key, c->value, c->expires};
    NA_TRY(na_sql_change(use, NA_SQL_STORE_EXPIRE, 2, old, NULL));
    return na_sql_change(use, NA_SQL_STORE_ADD, 3, arguments, c->swapped);
}

static na_error *swap_or_add(void *data, na_db_use *use)
{
    const change *c = data;
    const char *arguments[] = {c->value, c->expires, c->key, c->expected, c->now};
    return c->expected ? na_sql_change(use, NA_SQL_STORE_SWAP, 5, arguments, c->swapped)
                       : add(c, use);
}

static na_error *swap(void *self, apr_pool_t *pool, const na_store_key *key, na_bytes expected,
                      na_bytes value, apr_time_t expires, int *swapped)
{
    change c = {.key = text_of(pool, key),
                .value = na_base64url_encode(pool, value.data, value.len),
                .expires = number(pool, expires),
                .expected =
                    expected.data ? na_base64url_encode(pool, expected.data, expected.len) : NULL,
                .now = number(pool, apr_time_now()),
                .swapped = swapped};
    return own_word(pool, na_sql_transact(self, pool, swap_or_add, &c));
}

static na_error *read_row(apr_pool_t *pool, const na_rows *rows, int row, na_store_key *key,
                          na_store_page *page)
{
    const char *hex = strchr(na_rows_value(rows, row, 0), ':') + 1;
    na_bytes value;
    if (!na_hex_decode_to(key->hash, sizeof key->hash, hex, strlen(hex)))
        return na_error_new(pool, NA_ERR_SESSION, "table nextauth_store contains an invalid key");
    NA_TRY(read_value(pool, na_rows_value(rows, row, 1), &value));
    na_store_page_add(page, key, value);
    return NULL;
}

static na_error *select_rows(na_sql *db, apr_pool_t *pool, const char *kind, const char *cursor,
                             int max, na_rows *rows)
{
    const char *arguments[] = {apr_pstrcat(pool, kind, ":", cursor, NULL),
                               apr_pstrcat(pool, kind, ";", NULL), /* follows every "kind:" */
                               number(pool, apr_time_now()), apr_itoa(pool, max)};
    na_db_use *use;
    NA_TRY(na_sql_read(db, pool, &use));
    return na_sql_end(use, na_sql_select(use, NA_SQL_STORE_PAGE, 4, arguments, rows));
}

static na_error *page(void *self, apr_pool_t *pool, const char *kind, const char *cursor, int max,
                      na_store_page *page)
{
    na_store_key key = {.kind = kind};
    na_rows rows;
    if (cursor && !na_hex_decode_to(key.hash, sizeof key.hash, cursor, strlen(cursor)))
        return na_store_bad_cursor(pool);
    NA_TRY(own_word(pool, select_rows(self, pool, kind, cursor, max, &rows)));
    for (int i = 0; i < rows.count; i++)
        NA_TRY(read_row(pool, &rows, i, &key, page));
    if (rows.count < max)
        return NULL;
    page->next = na_hex(pool, key.hash, sizeof key.hash);
    page->share = na_store_share(key.hash);
    return NULL;
}

const na_store_driver na_sql_store = {get, put, swap, page, 64 * 1024};
