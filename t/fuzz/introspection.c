/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "base/json.h"
#include "oauth/access_token_claims.h"
#include "oauth/access_token_jwt.h"
#include "oauth/introspection.h"

/* Answers about a token, and tokens of which nothing is verified yet. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    const na_provider provider = {.id = "as",
                                  .issuer = "https://as.example.org",
                                  .client_id = "api",
                                  .clock_tolerance = 60};
    apr_array_header_t *audiences = apr_array_make(fuzz_pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(audiences, const char *) = "https://api.example.org/";
    const na_issuer issuer = {.provider = &provider, .audiences = audiences};
    const na_oauth oauth = {.pool = fuzz_pool,
                            .provider = &provider,
                            .now = apr_time_from_sec(1700000000)};
    json_t *answer, *claims;
    if (na_access_token_peek(fuzz_pool, text, &claims) && !claims)
        abort();
    if (na_json_parse(fuzz_pool, NA_ERR_OAUTH_CALLBACK, text, strlen(text), &answer))
        return 0;
    na_error *error = na_introspection_read(&oauth, &issuer, answer, &claims);
    if (error && strlen(na_error_text(fuzz_pool, error)) > 2048)
        abort();
    if (!error && claims &&
        (!json_is_true(json_object_get(claims, "active")) ||
         !na_issuer_is_audience(&issuer, claims) ||
         (!na_token_user(claims) && !na_token_client(claims))))
        abort();
    return 0;
}
