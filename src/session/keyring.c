/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of encrypted cookies, derived from all secrets. */
#include "session/keyring.h"

#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"
#include "jose/compact.h"

static na_error *derive(apr_pool_t *pool, const char *secret, const char *salt, const char *info,
                        na_jwe_enc enc, int with_kid, const na_jwe_key **key)
{
    unsigned char bytes[64];
    apr_size_t len = enc == NA_A256GCM ? 32 : 64;
    NA_TRY(na_hkdf_sha256(pool, na_bytes_of(secret), na_bytes_of(salt), na_bytes_of(info), bytes,
                          len));
    na_error *error = na_jwe_key_make(pool, enc, bytes, with_kid, key);
    na_wipe(bytes, sizeof bytes);
    return error;
}

static na_error *derive_v4(apr_pool_t *pool, const char *secret, const char *salt, na_keyring *ring)
{
    const char *info = "NextAuth.js Generated Encryption Key";
    if (*salt)
        info = apr_pstrcat(pool, info, " (", salt, ")", NULL);
    return derive(pool, secret, salt, info, NA_A256GCM, 0, &ring->keys[ring->count++]);
}

/* v5 encrypts with A256CBC-HS512 and can also decrypt A256GCM. */
static na_error *derive_v5(apr_pool_t *pool, const char *secret, const char *salt, na_keyring *ring)
{
    const char *info = apr_pstrcat(pool, "Auth.js Generated Encryption Key (", salt, ")", NULL);
    NA_TRY(derive(pool, secret, salt, info, NA_A256CBC_HS512, 1, &ring->keys[ring->count++]));
    return derive(pool, secret, salt, info, NA_A256GCM, 1, &ring->keys[ring->count++]);
}

na_error *na_keyring_derive(apr_pool_t *pool, na_dialect dialect, const char *const *secrets,
                            int secret_count, const char *salt, na_keyring *ring)
{
    ring->keys = apr_palloc(pool, 2 * (apr_size_t)secret_count * sizeof *ring->keys);
    ring->count = 0;
    for (int i = 0; i < secret_count; i++)
        NA_TRY(dialect == NA_V4 ? derive_v4(pool, secrets[i], salt, ring)
                                : derive_v5(pool, secrets[i], salt, ring));
    return NULL;
}

na_error *na_keyring_seal(apr_pool_t *pool, const na_keyring *ring, json_t *claims, apr_time_t now,
                          long max_age, char **token)
{
    json_int_t seconds = apr_time_sec(now);
    json_object_set_new(claims, "iat", json_integer(seconds));
    json_object_set_new(claims, "exp", json_integer(seconds + max_age));
    json_object_set_new(claims, "jti", json_string(na_random_uuid(pool)));
    return na_jwe_seal(pool, ring->keys[0], na_bytes_of(na_json_dump(pool, claims)), token);
}

static na_error *open_text(apr_pool_t *pool, const na_keyring *ring, na_bytes token, apr_time_t now,
                           na_bytes *text, na_claims *claims)
{
    NA_TRY(na_jwe_open(pool, ring->keys, ring->count, (const char *)token.data, token.len, text));
    NA_TRY(na_claims_read(pool, *text, claims));
    return na_claims_check_times(pool, claims, now);
}

na_error *na_keyring_read(apr_pool_t *pool, const na_keyring *ring, na_bytes token, apr_time_t now,
                          na_claims *claims)
{
    na_bytes text;
    return open_text(pool, ring, token, now, &text, claims);
}

na_error *na_keyring_open(apr_pool_t *pool, const na_keyring *ring, na_bytes token, apr_time_t now,
                          json_t **json)
{
    na_bytes text;
    na_claims claims;
    NA_TRY(open_text(pool, ring, token, now, &text, &claims));
    return na_json_parse_sealed(pool, NA_ERR_SESSION, text, json);
}

int na_keyring_is_form(apr_pool_t *pool, const char *token)
{
    na_bytes parts[5];
    const json_t *header;
    const char *alg, *enc;
    if (!na_compact_split(token, strlen(token), parts, 5) ||
        na_jose_header(pool, NA_ERR_SESSION, parts[0], &header))
        return 0;
    alg = na_json_string(header, "alg");
    enc = na_json_string(header, "enc");
    return alg && strcmp(alg, "dir") == 0 && enc &&
           (strcmp(enc, "A256GCM") == 0 || strcmp(enc, "A256CBC-HS512") == 0) &&
           !json_object_get(header, "iss");
}
