/* SPDX-License-Identifier: Apache-2.0 */
/* JWTs that this client signs: which key and algorithm, and the claims they have in common. */
#include "oauth/signing.h"

#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "jose/alg.h"
#include "jose/jws.h"

/* Seconds for which a JWT is valid. It is made for one request, and clocks differ a little. */
#define LIFETIME 60

/* An EC or Ed25519 key fits one of them; an RSA key several, of which PSS is the better. */
static const char *const algs[] = {"ES256", "ES384", "ES512", "EdDSA", "Ed25519", "PS256",
                                   "RS256", "PS384", "PS512", "RS384", "RS512"};

/* Without a list, PSS might not be understood (Discovery 1.0 section 3 suggests RS256). */
static int is_usable(const char *alg, const char *wanted, const json_t *offered)
{
    if (wanted)
        return strcmp(alg, wanted) == 0;
    return offered ? na_json_has_text(offered, alg) : strncmp(alg, "PS", 2) != 0;
}

/* FAPI 2.0 Security Profile, section 5.4.1. */
static int is_permitted(const na_oauth *oauth, const char *alg)
{
    return !oauth->provider->is_fapi2 || na_provider_is_fapi2_alg(alg);
}

na_error *na_oauth_signer(const na_oauth *oauth, const char *alg, const json_t *offered,
                          na_signer *signer)
{
    const na_jwks *keys = oauth->provider->client_keys;
    for (int i = 0; keys && i < keys->count; i++)
        for (size_t k = 0; k < sizeof algs / sizeof *algs; k++)
            if (na_alg_fits(na_alg_find(algs[k]), keys->keys[i]) && is_permitted(oauth, algs[k]) &&
                is_usable(algs[k], alg, offered)) {
                *signer = (na_signer){keys->keys[i], algs[k]};
                return NULL;
            }
    return na_error_with_hint(
        na_error_new(oauth->pool, NA_ERR_CONFIGURATION,
                     "no key in clientKey= can sign with an algorithm that the provider offers"),
        "add a key of another type to clientKey=");
}

json_t *na_oauth_own_claims(const na_oauth *oauth, const char *audience)
{
    json_int_t now = apr_time_sec(oauth->now);
    return json_pack("{s:s, s:s, s:s, s:I, s:I}", "iss", oauth->provider->client_id, "aud",
                     audience, "jti", na_random_base64url(oauth->pool, 16), "iat", now, "exp",
                     now + LIFETIME);
}

na_error *na_oauth_sign(const na_oauth *oauth, const na_signer *signer, const char *typ,
                        const json_t *claims, const char **token)
{
    char *made;
    NA_TRY(na_jws_sign(oauth->pool, signer->key, signer->alg, typ,
                       na_bytes_of(na_json_dump(oauth->pool, claims)), &made));
    na_wipe_with_pool(oauth->pool, made, strlen(made));
    *token = made;
    return NULL;
}
