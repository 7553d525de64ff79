/* SPDX-License-Identifier: Apache-2.0 */
/* How the client authenticates at the provider's endpoints. */
#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"
#include "jose/alg.h"
#include "oauth/oauth.h"
#include "oauth/signing.h"

/* ── which way ─────────────────────────────────────────────────────────────────────────────── */

/* A document without the list means client_secret_basic (Discovery 1.0 section 3). */
static int offers_auth(const na_metadata *metadata, na_token_auth auth)
{
    return metadata->auths ? na_json_has_text(metadata->auths, na_token_auth_name(auth))
                           : auth == NA_AUTH_BASIC;
}

/* A key or certificate that is configured besides a secret is there to be used: it comes first. */
static const na_token_auth by_preference[] = {NA_AUTH_TLS,     NA_AUTH_SELF_SIGNED_TLS,
                                              NA_AUTH_KEY_JWT, NA_AUTH_BASIC,
                                              NA_AUTH_POST,    NA_AUTH_SECRET_JWT};

#define WAYS (sizeof by_preference / sizeof *by_preference)

/* A secret that is too short for an HMAC can still be sent. */
static int is_possible(const na_provider *provider, na_token_auth auth)
{
    return na_provider_can_authenticate(provider, auth) &&
           (auth != NA_AUTH_SECRET_JWT ||
            !na_alg_secret_too_short(na_alg_find("HS256"), na_bytes_of(provider->client_secret)));
}

/* Without discovery, the first one that is possible. */
static na_token_auth choose(const na_provider *provider, const na_metadata *metadata)
{
    for (size_t i = 0; i < WAYS; i++)
        if (is_possible(provider, by_preference[i]) &&
            (provider->type == NA_OAUTH || offers_auth(metadata, by_preference[i])))
            return by_preference[i];
    return NA_AUTH_AUTO;
}

/* Returns the ways that the configuration would permit. */
static const char *names_possible(const na_oauth *oauth)
{
    apr_array_header_t *names = apr_array_make(oauth->pool, WAYS, sizeof(const char *));
    for (size_t i = 0; i < WAYS; i++)
        if (is_possible(oauth->provider, by_preference[i]))
            APR_ARRAY_PUSH(names, const char *) = na_token_auth_name(by_preference[i]);
    return na_join(oauth->pool, names, ", ");
}

na_error *na_oauth_token_auth(const na_oauth *oauth, const na_metadata *metadata,
                              na_token_auth *auth, int *is_offered)
{
    const na_provider *provider = oauth->provider;
    *auth = provider->token_auth;
    if (*auth == NA_AUTH_AUTO)
        *auth = choose(provider, metadata);
    *is_offered = *auth != NA_AUTH_AUTO && (provider->type == NA_OAUTH || *auth == NA_AUTH_NONE ||
                                            offers_auth(metadata, *auth));
    if (*auth != NA_AUTH_AUTO)
        return NULL;
    return na_error_with_hint(
        na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                     "the provider supports none of the ways to authenticate that are configured "
                     "(%s)",
                     names_possible(oauth)),
        "set token_endpoint_auth_method=, or a clientKey= for private_key_jwt");
}

/* ── what is sent ──────────────────────────────────────────────────────────────────────────── */

/* RFC 6749 section 2.3.1: both halves are form-encoded first. */
static na_error *add_basic(const na_oauth *oauth, na_http_request *request)
{
    const char *secret;
    NA_TRY(na_oauth_client_secret(oauth, &secret));
    request->user = na_percent_encode(oauth->pool, oauth->provider->client_id);
    request->password = na_percent_encode(oauth->pool, secret);
    return NULL;
}

static na_error *add_secret(const na_oauth *oauth, apr_table_t *fields)
{
    const char *secret;
    NA_TRY(na_oauth_client_secret(oauth, &secret));
    apr_table_setn(fields, "client_id", oauth->provider->client_id);
    apr_table_setn(fields, "client_secret", secret);
    return NULL;
}

static na_error *signer_of(const na_oauth *oauth, const na_metadata *metadata, na_token_auth auth,
                           na_signer *signer)
{
    const na_provider *provider = oauth->provider;
    if (auth == NA_AUTH_KEY_JWT)
        return na_oauth_signer(oauth, provider->auth_alg, metadata->auth_algs, signer);
    *signer = (na_signer){na_jwk_from_secret(oauth->pool, na_bytes_of(provider->client_secret)),
                          provider->auth_alg ? provider->auth_alg : "HS256"};
    return NULL;
}

/*
 * RFC 7523 sections 2.2 and 3, Core 1.0 section 9. The audience is the issuer: another provider
 * that claims this one's token endpoint would otherwise get an assertion that is valid here.
 */
static na_error *add_assertion(const na_oauth *oauth, const na_metadata *metadata,
                               na_token_auth auth, apr_table_t *fields)
{
    const char *client_id = oauth->provider->client_id, *assertion;
    int by_url = oauth->provider->names_token_url || !metadata->issuer;
    na_signer signer;
    NA_TRY(signer_of(oauth, metadata, auth, &signer));
    json_t *claims =
        na_json_own(oauth->pool,
                    na_oauth_own_claims(oauth, by_url ? metadata->token_url : metadata->issuer));
    json_object_set_new(claims, "sub", json_string(client_id));
    NA_TRY(na_oauth_sign(oauth, &signer, NULL, claims, &assertion));
    apr_table_setn(fields, "client_id", client_id);
    apr_table_setn(fields, "client_assertion_type",
                   "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    apr_table_setn(fields, "client_assertion", assertion);
    return NULL;
}

/* RFC 8705 section 2: the certificate shows who it is. */
static na_error *check_tls(const na_oauth *oauth, const na_http_request *request)
{
    return strncmp(request->url, "https://", 8) == 0
               ? NULL
               : na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                              "clientCertificate= requires an https URL, and the endpoint is %s",
                              request->url);
}

na_error *na_oauth_authenticate(const na_oauth *oauth, const na_metadata *metadata,
                                na_http_request *request, apr_table_t *fields)
{
    const na_provider *provider = oauth->provider;
    na_token_auth auth;
    int is_offered;
    NA_TRY(na_oauth_token_auth(oauth, metadata, &auth, &is_offered));
    na_oauth_step(oauth, "CLIENT_AUTHENTICATION", "%s", na_token_auth_name(auth));
    if (provider->certificate.chain) {
        NA_TRY(check_tls(oauth, request));
        request->certificate = &provider->certificate;
    }
    if (auth == NA_AUTH_BASIC)
        return add_basic(oauth, request);
    if (auth == NA_AUTH_POST)
        return add_secret(oauth, fields);
    if (auth == NA_AUTH_KEY_JWT || auth == NA_AUTH_SECRET_JWT)
        return add_assertion(oauth, metadata, auth, fields);
    apr_table_setn(fields, "client_id", provider->client_id);
    return NULL;
}
