/* SPDX-License-Identifier: Apache-2.0 */
/* Grants of device authorization (RFC 8628), from the request of a device to its token. */
#include "auth/device_grant.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/json.h"

#define KIND "device"
#define KIND_OF_USER_CODE "device-user"

/* An expired grant is kept for this time, so that its device learns why it gets no token. */
#define KEPT (2L * NA_GRANT_SECONDS)

/* ── user codes ────────────────────────────────────────────────────────────────────────────── */

/* Consonants that are no digits and spell no words: 34.5 bits (RFC 8628 section 6.1). */
static const char letters[] = "BCDFGHJKLMNPQRSTVWXZ";

#define LETTERS 20
#define HALF 4
#define CODE_LEN (2 * HALF + 1)

/* Draws again what is beyond the last multiple of 20, so that all letters are equally likely. */
static char random_letter(apr_pool_t *pool)
{
    unsigned char byte;
    do
        na_random_from(pool, &byte, 1);
    while (byte >= 256 / LETTERS * LETTERS);
    return letters[byte % LETTERS];
}

static const char *new_user_code(apr_pool_t *pool)
{
    char *code = apr_pcalloc(pool, CODE_LEN + 1);
    for (int i = 0; i < CODE_LEN; i++)
        code[i] = i == HALF ? '-' : random_letter(pool);
    return code;
}

const char *na_device_user_code(apr_pool_t *pool, const char *typed)
{
    char *code = apr_pcalloc(pool, CODE_LEN + 1);
    int len = 0;
    for (; *typed; typed++) {
        char letter = (char)apr_toupper(*typed);
        if (apr_ispunct(*typed) || apr_isspace(*typed))
            continue;
        if (len == CODE_LEN || !strchr(letters, letter))
            return NULL;
        if (len == HALF)
            code[len++] = '-';
        code[len++] = letter;
    }
    return len == CODE_LEN ? code : NULL;
}

/* ── the store ─────────────────────────────────────────────────────────────────────────────── */

/*
 * A shared object cache is not used, as for rate limits: any visitor can begin grants, which would
 * push sessions out of it.
 */
static na_error *find_store(const na_request *request, const na_store **store)
{
    *store = request->rates->store;
    if (*store)
        return NULL;
    if (!request->db)
        return na_error_new(request->pool, NA_ERR_CONFIGURATION, "there is no database");
    na_store *made = apr_pcalloc(request->pool, sizeof *made);
    made->breaker.name = request->db->options->name;
    made->breaker.health = apr_pcalloc(request->pool, sizeof *made->breaker.health); /* its own */
    na_db_make_store(request->db, made);
    *store = made;
    return NULL;
}

/* Sites that share a store have grants of their own. */
static void make_key(const na_request *request, na_store_key *key, const char *kind,
                     const char *code)
{
    na_store_key_make(key, kind,
                      apr_pstrcat(request->pool, request->config->session.site, " ", code, NULL));
}

static na_error *read_value(const na_request *request, const na_store_key *key, na_bytes *value)
{
    const na_store *store;
    NA_TRY(find_store(request, &store));
    return na_store_get(store, request->pool, key, 1, value);
}

static na_error *swap_value(const na_request *request, const na_store_key *key, na_bytes expected,
                            na_bytes value, apr_int64_t until, int *swapped)
{
    const na_store *store;
    NA_TRY(find_store(request, &store));
    return na_store_swap(store, request->pool, key, expected, value, apr_time_from_sec(until),
                         swapped);
}

/* ── grants as JSON ────────────────────────────────────────────────────────────────────────── */

static apr_int64_t number_of(const json_t *json, const char *name)
{
    json_int_t number = 0;
    na_json_number(json, name, &number);
    return number;
}

static na_error *seal_grant(const na_request *request, const na_device_grant *grant,
                            na_bytes *value)
{
    char *token;
    json_t *json =
        na_json_own(request->pool,
                    json_pack("{s:s, s:s, s:s, s:s, s:s*, s:I, s:I, s:I, s:I, s:i, s:s*, s:I}",
                              "code", grant->user_code, "client", grant->client, "device",
                              grant->device, "scope", grant->scope, "address", grant->address,
                              "asked", (json_int_t)grant->asked_at, "ends",
                              (json_int_t)grant->expires_at, "polled", (json_int_t)grant->polled_at,
                              "interval", (json_int_t)grant->interval, "state", (int)grant->state,
                              "user", grant->user_id, "revision", (json_int_t)grant->revision));
    if (grant->claims)
        json_object_set(json, "claims", grant->claims);
    NA_TRY(na_keyring_seal(request->pool, &request->config->device_ring, json, request->now, KEPT,
                           &token));
    *value = na_bytes_of(token);
    return NULL;
}

