/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of a user's sessions. */
#include "session/list.h"

#include <string.h>

#include "session/session.h"

#define VERSION 1
#define UNTIL_LEN (NA_LISTING_LEN - NA_SHA256_LEN)
#define UNTIL_MAX (((apr_int64_t)1 << (8 * UNTIL_LEN)) - 1)

/* ── the format ────────────────────────────────────────────────────────────────────────────── */

na_error *na_list_read(apr_pool_t *pool, na_bytes text, apr_array_header_t *list)
{
    apr_size_t count = text.len / NA_LISTING_LEN;
    if (text.len != 1 + count * NA_LISTING_LEN || text.data[0] != VERSION ||
        count > NA_USER_SESSIONS_MAX)
        return na_error_new(pool, NA_ERR_SESSION, "the store returned an invalid session list");
    const unsigned char *from = text.data + 1;
    for (apr_size_t i = 0; i < count; i++) {
        na_listing *listing = apr_array_push(list);
        memcpy(listing->hash, from, NA_SHA256_LEN);
        from += NA_SHA256_LEN;
        listing->until = 0;
        for (int n = 0; n < UNTIL_LEN; n++)
            listing->until = listing->until << 8 | *from++;
    }
    return NULL;
}

static apr_int64_t within(apr_int64_t until)
{
    if (until < 0)
        return 0;
    return until < UNTIL_MAX ? until : UNTIL_MAX;
}

na_bytes na_list_write(apr_pool_t *pool, const apr_array_header_t *list)
{
    int count = list->nelts < NA_USER_SESSIONS_MAX ? list->nelts : NA_USER_SESSIONS_MAX;
    apr_size_t len = 1 + (apr_size_t)count * NA_LISTING_LEN;
    unsigned char *text = apr_palloc(pool, len), *to = text;
    *to++ = VERSION;
    for (int i = 0; i < count; i++) {
        const na_listing *listing = &APR_ARRAY_IDX(list, i, na_listing);
        memcpy(to, listing->hash, NA_SHA256_LEN);
        to += NA_SHA256_LEN;
        for (int shift = 8 * (UNTIL_LEN - 1); shift >= 0; shift -= 8)
            *to++ = (unsigned char)(within(listing->until) >> shift);
    }
    return (na_bytes){text, len};
}

na_error *na_list_seal(apr_pool_t *pool, const na_record_keys *keys, const na_store_key *key,
                       const apr_array_header_t *list, na_bytes *sealed)
{
    return na_record_seal_bytes(pool, keys, key, na_list_write(pool, list), sealed);
}

na_error *na_list_open(apr_pool_t *pool, const na_record_keys *keys, const na_store_key *key,
                       na_bytes sealed, apr_array_header_t *list)
{
    na_bytes text;
    int stale;
    NA_TRY(na_record_open_bytes(pool, keys, key, sealed, &text, &stale));
    return na_list_read(pool, text, list);
}

int na_list_max(apr_size_t value_max)
{
    apr_size_t fit = (value_max - NA_RECORD_OVERHEAD - 1) / NA_LISTING_LEN;
    return fit < NA_USER_SESSIONS_MAX ? (int)fit : NA_USER_SESSIONS_MAX;
}

na_store_key na_session_key_of_hash(const unsigned char *hash)
{
    na_store_key key = {.kind = NA_KIND_SESSION};
    memcpy(key.hash, hash, sizeof key.hash);
    return key;
}

/* ── the sessions ──────────────────────────────────────────────────────────────────────────── */

static int find_among(const apr_array_header_t *list, int count, const unsigned char *hash)
{
    for (int i = 0; i < count; i++)
        if (memcmp(APR_ARRAY_IDX(list, i, na_listing).hash, hash, NA_SHA256_LEN) == 0)
            return i;
    return -1;
}

int na_list_find(const apr_array_header_t *list, const unsigned char *hash)
{
    return find_among(list, list->nelts, hash);
}

void na_list_drop(apr_array_header_t *list, int at)
{
    na_listing *listings = (na_listing *)list->elts;
    memmove(listings + at, listings + at + 1,
            (apr_size_t)(list->nelts - at - 1) * sizeof *listings);
    list->nelts--;
}

void na_list_drop_expired(apr_array_header_t *list, apr_int64_t now)
{
    for (int i = list->nelts - 1; i >= 0; i--)
        if (APR_ARRAY_IDX(list, i, na_listing).until < now)
            na_list_drop(list, i);
}

int na_list_first_end(const apr_array_header_t *list)
{
    int first = 0;
    for (int i = 1; i < list->nelts; i++)
        if (APR_ARRAY_IDX(list, i, na_listing).until < APR_ARRAY_IDX(list, first, na_listing).until)
            first = i;
    return first;
}

/* No list contains a session twice, so only the previous entries of `to` are compared. */
void na_list_add_missing(apr_array_header_t *to, const apr_array_header_t *from)
{
    int before = to->nelts;
    for (int i = 0; i < from->nelts; i++) {
        const na_listing *listing = &APR_ARRAY_IDX(from, i, na_listing);
        if (find_among(to, before, listing->hash) < 0)
            APR_ARRAY_PUSH(to, na_listing) = *listing;
    }
}
