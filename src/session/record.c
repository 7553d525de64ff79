/* SPDX-License-Identifier: Apache-2.0 */
/* Records of sessions in stores. */
#include "session/record.h"

#include <string.h>

#include <apr_strings.h>

#include "base/json.h"

/* format: version, IV, tag, ciphertext */
#define VERSION 1
#define IV_LEN 12
#define TAG_LEN 16
_Static_assert(NA_RECORD_OVERHEAD == 1 + IV_LEN + TAG_LEN, "what is in front of the ciphertext");

/* Characters of a hash in base64url. */
#define HASH_TEXT_LEN 43

na_error *na_record_keys_derive(apr_pool_t *pool, const char *const *secrets, int secret_count,
                                const char *site, const char *purpose, na_record_keys *keys)
{
    keys->keys = apr_palloc(pool, (apr_size_t)secret_count * sizeof *keys->keys);
    keys->count = 0;
    for (int i = 0; i < secret_count; i++) {
        unsigned char key[32];
        NA_TRY(na_hkdf_sha256(pool, na_bytes_of(secrets[i]), na_bytes_of(site),
                              na_bytes_of(purpose), key, sizeof key));
        na_error *error = na_content_make(pool, NA_ERR_CONFIGURATION, na_enc_find("A256GCM"), key,
                                          &keys->keys[keys->count++]);
        na_wipe(key, sizeof key);
        NA_TRY(error);
    }
    return NULL;
}

na_error *na_record_namespaces_derive(apr_pool_t *pool, const char *const *secrets,
                                      int secret_count, const char *site,
                                      const char *const **namespaces)
{
    static const char info[] = "mod_nextauth namespace";
    const char **derived = apr_palloc(pool, (apr_size_t)secret_count * sizeof *derived);
    for (int i = 0; i < secret_count; i++) {
        unsigned char bytes[16];
        NA_TRY(na_hkdf_sha256(pool, na_bytes_of(secrets[i]), na_bytes_of(site), na_bytes_of(info),
                              bytes, sizeof bytes));
        derived[i] = na_hex(pool, bytes, sizeof bytes);
    }
    *namespaces = derived;
    return NULL;
}

static na_bytes additional_data(apr_pool_t *pool, const na_store_key *key)
{
    return na_bytes_of(
        apr_pstrcat(pool, key->kind, ":", na_hex(pool, key->hash, sizeof key->hash), NULL));
}

na_error *na_record_seal_bytes(apr_pool_t *pool, const na_record_keys *keys,
                               const na_store_key *key, na_bytes plain, na_bytes *sealed)
{
    na_sealed parts = {.aad = additional_data(pool, key)};
    if (!na_content_seal(pool, keys->keys[0], plain, &parts))
        return na_error_new(pool, NA_ERR_SESSION, "could not encrypt a record: %s",
                            na_openssl_error(pool));
    unsigned char *bytes = apr_palloc(pool, NA_RECORD_OVERHEAD + parts.ciphertext.len);
    bytes[0] = VERSION;
    memcpy(bytes + 1, parts.iv.data, IV_LEN);
    memcpy(bytes + 1 + IV_LEN, parts.tag.data, TAG_LEN);
    memcpy(bytes + NA_RECORD_OVERHEAD, parts.ciphertext.data, parts.ciphertext.len);
    *sealed = (na_bytes){bytes, NA_RECORD_OVERHEAD + parts.ciphertext.len};
    return NULL;
}

na_error *na_record_open_bytes(apr_pool_t *pool, const na_record_keys *keys,
                               const na_store_key *key, na_bytes sealed, na_bytes *plain,
                               int *stale)
{
    if (sealed.len <= NA_RECORD_OVERHEAD || sealed.data[0] != VERSION)
        return na_error_new(pool, NA_ERR_SESSION, "the store returned an invalid record");
    na_sealed parts = {.aad = additional_data(pool, key),
                       .iv = {sealed.data + 1, IV_LEN},
                       .tag = {sealed.data + 1 + IV_LEN, TAG_LEN},
                       .ciphertext = {sealed.data + NA_RECORD_OVERHEAD,
                                      sealed.len - NA_RECORD_OVERHEAD}};
    for (int i = 0; i < keys->count; i++) {
        *stale = i > 0;
        if (!na_content_open(pool, keys->keys[i], &parts, plain))
            return NULL;
    }
    return na_error_new(pool, NA_ERR_SESSION,
                        "the store returned a record of another secret or site");
}

static na_error *seal(apr_pool_t *pool, const na_record_keys *keys, const na_store_key *key,
                      const json_t *json, na_bytes *out)
{
    return na_record_seal_bytes(pool, keys, key, na_bytes_of(na_json_dump(pool, json)), out);
}

static na_error *open_json(apr_pool_t *pool, const na_record_keys *keys, const na_store_key *key,
                           na_bytes in, json_t **json, int *stale)
{
    na_bytes text;
    NA_TRY(na_record_open_bytes(pool, keys, key, in, &text, stale));
    return na_json_parse_sealed(pool, NA_ERR_SESSION, text, json);
}

/* ── sessions ──────────────────────────────────────────────────────────────────────────────── */

static void write_names(const na_provider_names *names, json_t *json)
{
    if (names->session)
        json_object_set_new(json, "s", json_string(names->session));
    if (names->subject)
        json_object_set_new(json, "p", json_string(names->subject));
    if (names->since)
        json_object_set_new(json, "i", json_integer(names->since));
}

