/* SPDX-License-Identifier: Apache-2.0 */
/* How a client authenticates: names, and what each way requires. */
#include <string.h>

#include <apr_strings.h>

#include "jose/alg.h"
#include "provider/provider.h"

static const char *const auth_names[] = {
    [NA_AUTH_BASIC] = "client_secret_basic",
    [NA_AUTH_POST] = "client_secret_post",
    [NA_AUTH_SECRET_JWT] = "client_secret_jwt",
    [NA_AUTH_KEY_JWT] = "private_key_jwt",
    [NA_AUTH_TLS] = "tls_client_auth",
    [NA_AUTH_SELF_SIGNED_TLS] = "self_signed_tls_client_auth",
    [NA_AUTH_NONE] = "none",
};

const char *na_token_auth_name(na_token_auth auth)
{
    return auth_names[auth];
}

int na_provider_can_authenticate(const na_provider *provider, na_token_auth auth)
{
    int has_secret = provider->client_secret || provider->client_secret_key;
    switch (auth) {
    case NA_AUTH_NONE:
        return 1;
    case NA_AUTH_SECRET_JWT:
        return provider->client_secret != NULL;
    case NA_AUTH_KEY_JWT:
        return provider->client_keys != NULL;
    case NA_AUTH_TLS:
    case NA_AUTH_SELF_SIGNED_TLS:
        return provider->certificate.chain != NULL;
    case NA_AUTH_AUTO:
        return has_secret || provider->client_keys || provider->certificate.chain;
    default:
        return has_secret;
    }
}

static na_error *missing(apr_pool_t *pool, const na_provider *provider, const char *what,
                         const char *hint)
{
    return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION, "provider '%s' requires %s",
                                           provider->id, what),
                              hint);
}

static na_error *missing_means(apr_pool_t *pool, const na_provider *provider)
{
    const char *name = na_token_auth_name(provider->token_auth);
    if (provider->token_auth == NA_AUTH_KEY_JWT)
        return missing(pool, provider, "clientKey= for private_key_jwt", "set clientKey=file:PATH");
    if (provider->token_auth == NA_AUTH_TLS || provider->token_auth == NA_AUTH_SELF_SIGNED_TLS)
        return missing(pool, provider, apr_pstrcat(pool, "clientCertificate= for ", name, NULL),
                       "set clientCertificate=file:PATH and clientCertificateKey=file:PATH");
    return missing(pool, provider,
                   "clientSecret= (or token_endpoint_auth_method=none for a public client)",
                   "set clientSecret=env:NAME, file:PATH, or exec:COMMAND");
}

static na_error *finish_certificate(apr_pool_t *pool, na_provider *provider)
{
    na_certificate *certificate = &provider->certificate;
    if (!certificate->chain && !certificate->key)
        return NULL;
    if (!certificate->chain || !certificate->key)
        return missing(pool, provider,
                       "both clientCertificate= and clientCertificateKey=, or neither",
                       "set both to file:PATH");
    na_error *error = na_certificate_check(pool, certificate, &provider->certificate_ends);
    return error ? na_error_wrap(pool, error, NULL,
                                 "provider '%s': invalid clientCertificate= or "
                                 "clientCertificateKey=",
                                 provider->id)
                 : NULL;
}

static int has_key_for(const na_jwks *keys, const na_alg *alg)
{
    for (int i = 0; keys && i < keys->count; i++)
        if (na_alg_fits(alg, keys->keys[i]))
            return 1;
    return 0;
}

/* Core 1.0 section 9: with client_secret_jwt, the secret is the key of an HMAC. */
static na_error *check_auth_alg(apr_pool_t *pool, const na_provider *provider)
{
    int is_secret = provider->token_auth == NA_AUTH_SECRET_JWT;
    const char *name = provider->auth_alg ? provider->auth_alg : is_secret ? "HS256" : NULL;
    const na_alg *alg = name ? na_alg_find(name) : NULL;
    if (!alg)
        return NULL;
    if ((alg->kty == NA_KTY_OCT) != is_secret)
        return na_error_with_hint(
            na_error_new(pool, NA_ERR_CONFIGURATION,
                         "provider '%s': token_endpoint_auth_signing_alg=%s does not match "
                         "token_endpoint_auth_method=",
                         provider->id, name),
            "use HS256 to HS512 with client_secret_jwt, and others with private_key_jwt");
    if (alg->kty != NA_KTY_OCT && !has_key_for(provider->client_keys, alg))
        return missing(pool, provider,
                       apr_pstrcat(pool,
                                   "a key in clientKey= for "
                                   "token_endpoint_auth_signing_alg=",
                                   name, NULL),
                       "add a key of that type, or remove token_endpoint_auth_signing_alg=");
    if (alg->kty == NA_KTY_OCT &&
        na_alg_secret_too_short(alg, na_bytes_of(provider->client_secret)))
        return missing(pool, provider,
                       apr_pstrcat(pool, "a longer clientSecret= for client_secret_jwt with ", name,
                                   NULL),
                       "have the provider issue one of at least 32 bytes");
    return NULL;
}

