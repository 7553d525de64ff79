/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "base/json.h"
#include "provider/catalogue.h"
#include "session/session.h"

/* JSON from a provider, as a profile; and, sealed, as the claims of a session. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char key[32] = {1};
    apr_pool_clear(fuzz_pool);
    na_catalogue *catalogue;
    na_provider *provider;
    na_user user;
    json_t *json;
    na_catalogue_load(fuzz_pool, &catalogue);
    na_provider_from_catalogue(fuzz_pool, catalogue, "github", &provider);
    if (!na_json_parse(fuzz_pool, NA_ERR_CALLBACK, (const char *)data, size, &json))
        na_provider_user(fuzz_pool, provider, 0, json, &user);

    const na_jwe_key *jwe_key;
    char *token;
    na_session *session;
    na_jwe_key_make(fuzz_pool, NA_A256GCM, key, 0, &jwe_key);
    const na_keyring ring = {&jwe_key, 1};
    const na_lifetime lifetime = {.max_age = 3600, .idle = 600, .absolute = 7200};
    if (na_jwe_seal(fuzz_pool, jwe_key, (na_bytes){data, size}, &token) ||
        na_session_open(fuzz_pool, &ring, NA_V4, na_bytes_of(token), &lifetime,
                        apr_time_from_sec(1780000000),
                        apr_array_make(fuzz_pool, 1, sizeof(na_identity_claim)), &session))
        return 0;
    for (int i = 0; i < session->identity_count; i++)
        if (na_has_control(session->identities[i].value))
            abort();
    return 0;
}
