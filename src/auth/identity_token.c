/* SPDX-License-Identifier: Apache-2.0 */
/* JWTs that tell applications who the user is. */
#include "auth/identity_token.h"

#include "base/json.h"
#include "jose/alg.h"
#include "jose/jws.h"
#include "session/picture.h"
#include "session/reserved.h"

/* An EC or Ed25519 key fits one of them; for an RSA key, the one that all libraries have. */
static const char *const algs[] = {"ES256", "ES384", "ES512", "EdDSA", "RS256"};

const char *na_identity_alg(const na_jwk *key)
{
    for (size_t i = 0; i < sizeof algs / sizeof *algs; i++)
        if (na_alg_fits(na_alg_find(algs[i]), key))
            return algs[i];
    return NULL;
}

/* A picture that is a data URL is too large for a header. */
static void remove_internal(json_t *claims)
{
    const char *name;
    json_t *value;
    void *next;
    json_object_foreach_safe(claims, next, name, value)
    {
        if (na_claim_is_internal(name))
            json_object_del(claims, name);
    }
    if (na_picture_is_data(claims))
        json_object_del(claims, "picture");
}

na_error *na_identity_token(apr_pool_t *pool, const na_config *config, const na_session *session,
                            const char *audience, apr_time_t now, const char **token)
{
    const na_jwk *key = config->identity.keys->keys[0];
    json_t *claims;
    char *made;
    NA_TRY(na_json_parse_sealed(pool, NA_ERR_SESSION, na_bytes_of(session->claims_json), &claims));
    remove_internal(claims);
    json_object_set_new(claims, "iss", json_string(config->base_url));
    json_object_set_new(claims, "aud", json_string(audience ? audience : config->origin));
    json_object_set_new(claims, "iat", json_integer(apr_time_sec(now)));
    json_object_set_new(claims, "exp", json_integer(apr_time_sec(now) + config->identity.lifetime));
    NA_TRY(na_jws_sign(pool, key, na_identity_alg(key), "JWT",
                       na_bytes_of(na_json_dump(pool, claims)), &made));
    *token = made;
    return NULL;
}
