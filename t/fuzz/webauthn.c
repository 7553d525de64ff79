/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "fuzz.h"
#include "webauthn/webauthn.h"

/*
 * Attestation objects, authenticator data, and keys: the input is each of them in turn. Nothing
 * that a fuzzer makes is signed by the key below, so an authentication that succeeds is a defect.
 */

#define CHALLENGE "x"
#define CREATE "{\"type\":\"webauthn.create\",\"challenge\":\"x\",\"origin\":\"https://a\"}"
#define DATA_LEN 37
#define GET "{\"type\":\"webauthn.get\",\"challenge\":\"x\",\"origin\":\"https://a\"}"

static na_webauthn_rp new_rp(void)
{
    apr_array_header_t *origins = apr_array_make(fuzz_pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(origins, const char *) = "https://a";
    return (na_webauthn_rp){"a", origins, 0};
}

/* The seeds have credentials of this ID, so that registrations can succeed. */
static void register_input(const na_webauthn_rp *rp, na_bytes input)
{
    na_webauthn_credential made;
    na_webauthn_use use;
    const na_webauthn_answer answer = {.id = na_bytes_of("0123456789abcdef"),
                                       .client_data = na_bytes_of(CREATE),
                                       .attestation = input};
    if (!na_webauthn_register(fuzz_pool, rp, CHALLENGE, &answer, &made, &use) &&
        (!made.id.len || !made.public_key.len || !use.attestation))
        abort();
}

/* Authenticator data of the shortest kind, then a key. */
static void authenticate_input(const na_webauthn_rp *rp, na_bytes input)
{
    static const unsigned char signature[64] = {1};
    apr_size_t len = input.len < DATA_LEN ? input.len : DATA_LEN;
    na_webauthn_use use;
    const na_webauthn_answer answer = {.client_data = na_bytes_of(GET),
                                       .authenticator_data = {input.data, len},
                                       .signature = {signature, sizeof signature}};
    const na_webauthn_credential known = {.public_key = {input.data + len, input.len - len}};
    if (!na_webauthn_authenticate(fuzz_pool, rp, CHALLENGE, &answer, &known, &use))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    na_webauthn_answer answer;
    const char *text = fuzz_text(data, size);
    const na_webauthn_rp rp = new_rp();
    const na_bytes input = {data, size};
    if (!na_webauthn_parse(fuzz_pool, text, &answer))
        na_webauthn_challenge(fuzz_pool, &answer);
    register_input(&rp, input);
    authenticate_input(&rp, input);
    return 0;
}