/* Returns 0 if the value is of another site or program. */
static int open_grant(const na_request *request, na_bytes value, na_device_grant *grant)
{
    json_t *json;
    if (na_keyring_open(request->pool, &request->config->device_ring, value, request->now, &json))
        return 0;
    grant->user_code = na_json_string(json, "code");
    grant->client = na_json_string(json, "client");
    grant->device = na_json_string(json, "device");
    grant->scope = na_json_string(json, "scope");
    grant->address = na_json_string(json, "address");
    grant->asked_at = number_of(json, "asked");
    grant->expires_at = number_of(json, "ends");
    grant->polled_at = number_of(json, "polled");
    grant->interval = (long)number_of(json, "interval");
    grant->state = (na_grant_state)number_of(json, "state");
    grant->user_id = na_json_string(json, "user");
    grant->revision = number_of(json, "revision");
    grant->claims = json_object_get(json, "claims");
    grant->stored = value;
    return grant->user_code && grant->client && grant->device && grant->scope;
}

/* ── operations ────────────────────────────────────────────────────────────────────────────── */

/* The hash of the device code is kept under the user code: it does not reveal that code. */
static na_error *reserve_user_code(na_request *request, na_device_grant *grant, int *reserved)
{
    na_store_key key;
    grant->user_code = new_user_code(request->pool);
    make_key(request, &key, KIND_OF_USER_CODE, grant->user_code);
    return swap_value(request, &key, (na_bytes){0},
                      (na_bytes){grant->key.hash, sizeof grant->key.hash}, grant->expires_at,
                      reserved);
}

#define CODES_MAX 5

na_error *na_device_grant_begin(na_request *request, na_device_grant *grant,
                                const char **device_code)
{
    int done = 0;
    char *code = na_random_base64url(request->pool, 32);
    na_wipe_with_pool(request->pool, code, strlen(code));
    make_key(request, &grant->key, KIND, code);
    grant->address = request->origin.address;
    grant->asked_at = apr_time_sec(request->now);
    grant->expires_at = grant->asked_at + NA_GRANT_SECONDS;
    grant->interval = NA_GRANT_INTERVAL;
    for (int tries = 0; !done && tries < CODES_MAX; tries++)
        NA_TRY(reserve_user_code(request, grant, &done));
    if (done)
        NA_TRY(na_device_grant_write(request, grant, &done));
    *device_code = code;
    return done ? NULL : na_error_new(request->pool, NA_ERR_BUSY, "too many user codes are in use");
}

na_error *na_device_grant_reread(na_request *request, na_device_grant *grant, int *found)
{
    na_bytes value;
    NA_TRY(read_value(request, &grant->key, &value));
    *found = value.data && open_grant(request, value, grant);
    return NULL;
}

na_error *na_device_grant_find(na_request *request, const char *device_code, na_device_grant *grant,
                               int *found)
{
    make_key(request, &grant->key, KIND, device_code);
    return na_device_grant_reread(request, grant, found);
}

/* The grant contains its user code: a writer to the store cannot assign another grant to it. */
na_error *na_device_grant_find_by_user_code(na_request *request, const char *typed,
                                            na_device_grant *grant, int *found)
{
    na_store_key key;
    na_bytes value;
    const char *code = na_device_user_code(request->pool, typed);
    *found = 0;
    if (!code)
        return NULL;
    make_key(request, &key, KIND_OF_USER_CODE, code);
    NA_TRY(read_value(request, &key, &value));
    if (!value.data || value.len != sizeof grant->key.hash)
        return NULL;
    make_key(request, &grant->key, KIND, "");
    memcpy(grant->key.hash, value.data, value.len);
    NA_TRY(na_device_grant_reread(request, grant, found));
    *found = *found && strcmp(grant->user_code, code) == 0;
    return NULL;
}

na_error *na_device_grant_write(na_request *request, na_device_grant *grant, int *written)
{
    na_bytes value;
    NA_TRY(seal_grant(request, grant, &value));
    NA_TRY(swap_value(request, &grant->key, grant->stored, value, apr_time_sec(request->now) + KEPT,
                      written));
    if (*written)
        grant->stored = value;
    return NULL;
}

int na_device_grant_has_expired(const na_request *request, const na_device_grant *grant)
{
    return apr_time_sec(request->now) >= grant->expires_at;
}
