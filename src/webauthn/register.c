/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies registrations: attestation objects, and their formats none and packed. */
#include <fido.h>

#include "webauthn/answer.h"
#include "webauthn/cbor.h"
#include "webauthn/cose.h"

/* Most bytes of an attestation object; one with certificates has about 2,000. */
#define ATTESTATION_MAX 16384

/* Section 6.5.4: a map of fmt, attStmt, and authData. */
typedef struct attestation {
    na_cbor_item format, statement, data;
} attestation;

static na_error *split_attestation(apr_pool_t *pool, na_bytes bytes, attestation *parts)
{
    na_cbor_item map;
    na_bytes rest;
    if (bytes.len > ATTESTATION_MAX || !na_cbor_read(bytes, &map, &rest) || rest.len ||
        map.type != NA_CBOR_MAP || !na_cbor_find(&map, "fmt", &parts->format) ||
        !na_cbor_find(&map, "attStmt", &parts->statement) ||
        !na_cbor_find(&map, "authData", &parts->data) || parts->format.type != NA_CBOR_TEXT ||
        parts->statement.type != NA_CBOR_MAP || parts->data.type != NA_CBOR_BYTES)
        return na_error_new(pool, NA_ERR_WEBAUTHN, "invalid attestation object");
    return NULL;
}

static int is_format(const attestation *parts, const char *name)
{
    return parts->format.content.len == strlen(name) &&
           memcmp(parts->format.content.data, name, strlen(name)) == 0;
}

/* Section 8.2, with a certificate (x5c) or the credential's own key (self attestation). */
static int is_packed_valid(const na_webauthn_rp *rp, const attestation *parts, int alg,
                           const unsigned char hash[NA_SHA256_LEN], int is_self)
{
    const na_bytes data = parts->data.content, statement = parts->statement.whole;
    fido_init(0);
    fido_cred_t *cred = fido_cred_new();
    int is_valid =
        cred && fido_cred_set_type(cred, alg) == FIDO_OK &&
        fido_cred_set_rp(cred, rp->id, NULL) == FIDO_OK &&
        fido_cred_set_uv(cred, rp->verifies_users ? FIDO_OPT_TRUE : FIDO_OPT_OMIT) == FIDO_OK &&
        fido_cred_set_clientdata_hash(cred, hash, NA_SHA256_LEN) == FIDO_OK &&
        fido_cred_set_authdata_raw(cred, data.data, data.len) == FIDO_OK &&
        fido_cred_set_fmt(cred, "packed") == FIDO_OK &&
        fido_cred_set_attstmt(cred, statement.data, statement.len) == FIDO_OK &&
        (is_self ? fido_cred_verify_self(cred) : fido_cred_verify(cred)) == FIDO_OK;
    fido_cred_free(&cred);
    return is_valid;
}

static na_error *check_packed(apr_pool_t *pool, const na_webauthn_rp *rp, const attestation *parts,
                              int alg, const unsigned char hash[NA_SHA256_LEN],
                              na_webauthn_use *use)
{
    na_cbor_item certificates, said;
    int is_self = !na_cbor_find(&parts->statement, "x5c", &certificates);
    int has_alg = na_cbor_find(&parts->statement, "alg", &said) && said.type == NA_CBOR_INTEGER &&
                  (!is_self || said.number == alg);
    use->attestation = is_self ? "self" : "packed";
    return has_alg && is_packed_valid(rp, parts, alg, hash, is_self)
               ? NULL
               : na_error_new(pool, NA_ERR_WEBAUTHN, "the attestation's signature is not valid");
}

/* Section 8.7: there is nothing in a statement of the format none. */
static na_error *check_statement(apr_pool_t *pool, const na_webauthn_rp *rp,
                                 const attestation *parts, int alg,
                                 const unsigned char hash[NA_SHA256_LEN], na_webauthn_use *use)
{
    if (is_format(parts, "packed"))
        return check_packed(pool, rp, parts, alg, hash, use);
    use->attestation = "none";
    return is_format(parts, "none") && parts->statement.number == 0
               ? NULL
               : na_error_with_hint(na_error_new(pool, NA_ERR_WEBAUTHN,
                                                 "the attestation is of neither format none nor "
                                                 "packed"),
                                    "set attestation=none, with which browsers send no other");
}

static int is_same(na_bytes a, na_bytes b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

na_error *na_webauthn_register(apr_pool_t *pool, const na_webauthn_rp *rp, const char *challenge,
                               const na_webauthn_answer *answer, na_webauthn_credential *made,
                               na_webauthn_use *use)
{
    unsigned char hash[NA_SHA256_LEN];
    attestation parts;
    na_authenticator_data data;
    na_cose_key key;
    na_bytes rest;
    NA_TRY(na_webauthn_check_client(pool, rp, "webauthn.create", challenge, answer->client_data,
                                    hash));
    NA_TRY(split_attestation(pool, answer->attestation, &parts));
    NA_TRY(na_webauthn_check_data(pool, rp, parts.data.content, 1, &data));
    NA_TRY(na_cose_key_read(pool, data.credential.public_key, &key, &rest));
    NA_TRY(check_statement(pool, rp, &parts, key.alg, hash, &data.use));
    if (!is_same(answer->id, data.credential.id))
        return na_error_new(pool, NA_ERR_WEBAUTHN, "the answer names another credential");
    *use = data.use;
    *made = data.credential;
    made->counter = data.use.counter;
    made->is_synced = data.is_synced;
    return NULL;
}
