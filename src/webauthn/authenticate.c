/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies authentications. */
#include <fido.h>

#include "webauthn/answer.h"
#include "webauthn/cose.h"

int na_webauthn_is_here(void)
{
    return 1;
}

/* Section 7.2 steps 20 and 21. */
static int is_signature_valid(const na_webauthn_rp *rp, const na_cose_key *key,
                              const unsigned char hash[NA_SHA256_LEN],
                              const na_webauthn_answer *answer)
{
    const na_bytes data = answer->authenticator_data, signature = answer->signature;
    fido_init(0);
    fido_assert_t *assertion = fido_assert_new();
    int is_valid = assertion && fido_assert_set_rp(assertion, rp->id) == FIDO_OK &&
                   fido_assert_set_clientdata_hash(assertion, hash, NA_SHA256_LEN) == FIDO_OK &&
                   fido_assert_set_count(assertion, 1) == FIDO_OK &&
                   fido_assert_set_up(assertion, FIDO_OPT_TRUE) == FIDO_OK &&
                   fido_assert_set_uv(assertion, rp->verifies_users ? FIDO_OPT_TRUE
                                                                    : FIDO_OPT_OMIT) == FIDO_OK &&
                   fido_assert_set_authdata_raw(assertion, 0, data.data, data.len) == FIDO_OK &&
                   fido_assert_set_sig(assertion, 0, signature.data, signature.len) == FIDO_OK &&
                   fido_assert_verify(assertion, 0, key->alg, key->pk) == FIDO_OK;
    fido_assert_free(&assertion);
    return is_valid;
}

/* Section 7.2 step 22: an authenticator without a counter always says 0. */
static int is_counter_valid(apr_uint32_t known, apr_uint32_t said)
{
    return (!known && !said) || said > known;
}

na_error *na_webauthn_authenticate(apr_pool_t *pool, const na_webauthn_rp *rp,
                                   const char *challenge, const na_webauthn_answer *answer,
                                   const na_webauthn_credential *known, na_webauthn_use *use)
{
    unsigned char hash[NA_SHA256_LEN];
    na_authenticator_data data;
    na_cose_key key;
    na_bytes rest;
    NA_TRY(
        na_webauthn_check_client(pool, rp, "webauthn.get", challenge, answer->client_data, hash));
    NA_TRY(na_webauthn_check_data(pool, rp, answer->authenticator_data, 0, &data));
    NA_TRY(na_cose_key_read(pool, known->public_key, &key, &rest));
    if (!is_signature_valid(rp, &key, hash, answer))
        return na_error_new(pool, NA_ERR_WEBAUTHN, "the signature is not valid");
    if (data.is_synced != known->is_synced) /* section 6.1.3: it never changes */
        return na_error_new(pool, NA_ERR_WEBAUTHN,
                            "the passkey says otherwise than before whether it can be backed up");
    if (!is_counter_valid(known->counter, data.use.counter))
        return na_error_with_hint(
            na_error_new(pool, NA_ERR_WEBAUTHN,
                         "the counter went from %u to %u: there might be a copy of the passkey",
                         known->counter, data.use.counter),
            "ask the user to remove this passkey and to add it again");
    *use = data.use;
    return NULL;
}
