/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "base/json.h"
#include "oauth/logout_token.h"

#define ISSUER "https://id.example.org"
#define CLIENT "the-client"
#define NOW 1700000000

/* The key of the seeds that have a signature: the client's secret, with HS256. */
#define SECRET "a secret of 32 bytes for the fuzz"

/* If it was accepted, it names something, and no token is accepted for longer than its age. */
static void check(const na_error *error, const na_logout_token *logout)
{
    if (error) {
        if (strlen(na_error_text(fuzz_pool, error)) > 2048)
            abort();
        return;
    }
    if (strcmp(logout->issuer, ISSUER) != 0 || !logout->id || !*logout->id ||
        (!logout->subject && !logout->session_id) || (logout->subject && !*logout->subject) ||
        (logout->session_id && !*logout->session_id) || logout->issued_at > NOW + 60 ||
        logout->expires <= NOW ||
        logout->expires > logout->issued_at + NA_LOGOUT_TOKEN_MAX_AGE + 60)
        abort();
}

/* A logout token as anyone can post it, and the claims of one that its provider signed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    const na_provider provider = {.client_id = CLIENT,
                                  .client_secret = SECRET,
                                  .id_token_alg = "HS256",
                                  .clock_tolerance = 60};
    const na_oauth oauth = {.pool = fuzz_pool,
                            .provider = &provider,
                            .now = apr_time_from_sec(NOW)};
    const na_metadata metadata = {.issuer = ISSUER};
    na_logout_token logout;
    json_t *claims;
    check(na_oauth_verify_logout_token(&oauth, &metadata, text, &logout), &logout);
    if (!na_json_parse(fuzz_pool, NA_ERR_OAUTH_CALLBACK, text, strlen(text), &claims))
        check(na_oauth_check_logout_claims(&oauth, &metadata, claims, &logout), &logout);
    return 0;
}