/* Members have names of one letter, because shared memory is small. */
na_error *na_record_seal(apr_pool_t *pool, const na_record_keys *keys, const na_store_key *key,
                         const na_record *record, na_bytes *sealed)
{
    json_t *json =
        na_json_own(pool, json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:O*, s:O*}", "u",
                                    record->user, "a", record->address, "d", record->device, "c",
                                    (json_int_t)record->created, "t", (json_int_t)record->used, "e",
                                    (json_int_t)record->expires, "l", (json_int_t)record->listed,
                                    "k", record->claims, "n", record->newer));
    if (!json)
        return na_error_new(pool, NA_ERR_SESSION, "could not create the session record");
    if (record->in_token)
        json_object_set_new(json, "j", json_true());
    if (record->vouched)
        json_object_set_new(json, "r", json_true());
    if (record->ended)
        json_object_set_new(json, "x", json_true());
    write_names(&record->at_provider, json);
    return seal(pool, keys, key, json, sealed);
}

static const char *text_of(const json_t *json, const char *name)
{
    const char *text = na_json_string(json, name);
    return text ? text : "";
}

static apr_int64_t time_of(const json_t *json, const char *name)
{
    json_int_t seconds = 0;
    na_json_number(json, name, &seconds);
    return seconds;
}

na_error *na_record_open(apr_pool_t *pool, const na_record_keys *keys, const na_store_key *key,
                         na_bytes sealed, na_record *record)
{
    json_t *json;
    int stale;
    NA_TRY(open_json(pool, keys, key, sealed, &json, &stale));
    const json_t *claims = json_object_get(json, "k"), *newer = json_object_get(json, "n");
    *record = (na_record){.user = text_of(json, "u"),
                          .address = text_of(json, "a"),
                          .device = text_of(json, "d"),
                          .created = time_of(json, "c"),
                          .used = time_of(json, "t"),
                          .expires = time_of(json, "e"),
                          .listed = time_of(json, "l"),
                          .in_token = json_is_true(json_object_get(json, "j")),
                          .vouched = json_is_true(json_object_get(json, "r")),
                          .ended = json_is_true(json_object_get(json, "x")),
                          .stale = stale,
                          .claims = json_is_object(claims) ? claims : NULL,
                          .newer = json_is_object(newer) ? newer : NULL,
                          .at_provider = {na_json_string(json, "s"), na_json_string(json, "p"),
                                          time_of(json, "i")}};
    return NULL;
}

int na_record_is_live(const na_record *record, apr_time_t now)
{
    return !record->ended && record->expires > apr_time_sec(now);
}

/* ── users ─────────────────────────────────────────────────────────────────────────────────── */

na_error *na_user_record_seal(apr_pool_t *pool, const na_record_keys *keys, const na_store_key *key,
                              const na_user_record *record, na_bytes *sealed)
{
    json_t *json = na_json_own(pool, json_object());
    if (record->not_before) {
        json_object_set_new(json, "n", json_integer(record->not_before));
        json_object_set_new(json, "b",
                            json_string(
                                na_base64url_encode(pool, record->but, sizeof record->but)));
    }
    if (record->unrecorded_before)
        json_object_set_new(json, "u", json_integer(record->unrecorded_before));
    if (record->ends) {
        json_object_set_new(json, "m", json_integer(record->ends));
        json_object_set_new(json, "f", json_integer(record->ends_since));
    }
    return seal(pool, keys, key, json, sealed);
}

static void read_hash(apr_pool_t *pool, const json_t *json, unsigned char hash[NA_SHA256_LEN])
{
    const char *text = json_string_value(json);
    apr_size_t len = 0;
    unsigned char *bytes = text && strlen(text) == HASH_TEXT_LEN
                               ? na_base64url_decode(pool, text, HASH_TEXT_LEN, &len)
                               : NULL;
    if (len == NA_SHA256_LEN)
        memcpy(hash, bytes, len);
}

na_error *na_user_record_open(apr_pool_t *pool, const na_record_keys *keys, const na_store_key *key,
                              na_bytes sealed, na_user_record *record)
{
    json_t *json;
    int stale;
    NA_TRY(open_json(pool, keys, key, sealed, &json, &stale));
    *record = (na_user_record){.not_before = time_of(json, "n"),
                               .unrecorded_before = time_of(json, "u"),
                               .ends = time_of(json, "m"),
                               .ends_since = time_of(json, "f")};
    read_hash(pool, json_object_get(json, "b"), record->but);
    return NULL;
}

/* ── epochs ────────────────────────────────────────────────────────────────────────────────── */

na_error *na_epoch_seal(apr_pool_t *pool, const na_record_keys *keys, const na_store_key *key,
                        const na_epoch *epoch, na_bytes *sealed)
{
    json_t *json = na_json_own(pool, json_pack("{s:I, s:I}", "e", (json_int_t)epoch->began, "w",
                                               (json_int_t)epoch->written));
    return seal(pool, keys, key, json, sealed);
}

na_error *na_epoch_open(apr_pool_t *pool, const na_record_keys *keys, const na_store_key *key,
                        na_bytes sealed, na_epoch *epoch)
{
    json_t *json;
    int stale;
    NA_TRY(open_json(pool, keys, key, sealed, &json, &stale));
    *epoch = (na_epoch){time_of(json, "e"), time_of(json, "w"), stale};
    return NULL;
}
