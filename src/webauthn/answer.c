/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes answers, and checks what is the same for registrations and authentications. */
#include "webauthn/answer.h"

#include <apr_strings.h>

#include "base/json.h"
#include "webauthn/cbor.h"
#include "webauthn/cose.h"

/* ── the JSON of clients ───────────────────────────────────────────────────────────────────── */

#define TRANSPORTS_MAX 100

static na_bytes decode(apr_pool_t *pool, const json_t *object, const char *name)
{
    const char *text = na_json_string(object, name);
    na_bytes bytes = {NULL, 0};
    if (text)
        bytes.data = na_base64url_decode(pool, text, strlen(text), &bytes.len);
    return bytes.data ? bytes : (na_bytes){NULL, 0};
}

/* Auth.js stores them joined by commas. They are hints alone (section 5.8.4). */
static const char *transports_of(apr_pool_t *pool, const json_t *response)
{
    const json_t *list = json_object_get(response, "transports");
    apr_array_header_t *names = apr_array_make(pool, 4, sizeof(const char *));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (name && *name && strspn(name, "abcdefghijklmnopqrstuvwxyz-") == strlen(name))
            APR_ARRAY_PUSH(names, const char *) = name;
    }
    const char *text = na_join(pool, names, ",");
    return *text && strlen(text) <= TRANSPORTS_MAX ? text : NULL;
}

na_error *na_webauthn_parse(apr_pool_t *pool, const char *text, na_webauthn_answer *answer)
{
    json_t *json;
    NA_TRY(na_json_parse(pool, NA_ERR_WEBAUTHN, text, strlen(text), &json));
    const json_t *response = json_object_get(json, "response");
    const char *type = na_json_string(json, "type");
    *answer =
        (na_webauthn_answer){.id = decode(pool, json, "id"),
                             .client_data = decode(pool, response, "clientDataJSON"),
                             .attestation = decode(pool, response, "attestationObject"),
                             .authenticator_data = decode(pool, response, "authenticatorData"),
                             .signature = decode(pool, response, "signature"),
                             .transports = transports_of(pool, response),
                             .user_handle = na_json_string(response, "userHandle")};
    int is_complete =
        answer->id.len && answer->client_data.len && type && strcmp(type, "public-key") == 0 &&
        (answer->attestation.len || (answer->authenticator_data.len && answer->signature.len));
    return is_complete
               ? NULL
               : na_error_new(pool, NA_ERR_WEBAUTHN,
                              "the answer lacks a member, or has one that is not base64url");
}

/* ── client data, section 5.8.1 ────────────────────────────────────────────────────────────── */

static na_error *read_client_data(apr_pool_t *pool, na_bytes client_data, json_t **json)
{
    na_error *error =
        na_json_parse(pool, NA_ERR_WEBAUTHN, (const char *)client_data.data, client_data.len, json);
    return error ? na_error_wrap(pool, error, NULL, "invalid client data") : NULL;
}

const char *na_webauthn_challenge(apr_pool_t *pool, const na_webauthn_answer *answer)
{
    json_t *json;
    return read_client_data(pool, answer->client_data, &json) ? NULL
                                                              : na_json_string(json, "challenge");
}

static int is_origin(const na_webauthn_rp *rp, const char *origin)
{
    for (int i = 0; i < rp->origins->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(rp->origins, i, const char *), origin) == 0)
            return 1;
    return 0;
}

/* Section 7.1 steps 5 to 11, and 7.2 steps 8 to 14. */
na_error *na_webauthn_check_client(apr_pool_t *pool, const na_webauthn_rp *rp, const char *type,
                                   const char *challenge, na_bytes client_data,
                                   unsigned char hash[NA_SHA256_LEN])
{
    json_t *json;
    NA_TRY(read_client_data(pool, client_data, &json));
    const char *said = na_json_string(json, "type"), *origin = na_json_string(json, "origin");
    if (!said || strcmp(said, type) != 0)
        return na_error_new(pool, NA_ERR_WEBAUTHN, "the client data is not of type %s", type);
    if (!na_equal_secret(na_json_string(json, "challenge"), challenge))
        return na_error_new(pool, NA_ERR_WEBAUTHN, "the answer is for another challenge");
    if (!origin || !is_origin(rp, origin))
        return na_error_with_hint(na_error_new(pool, NA_ERR_WEBAUTHN,
                                               "the answer is from another origin, '%s'",
                                               na_one_line(pool, origin, 200)),
                                  "if it is one of yours, add it to origin= of the provider");
    if (json_is_true(json_object_get(json, "crossOrigin")) || json_object_get(json, "topOrigin"))
        return na_error_new(pool, NA_ERR_WEBAUTHN, "the answer is from a frame in another site");
    na_sha256(hash, client_data, (na_bytes){NULL, 0});
    return NULL;
}

