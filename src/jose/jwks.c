/* SPDX-License-Identifier: Apache-2.0 */
/* Parses key sets. */
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "jose/jwk.h"
#include "jose/jws_signature.h"

/* Far more than any provider publishes; checking a key takes time. */
#define KEYS_MAX 256

static int same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/*
 * Returns why two keys cannot be in one set; NULL if they can. Compares the members as written, so
 * that a broken key cannot hide an ambiguous `kid`.
 */
static const char *clash(const json_t *one, const json_t *other)
{
    const char *kty = na_json_string(one, "kty"), *other_kty = na_json_string(other, "kty");
    if (same(kty, "oct") != same(other_kty, "oct"))
        return "it mixes symmetric and public keys";
    if (same(kty, other_kty) && same(na_json_string(one, "kid"), na_json_string(other, "kid")))
        return "two keys of one type have the same \"kid\"";
    return NULL;
}

static na_error *check_clashes(apr_pool_t *pool, const json_t *list)
{
    for (size_t i = 1; i < json_array_size(list); i++)
        for (size_t j = 0; j < i; j++) {
            const char *reason = clash(json_array_get(list, i), json_array_get(list, j));
            if (reason)
                return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "key set: %s", reason);
        }
    return NULL;
}

/* Most of a set's keys verify many tokens. */
static na_error *parse_key(apr_pool_t *pool, const json_t *json, const na_jwk **key)
{
    const na_jwk *parsed;
    NA_TRY(na_jwk_parse(pool, json, &parsed));
    na_jwk *made = apr_pmemdup(pool, parsed, sizeof *made);
    na_signature_prepare(pool, made);
    *key = made;
    return NULL;
}

na_error *na_jwks_parse(apr_pool_t *pool, const char *text, apr_size_t len, const na_jwks **set)
{
    json_t *json;
    na_error *unusable = NULL;
    NA_TRY(na_json_parse(pool, NA_ERR_OAUTH_CALLBACK, text, len, &json));
    const json_t *list = json_object_get(json, "keys");
    size_t count = json_array_size(list);
    if (!count || count > KEYS_MAX)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK,
                            "key set: \"keys\" is not a list, is empty, or is too long");
    NA_TRY(check_clashes(pool, list));
    na_jwks *made = apr_palloc(pool, sizeof *made);
    made->keys = apr_palloc(pool, count * sizeof *made->keys);
    made->count = 0;
    /* RFC 7517 section 5: an unusable key is ignored */
    for (size_t i = 0; i < count; i++) {
        na_error *error = parse_key(pool, json_array_get(list, i), &made->keys[made->count]);
        made->count += !error;
        unusable = error ? error : unusable;
    }
    if (!made->count)
        return na_error_wrap(pool, unusable, NULL, "key set: no usable key, the last one");
    *set = made;
    return NULL;
}
