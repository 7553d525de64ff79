/* SPDX-License-Identifier: Apache-2.0 */
/* The client secret: as configured, or a JWT that is signed for each token request. */
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "jose/jws.h"
#include "oauth/oauth.h"

/* Apple accepts up to six months; a token request takes seconds. */
#define LIFETIME 300

#define APPLE "https://appleid.apple.com"

/* Sign in with Apple, "Creating a client secret". */
static na_error *sign(const na_oauth *oauth, const char **secret)
{
    const na_provider *provider = oauth->provider;
    na_jwk key = *provider->client_secret_key;
    json_int_t now = apr_time_sec(oauth->now);
    key.kid = provider->key_id;
    const json_t *claims =
        na_json_own(oauth->pool,
                    json_pack("{s:s, s:I, s:I, s:s, s:s}", "iss", provider->team_id, "iat", now,
                              "exp", now + LIFETIME, "aud", APPLE, "sub", provider->client_id));
    char *token;
    NA_TRY(na_jws_sign(oauth->pool, &key, "ES256", NULL,
                       na_bytes_of(na_json_dump(oauth->pool, claims)), &token));
    na_wipe_with_pool(oauth->pool, token, strlen(token));
    *secret = token;
    return NULL;
}

na_error *na_oauth_client_secret(const na_oauth *oauth, const char **secret)
{
    *secret = oauth->provider->client_secret;
    return oauth->provider->client_secret_key ? sign(oauth, secret) : NULL;
}