/* ── authenticator data, section 6.1 ───────────────────────────────────────────────────────── */

enum {
    FLAG_UP = 0x01,
    FLAG_UV = 0x04,
    FLAG_BE = 0x08,
    FLAG_BS = 0x10,
    FLAG_AT = 0x40,
    FLAG_ED = 0x80
};

#define HEADER_LEN 37 /* RP ID hash, flags, counter */
#define FLAGS_AT 32
#define AAGUID_LEN 16

static na_error *refuse_data(apr_pool_t *pool, const char *why)
{
    return na_error_new(pool, NA_ERR_WEBAUTHN, "%s", why);
}

static na_error *check_flags(apr_pool_t *pool, const na_webauthn_rp *rp, int flags,
                             int is_registration)
{
    if (!(flags & FLAG_UP))
        return refuse_data(pool, "the user was not present (flag UP)");
    if (rp->verifies_users && !(flags & FLAG_UV))
        return refuse_data(pool, "the authenticator did not verify the user (flag UV)");
    if (!(flags & FLAG_BE) && (flags & FLAG_BS))
        return refuse_data(pool, "a passkey that cannot be backed up is backed up (flags BE, BS)");
    if (!(flags & FLAG_AT) != !is_registration)
        return refuse_data(pool, "unexpected credential in the authenticator data (flag AT)");
    return NULL;
}

/* Attested credential data, section 6.5.1. */
static na_error *read_credential(apr_pool_t *pool, na_bytes *rest, na_webauthn_credential *made)
{
    na_cose_key key;
    na_bytes after;
    if (rest->len < AAGUID_LEN + 2)
        return refuse_data(pool, "the authenticator data is cut");
    apr_size_t len = (apr_size_t)rest->data[AAGUID_LEN] << 8 | rest->data[AAGUID_LEN + 1];
    *rest = (na_bytes){rest->data + AAGUID_LEN + 2, rest->len - AAGUID_LEN - 2};
    if (!len || len > rest->len)
        return refuse_data(pool, "the authenticator data is cut");
    if ((len + 2) / 3 * 4 > NA_WEBAUTHN_ID_MAX)
        return refuse_data(pool, "the credential's ID is too long to be stored");
    made->id = (na_bytes){rest->data, len};
    *rest = (na_bytes){rest->data + len, rest->len - len};
    NA_TRY(na_cose_key_read(pool, *rest, &key, &after));
    made->public_key = (na_bytes){rest->data, rest->len - after.len};
    *rest = after;
    return NULL;
}

/* Extensions that were not asked for are ignored, as section 9 allows, but must be a map. */
static na_error *skip_extensions(apr_pool_t *pool, int flags, na_bytes rest)
{
    na_cbor_item item;
    if (flags & FLAG_ED && (!na_cbor_read(rest, &item, &rest) || item.type != NA_CBOR_MAP))
        return refuse_data(pool, "invalid extensions in the authenticator data");
    return rest.len ? refuse_data(pool, "the authenticator data has bytes at its end") : NULL;
}

/* Section 7.1 steps 13 to 19, and 7.2 steps 15 to 19. */
na_error *na_webauthn_check_data(apr_pool_t *pool, const na_webauthn_rp *rp, na_bytes data,
                                 int is_registration, na_authenticator_data *read)
{
    unsigned char hash[NA_SHA256_LEN];
    *read = (na_authenticator_data){.use = {.counter = 0}};
    if (data.len < HEADER_LEN)
        return refuse_data(pool, "the authenticator data is cut");
    na_sha256(hash, na_bytes_of(rp->id), (na_bytes){NULL, 0});
    if (memcmp(hash, data.data, sizeof hash) != 0)
        return refuse_data(pool, "the answer is for another RP ID");
    int flags = data.data[FLAGS_AT];
    NA_TRY(check_flags(pool, rp, flags, is_registration));
    const unsigned char *counter = data.data + FLAGS_AT + 1;
    read->use = (na_webauthn_use){.counter = (apr_uint32_t)counter[0] << 24 |
                                             (apr_uint32_t)counter[1] << 16 |
                                             (apr_uint32_t)counter[2] << 8 | counter[3],
                                  .is_backed_up = (flags & FLAG_BS) != 0,
                                  .is_verified = (flags & FLAG_UV) != 0};
    read->is_synced = (flags & FLAG_BE) != 0;
    na_bytes rest = {data.data + HEADER_LEN, data.len - HEADER_LEN};
    if (is_registration)
        NA_TRY(read_credential(pool, &rest, &read->credential));
    return skip_extensions(pool, flags, rest);
}