static na_error *check_request(apr_pool_t *pool, const na_provider *provider)
{
    if (provider->pushes_request && provider->type != NA_OIDC && !provider->pushed_url)
        return missing(pool, provider,
                       "pushed_authorization_request_endpoint= for pushedRequest=true, because "
                       "nothing is discovered with type=oauth",
                       "set pushed_authorization_request_endpoint= to its URL");
    if (provider->signs_request && !provider->client_keys)
        return missing(pool, provider, "clientKey= for requestObject=true",
                       "set clientKey=file:PATH");
    return NULL;
}

/* ── the FAPI 2.0 Security Profile ─────────────────────────────────────────────────────────── */

int na_provider_is_fapi2_alg(const char *alg)
{
    return strcmp(alg, "PS256") == 0 || strcmp(alg, "ES256") == 0 || strcmp(alg, "EdDSA") == 0 ||
           strcmp(alg, "Ed25519") == 0;
}

static na_error *contradicts(apr_pool_t *pool, const na_provider *provider, const char *option)
{
    return na_error_new(pool, NA_ERR_CONFIGURATION, "provider '%s': profile=fapi2 excludes %s",
                        provider->id, option);
}

static na_error *check_fapi2_algs(apr_pool_t *pool, const na_provider *provider)
{
    const struct {
        const char *option, *alg;
    } all[] = {{"token_endpoint_auth_signing_alg=", provider->auth_alg},
               {"id_token_signed_response_alg=", provider->id_token_alg},
               {"userinfo_signed_response_alg=", provider->userinfo_alg}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].alg && !na_provider_is_fapi2_alg(all[i].alg))
            return contradicts(pool, provider, apr_pstrcat(pool, all[i].option, all[i].alg, NULL));
    return NULL;
}

/*
 * FAPI 2.0 Security Profile, sections 5.3.3.1 and 5.3.3.2: pushed requests, PKCE, clients that
 * authenticate with a key or a certificate for the issuer, and tokens that are bound to the client.
 */
static na_error *apply_fapi2(apr_pool_t *pool, na_provider *provider)
{
    int by_key = provider->token_auth == NA_AUTH_KEY_JWT;
    int by_certificate =
        provider->token_auth == NA_AUTH_TLS || provider->token_auth == NA_AUTH_SELF_SIGNED_TLS;
    if (provider->type != NA_OIDC)
        return missing(pool, provider, "type=oidc for profile=fapi2", "remove profile=");
    if (provider->client_secret || provider->client_secret_key)
        return contradicts(pool, provider, "clientSecret=");
    if (provider->token_auth != NA_AUTH_AUTO && !by_key && !by_certificate)
        return contradicts(pool, provider, na_token_auth_name(provider->token_auth));
    if (!provider->client_keys && !provider->certificate.chain)
        return missing(pool, provider, "clientKey= or clientCertificate= for profile=fapi2",
                       "set clientKey=file:PATH");
    if (!(provider->checks & NA_CHECK_PKCE))
        return missing(pool, provider, "checks=pkce for profile=fapi2", "add pkce to checks=");
    if (provider->names_token_url)
        return contradicts(pool, provider, "clientAssertionAudience=token");
    provider->pushes_request = 1;
    provider->binds_tokens |= !provider->certificate.chain;
    return check_fapi2_algs(pool, provider);
}

na_error *na_provider_finish_client(apr_pool_t *pool, na_provider *provider)
{
    if (provider->is_fapi2)
        NA_TRY(apply_fapi2(pool, provider));
    if (provider->client_secret_key && !(provider->team_id && provider->key_id))
        return missing(pool, provider, "teamId= and keyId= for clientSecretKey=",
                       "set both to the values at the provider");
    NA_TRY(finish_certificate(pool, provider));
    if (!na_provider_can_authenticate(provider, provider->token_auth))
        return missing_means(pool, provider);
    if (provider->token_auth == NA_AUTH_NONE && !(provider->checks & NA_CHECK_PKCE))
        return missing(pool, provider, "checks=pkce, because the client has no secret",
                       "add pkce to checks=");
    NA_TRY(check_request(pool, provider));
    if (provider->binds_tokens)
        NA_TRY(na_jwk_generate(pool, &provider->dpop_key));
    return check_auth_alg(pool, provider);
}
