/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies and signs JSON Web Signatures. */
#include "jose/jws.h"

#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "jose/alg.h"
#include "jose/compact.h"
#include "jose/jws_signature.h"

na_error *na_jws_read(apr_pool_t *pool, const char *token, apr_size_t token_len, na_jws *jws)
{
    const json_t *header;
    *jws = (na_jws){0};
    if (token_len > NA_JWS_MAX)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "JWS: longer than %d characters",
                            NA_JWS_MAX);
    if (!na_compact_split(token, token_len, jws->parts, NA_JWS_PARTS))
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "JWS: not three parts");
    NA_TRY(na_jose_header(pool, NA_ERR_OAUTH_CALLBACK, jws->parts[NA_JWS_HEADER], &header));
    NA_TRY(na_jose_string(pool, NA_ERR_OAUTH_CALLBACK, header, "alg", &jws->alg));
    NA_TRY(na_jose_string(pool, NA_ERR_OAUTH_CALLBACK, header, "kid", &jws->kid));
    NA_TRY(na_jose_string(pool, NA_ERR_OAUTH_CALLBACK, header, "typ", &jws->typ));
    if (!jws->alg || !na_jws_alg_known(jws->alg))
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "JWS: unsupported algorithm %.40s",
                            jws->alg ? jws->alg : "(none given)");
    return NULL;
}

/* `kid` only selects among keys, so a key without one is always tried. */
static int key_fits(const na_jws *jws, const na_alg *alg, const na_jwk *key)
{
    if (jws->kid && key->kid && strcmp(jws->kid, key->kid) != 0)
        return 0;
    return key->can_verify && na_alg_fits(alg, key);
}

int na_jws_has_key(const na_jws *jws, const na_jwks *set)
{
    const na_alg *alg = na_alg_find(jws->alg);
    for (int i = 0; i < set->count; i++)
        if (alg && key_fits(jws, alg, set->keys[i]))
            return 1;
    return 0;
}

static int listed(const char *const *algs, const char *alg)
{
    for (; *algs; algs++)
        if (strcmp(*algs, alg) == 0)
            return 1;
    return 0;
}

/* Returns why none of the set's keys verified the token. */
static na_error *refusal(apr_pool_t *pool, const na_jws *jws, const na_alg *alg, const na_jwks *set)
{
    const char *kid = jws->kid ? jws->kid : "(none)";
    if (!na_jws_has_key(jws, set))
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK,
                            "JWS: no key for algorithm %s and kid %.80s", alg->name, kid);
    for (int i = 0; alg->kty == NA_KTY_OCT && i < set->count; i++)
        if (key_fits(jws, alg, set->keys[i]) && na_alg_secret_too_short(alg, set->keys[i]->secret))
            return na_error_new(pool, NA_ERR_OAUTH_CALLBACK,
                                "JWS: the secret has %" APR_SIZE_T_FMT " bytes, too few for %s",
                                set->keys[i]->secret.len, alg->name);
    return na_error_new(pool, NA_ERR_OAUTH_CALLBACK,
                        "JWS: the %s signature does not verify, kid %.80s", alg->name, kid);
}

na_error *na_jws_verify(apr_pool_t *pool, na_jws *jws, const na_jwks *set, const char *const *algs)
{
    const na_bytes *parts = jws->parts;
    na_bytes payload, signature;
    if (!listed(algs, jws->alg))
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK,
                            "JWS: the algorithm %s is not accepted here", jws->alg);
    NA_TRY(
        na_compact_decode(pool, NA_ERR_OAUTH_CALLBACK, "payload", parts[NA_JWS_PAYLOAD], &payload));
    NA_TRY(na_compact_decode(pool, NA_ERR_OAUTH_CALLBACK, "signature", parts[NA_JWS_SIGNATURE],
                             &signature));
    /* RFC 7515 section 5.1: the first two parts as received, with their dot */
    na_bytes input = {parts[NA_JWS_HEADER].data,
                      parts[NA_JWS_HEADER].len + 1 + parts[NA_JWS_PAYLOAD].len};
    const na_alg *alg = na_alg_find(jws->alg);
    for (int i = 0; i < set->count; i++) {
        if (!key_fits(jws, alg, set->keys[i]) ||
            !na_signature_verify(alg, set->keys[i], input, signature))
            continue;
        jws->payload = payload;
        return NULL;
    }
    return refusal(pool, jws, alg, set);
}

na_error *na_jws_sign_with(apr_pool_t *pool, const na_jwk *key, const char *alg, json_t *header,
                           na_bytes payload, char **token)
{
    na_bytes signature;
    const na_alg *found = na_alg_find(alg);
    if (!found || found->purpose != NA_ALG_SIGN || !na_alg_fits(found, key))
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "JWS: the key cannot be used for %.40s",
                            alg);
    json_object_set_new(header, "alg", json_string(alg));
    const char *text = na_json_dump(pool, header);
    const char *input = apr_pstrcat(pool, na_base64url_encode(pool, text, strlen(text)), ".",
                                    na_base64url_encode(pool, payload.data, payload.len), NULL);
    NA_TRY(na_signature_make(pool, found, key, na_bytes_of(input), &signature));
    *token = apr_pstrcat(pool, input, ".", na_base64url_encode(pool, signature.data, signature.len),
                         NULL);
    return NULL;
}

na_error *na_jws_sign(apr_pool_t *pool, const na_jwk *key, const char *alg, const char *typ,
                      na_bytes payload, char **token)
{
    json_t *header = na_json_own(pool, json_object());
    json_object_set_new(header, "alg", json_string(alg));
    if (key->kid)
        json_object_set_new(header, "kid", json_string(key->kid));
    if (key->x5t)
        json_object_set_new(header, "x5t#S256", json_string(key->x5t));
    if (typ)
        json_object_set_new(header, "typ", json_string(typ));
    return na_jws_sign_with(pool, key, alg, header, payload, token);
}
