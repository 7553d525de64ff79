/* SPDX-License-Identifier: Apache-2.0 */
/* Options of a provider, by name. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/spelling.h"
#include "jose/jws.h"
#include "provider/provider.h"

typedef na_error *setter(apr_pool_t *pool, na_provider *provider, const char *value);

typedef struct option {
    const char *name;
    apr_size_t offset; /* of a string member, where `set` is NULL */
    setter *set;
} option;

static na_error *set_type(apr_pool_t *pool, na_provider *provider, const char *value)
{
    if (strcmp(value, na_provider_type_name(provider)) == 0)
        return NULL;
    return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                           "invalid type=%s: provider '%s' has type %s", value,
                                           provider->id, na_provider_type_name(provider)),
                              "remove type=");
}

/* It becomes part of the style of pages. */
static na_error *set_color(apr_pool_t *pool, na_provider *provider, const char *value)
{
    if (*value != '#' || strlen(value) != 7 || strspn(value + 1, "0123456789abcdefABCDEF") != 6)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "invalid color=%s: expected #rrggbb",
                            value);
    provider->color = value;
    return NULL;
}

/* A configured issuer replaces the built-in URL with a tenant. */
static na_error *set_issuer(apr_pool_t *pool, na_provider *provider, const char *value)
{
    provider->issuer = value;
    if (provider->well_known && strstr(provider->well_known, "/{tenant}/"))
        provider->well_known = NULL;
    return NULL;
}

static na_error *set_checks(apr_pool_t *pool, na_provider *provider, const char *value)
{
    static const struct {
        const char *name;
        int bit;
    } names[] = {{"pkce", NA_CHECK_PKCE}, {"state", NA_CHECK_STATE}, {"nonce", NA_CHECK_NONCE}};
    char *last, *list = apr_pstrdup(pool, value);
    provider->checks = 0;
    for (char *name = apr_strtok(list, ", ", &last); name; name = apr_strtok(NULL, ", ", &last)) {
        apr_size_t i = 0;
        while (i < sizeof names / sizeof *names && strcmp(name, names[i].name) != 0)
            i++;
        if (i == sizeof names / sizeof *names)
            return na_error_new(pool, NA_ERR_CONFIGURATION,
                                "invalid checks=%s: expected a list of pkce, state, and nonce",
                                value);
        provider->checks |= names[i].bit;
    }
    return NULL;
}

static na_error *set_token_auth(apr_pool_t *pool, na_provider *provider, const char *value)
{
    for (int auth = NA_AUTH_BASIC; auth <= NA_AUTH_NONE; auth++) {
        if (strcmp(value, na_token_auth_name((na_token_auth)auth)) != 0)
            continue;
        provider->token_auth = (na_token_auth)auth;
        return NULL;
    }
    return na_error_new(pool, NA_ERR_CONFIGURATION,
                        "invalid token_endpoint_auth_method=%s: expected client_secret_basic, "
                        "client_secret_post, client_secret_jwt, private_key_jwt, tls_client_auth, "
                        "self_signed_tls_client_auth, or none",
                        value);
}

static na_error *read_boolean(apr_pool_t *pool, const char *name, const char *value, int *is_true)
{
    *is_true = strcmp(value, "true") == 0;
    if (!*is_true && strcmp(value, "false") != 0)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "invalid %s=%s: expected true or false",
                            name, value);
    return NULL;
}

static na_error *set_id_token(apr_pool_t *pool, na_provider *provider, const char *value)
{
    int alone;
    NA_TRY(read_boolean(pool, "idToken", value, &alone));
    provider->profile_source = alone ? NA_PROFILE_ID_TOKEN : NA_PROFILE_USERINFO;
    return NULL;
}

static na_error *set_max_age(apr_pool_t *pool, na_provider *provider, const char *value)
{
    char *end;
    provider->max_age = strtol(value, &end, 10);
    return *end || provider->max_age < 60 || provider->max_age > 7 * 24 * 3600
               ? na_error_new(pool, NA_ERR_CONFIGURATION,
                              "invalid maxAge=%s: expected seconds from 60 to 604800", value)
               : NULL;
}

static na_error *set_email_verified(apr_pool_t *pool, na_provider *provider, const char *value)
{
    static const char *const names[] = {"never", "claim", "always"};
    provider->email_claim = NULL;
    if (strncmp(value, "claim:", 6) == 0 && value[6]) {
        provider->email_verified = NA_VOUCHES_BY_CLAIM;
        provider->email_claim = value + 6;
        return NULL;
    }
    for (int i = 0; i < 3; i++) {
        if (strcmp(value, names[i]) != 0)
            continue;
        provider->email_verified = (na_vouching)i;
        return NULL;
    }
    return na_error_new(pool, NA_ERR_CONFIGURATION,
                        "invalid emailVerified=%s: expected claim, claim:PATH, always, or never",
                        value);
}

static na_error *set_allow_linking(apr_pool_t *pool, na_provider *provider, const char *value)
{
    return read_boolean(pool, "allowDangerousEmailAccountLinking", value, &provider->allow_linking);
}

static na_error *set_groups(apr_pool_t *pool, na_provider *provider, const char *value)
{
    return read_boolean(pool, "groups", value, &provider->asks_for_groups);
}

static na_error *set_allow_unverified_email(apr_pool_t *pool, na_provider *provider,
                                            const char *value)
{
    return read_boolean(pool, "allowUnverifiedEmail", value, &provider->allow_unverified_email);
}

static na_error *set_clock_tolerance(apr_pool_t *pool, na_provider *provider, const char *value)
{
    char *end;
    provider->clock_tolerance = strtol(value, &end, 10);
    if (*end == 's')
        end++;
    return *end || *value < '0' || *value > '9' || provider->clock_tolerance > 600
               ? na_error_new(pool, NA_ERR_CONFIGURATION,
                              "invalid clockTolerance=%s: expected seconds from 0 to 600", value)
               : NULL;
}

static na_error *set_document_max_age(apr_pool_t *pool, na_provider *provider, const char *value)
{
    char *end;
    provider->document_max_age = strtol(value, &end, 10);
    return *end || provider->document_max_age < 10 || provider->document_max_age > 86400
               ? na_error_new(pool, NA_ERR_CONFIGURATION,
                              "invalid documentMaxAge=%s: expected seconds from 10 to 86400", value)
               : NULL;
}

static na_error *set_requires_encryption(apr_pool_t *pool, na_provider *provider, const char *value)
{
    return read_boolean(pool, "requireEncryptedIdToken", value, &provider->requires_encryption);
}

static na_error *set_alg(apr_pool_t *pool, const char *name, const char *value, const char **alg)
{
    if (!na_jws_alg_known(value))
        return na_error_new(
            pool, NA_ERR_CONFIGURATION,
            "invalid %s=%s: expected RS256 to PS512, ES256 to ES512, EdDSA, Ed25519, or "
            "HS256 to HS512",
            name, value);
    *alg = value;
    return NULL;
}

static na_error *set_id_token_alg(apr_pool_t *pool, na_provider *provider, const char *value)
{
    return set_alg(pool, "id_token_signed_response_alg", value, &provider->id_token_alg);
}

static na_error *set_userinfo_alg(apr_pool_t *pool, na_provider *provider, const char *value)
{
    return set_alg(pool, "userinfo_signed_response_alg", value, &provider->userinfo_alg);
}

static na_error *set_pushed_request(apr_pool_t *pool, na_provider *provider, const char *value)
{
    return read_boolean(pool, "pushedRequest", value, &provider->pushes_request);
}

static na_error *set_request_object(apr_pool_t *pool, na_provider *provider, const char *value)
{
    return read_boolean(pool, "requestObject", value, &provider->signs_request);
}

static na_error *set_dpop(apr_pool_t *pool, na_provider *provider, const char *value)
{
    return read_boolean(pool, "dpop", value, &provider->binds_tokens);
}

static na_error *set_initiated(apr_pool_t *pool, na_provider *provider, const char *value)
{
    return read_boolean(pool, "initiatedSignIn", value, &provider->is_initiated);
}

static na_error *set_logout(apr_pool_t *pool, na_provider *provider, const char *value)
{
    static const char *const names[] = {[NA_LOGOUT_NONE] = "false",
                                        [NA_LOGOUT_FROM_PROVIDER] = "fromProvider",
                                        [NA_LOGOUT_BOTH] = "true"};
    for (int i = NA_LOGOUT_NONE; i <= NA_LOGOUT_BOTH; i++) {
        if (strcmp(value, names[i]) != 0)
            continue;
        provider->logout = (na_logout)i;
        return NULL;
    }
    return na_error_new(pool, NA_ERR_CONFIGURATION,
                        "invalid logout=%s: expected true, fromProvider, or false", value);
}

static apr_array_header_t *split_list(apr_pool_t *pool, const char *value)
{
    char *last, *list = apr_pstrdup(pool, value);
    apr_array_header_t *elements = apr_array_make(pool, 2, sizeof(const char *));
    for (char *one = apr_strtok(list, " ", &last); one; one = apr_strtok(NULL, " ", &last))
        APR_ARRAY_PUSH(elements, const char *) = one;
    return elements;
}

/* RFC 8707 section 2: an absolute URI without a fragment. */
static int is_resource(const char *uri)
{
    size_t scheme =
        strspn(uri, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");
    return scheme && uri[scheme] == ':' && uri[scheme + 1] && !strchr(uri, '#') &&
           !na_has_control(uri);
}

static na_error *set_resource(apr_pool_t *pool, na_provider *provider, const char *value)
{
    provider->resources = split_list(pool, value);
    for (int i = 0; i < provider->resources->nelts; i++)
        if (!is_resource(APR_ARRAY_IDX(provider->resources, i, const char *)))
            return na_error_new(pool, NA_ERR_CONFIGURATION,
                                "invalid resource=%s: expected absolute URIs without a fragment, "
                                "separated by spaces",
                                value);
    return NULL;
}

static na_error *set_audiences(apr_pool_t *pool, na_provider *provider, const char *value)
{
    provider->audiences = split_list(pool, value);
    return NULL;
}

/* An asterisk stands for all domains, or for those below one: "*.example.org". */
static int is_domain_pattern(const char *pattern)
{
    if (*pattern == '*' && (!pattern[1] || pattern[1] == '.'))
        pattern += pattern[1] ? 2 : 1;
    return strspn(pattern, "abcdefghijklmnopqrstuvwxyz0123456789.-") == strlen(pattern);
}

static na_error *set_email_domains(apr_pool_t *pool, na_provider *provider, const char *value)
{
    char *lower = apr_pstrdup(pool, value);
    for (char *c = lower; *c; c++)
        *c = apr_tolower(*c);
    provider->email_domains = split_list(pool, lower);
    for (int i = 0; i < provider->email_domains->nelts; i++)
        if (!is_domain_pattern(APR_ARRAY_IDX(provider->email_domains, i, const char *)))
            return na_error_new(pool, NA_ERR_CONFIGURATION,
                                "invalid emailDomains=%s: expected domains in ASCII, *.DOMAIN, or "
                                "*, separated by spaces",
                                value);
    return NULL;
}

static na_error *set_jwks(apr_pool_t *pool, na_provider *provider, const char *value)
{
    na_error *error = na_jwks_parse(pool, value, strlen(value), &provider->keys);
    return error ? na_error_with_hint(na_error_wrap(pool, error, NA_ERR_CONFIGURATION,
                                                    "invalid jwks=: expected a key set in JSON"),
                                      "set jwks=file:PATH")
                 : NULL;
}

/* OpenID Federation 1.0 section 5.2.1: federation entity keys, which are not those of the set. */
static na_error *set_jwks_signers(apr_pool_t *pool, na_provider *provider, const char *value)
{
    na_error *error = na_jwks_parse(pool, value, strlen(value), &provider->jwks_signers);
    provider->jwks_signer_text = value;
    return error ? na_error_with_hint(
                       na_error_wrap(pool, error, NA_ERR_CONFIGURATION,
                                     "invalid signedJwksKeys=: expected a key set in JSON"),
                       "set signedJwksKeys=file:PATH")
                 : NULL;
}

static na_error *set_profile(apr_pool_t *pool, na_provider *provider, const char *value)
{
    provider->is_fapi2 = strcmp(value, "fapi2") == 0;
    return provider->is_fapi2 ? NULL
                              : na_error_new(pool, NA_ERR_CONFIGURATION,
                                             "invalid profile=%s: expected fapi2", value);
}

static na_error *set_form_user(apr_pool_t *pool, na_provider *provider, const char *value)
{
    return read_boolean(pool, "formUser", value, &provider->form_user);
}

static na_error *set_key(apr_pool_t *pool, const char *name, const char *value, const na_jwk **key)
{
    na_error *error = na_jwk_from_pem(pool, value, key);
    return error ? na_error_with_hint(
                       na_error_wrap(pool, error, NULL,
                                     "invalid %s=: expected a private key in PEM", name),
                       apr_psprintf(pool, "set %s=file:PATH to a key without a passphrase", name))
                 : NULL;
}

static na_error *set_keys(apr_pool_t *pool, const char *name, const char *value,
                          const na_jwks **keys)
{
    na_error *error = na_jwks_from_pem(pool, value, keys);
    return error ? na_error_with_hint(
                       na_error_wrap(pool, error, NULL,
                                     "invalid %s=: expected a private key in PEM", name),
                       apr_psprintf(pool, "set %s=file:PATH to a key without a passphrase", name))
                 : NULL;
}

static na_error *set_private_key(apr_pool_t *pool, na_provider *provider, const char *value)
{
    return set_keys(pool, "privateKey", value, &provider->decryption_keys);
}

static na_error *set_client_key(apr_pool_t *pool, na_provider *provider, const char *value)
{
    return set_keys(pool, "clientKey", value, &provider->client_keys);
}

static na_error *set_auth_alg(apr_pool_t *pool, na_provider *provider, const char *value)
{
    return set_alg(pool, "token_endpoint_auth_signing_alg", value, &provider->auth_alg);
}

static na_error *set_audience(apr_pool_t *pool, na_provider *provider, const char *value)
{
    provider->names_token_url = strcmp(value, "token") == 0;
    return provider->names_token_url || strcmp(value, "issuer") == 0
               ? NULL
               : na_error_new(pool, NA_ERR_CONFIGURATION,
                              "invalid clientAssertionAudience=%s: expected issuer or token",
                              value);
}

static na_error *set_client_secret_key(apr_pool_t *pool, na_provider *provider, const char *value)
{
    return set_key(pool, "clientSecretKey", value, &provider->client_secret_key);
}

static na_error *set_backend(apr_pool_t *pool, na_provider *provider, const char *value)
{
    if (strcmp(value, "database") == 0) {
        provider->in_database = 1;
        return NULL;
    }
    if (strncmp(value, "file:", 5) == 0 && value[5]) {
        provider->password_file = value + 5;
        return NULL;
    }
    if (strncmp(value, "authn:", 6) != 0 || !value[6])
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "invalid backend=%s: expected database, file:PATH (a file of "
                            "htpasswd), or authn:NAME,... (httpd's authentication providers)",
                            value);
    apr_array_header_t *names = apr_array_make(pool, 2, sizeof(const char *));
    char *last, *list = apr_pstrdup(pool, value + 6);
    for (char *name = apr_strtok(list, ", ", &last); name; name = apr_strtok(NULL, ", ", &last))
        APR_ARRAY_PUSH(names, const char *) = name;
    provider->authn_providers = names;
    return NULL;
}

/* Accepts one of the words of a list that ends with NULL. */
static na_error *set_word(apr_pool_t *pool, const char *name, const char *value,
                          const char *const *words, const char **word)
{
    const char *list = "";
    for (int i = 0; words[i]; i++) {
        if (strcmp(value, words[i]) == 0) {
            *word = words[i];
            return NULL;
        }
        list = apr_pstrcat(pool, list, !i ? "" : words[i + 1] ? ", " : " or ", words[i], NULL);
    }
    return na_error_new(pool, NA_ERR_CONFIGURATION, "invalid %s=%s: expected %s", name, value,
                        list);
}

static const char *const requirements[] = {"required", "preferred", "discouraged", NULL};

static na_error *set_user_verification(apr_pool_t *pool, na_provider *provider, const char *value)
{
    return set_word(pool, "userVerification", value, requirements, &provider->user_verification);
}

static na_error *set_resident_key(apr_pool_t *pool, na_provider *provider, const char *value)
{
    return set_word(pool, "residentKey", value, requirements, &provider->resident_key);
}

static na_error *set_attestation(apr_pool_t *pool, na_provider *provider, const char *value)
{
    static const char *const words[] = {"none", "direct", NULL};
    return set_word(pool, "attestation", value, words, &provider->attestation);
}

static na_error *set_timeout(apr_pool_t *pool, na_provider *provider, const char *value)
{
    char *end;
    provider->timeout = strtol(value, &end, 10);
    return *end || provider->timeout < 30 || provider->timeout > 600
               ? na_error_new(pool, NA_ERR_CONFIGURATION,
                              "invalid timeout=%s: expected seconds from 30 to 600", value)
               : NULL;
}

#define TEXT(name, member)                                                                         \
    {                                                                                              \
        name, offsetof(na_provider, member), NULL                                                  \
    }
#define WITH(name, set)                                                                            \
    {                                                                                              \
        name, 0, set                                                                               \
    }

static const option options[] = {
    WITH("type", set_type),
    TEXT("name", name),
    WITH("color", set_color),
    WITH("issuer", set_issuer),
    TEXT("wellKnown", well_known),
    TEXT("tenant", tenant),
    WITH("tenants", na_provider_set_tenants),
    TEXT("primaryUserFlow", user_flow),
    TEXT("clientId", client_id),
    TEXT("clientSecret", client_secret),
    WITH("clientSecretKey", set_client_secret_key),
    TEXT("teamId", team_id),
    TEXT("keyId", key_id),
    WITH("clientKey", set_client_key),
    WITH("token_endpoint_auth_signing_alg", set_auth_alg),
    WITH("clientAssertionAudience", set_audience),
    TEXT("clientCertificate", certificate.chain),
    TEXT("clientCertificateKey", certificate.key),
    TEXT("scope", scope),
    WITH("checks", set_checks),
    TEXT("authorization", authorization_url),
    TEXT("authorization.params", authorization_params),
    WITH("resource", set_resource),
    WITH("trustedAudiences", set_audiences),
    WITH("emailDomains", set_email_domains),
    WITH("jwks", set_jwks),
    WITH("profile", set_profile),
    WITH("pushedRequest", set_pushed_request),
    WITH("requestObject", set_request_object),
    WITH("dpop", set_dpop),
    WITH("visitorParams", na_provider_set_visitor_params),
    WITH("formUser", set_form_user),
    TEXT("redirectProxyUrl", redirect_proxy),
    TEXT("token", token_url),
    TEXT("token.params", token_params),
    TEXT("userinfo", userinfo_url),
    TEXT("userinfo.params", userinfo_params),
    TEXT("userinfo.body", userinfo_body),
    TEXT("userinfo.headers", userinfo_header_fields),
    WITH("userinfo_signed_response_alg", set_userinfo_alg),
    TEXT("emails", emails_url),
    WITH("groups", set_groups),
    TEXT("groups.url", groups.url),
    TEXT("groups.items", groups.items),
    TEXT("groups.name", groups.name),
    TEXT("groups.next", groups.next),
    TEXT("groups.page", groups.page),
    TEXT("photo", photo),
    TEXT("photo.url", photo_url),
    TEXT("photo.sizes", photo_sizes),
    TEXT("jwks_endpoint", jwks_url),
    WITH("initiatedSignIn", set_initiated),
    WITH("logout", set_logout),
    TEXT("end_session_endpoint", end_session_url),
    TEXT("pushed_authorization_request_endpoint", pushed_url),
    TEXT("signed_jwks_uri", signed_jwks_url),
    WITH("signedJwksKeys", set_jwks_signers),
    TEXT("revocation_endpoint", revocation_url),
    WITH("token_endpoint_auth_method", set_token_auth),
    WITH("id_token_signed_response_alg", set_id_token_alg),
    WITH("idToken", set_id_token),
    WITH("privateKey", set_private_key),
    WITH("requireEncryptedIdToken", set_requires_encryption),
    WITH("clockTolerance", set_clock_tolerance),
    WITH("documentMaxAge", set_document_max_age),
    TEXT("profile.id", profile.id),
    TEXT("profile.name", profile.name),
    TEXT("profile.email", profile.email),
    TEXT("profile.image", profile.image),
    WITH("emailVerified", set_email_verified),
    WITH("allowUnverifiedEmail", set_allow_unverified_email),
    WITH("allowDangerousEmailAccountLinking", set_allow_linking),
    WITH("maxAge", set_max_age),
    WITH("backend", set_backend),
    TEXT("nameAttribute", name_attribute),
    TEXT("emailAttribute", email_attribute),
    TEXT("rpID", rp_id),
    TEXT("rpName", rp_name),
    TEXT("origin", origin_list),
    WITH("userVerification", set_user_verification),
    WITH("residentKey", set_resident_key),
    WITH("attestation", set_attestation),
    WITH("timeout", set_timeout),
};

static const char *option_names(apr_pool_t *pool)
{
    const char *names = "";
    for (apr_size_t i = 0; i < sizeof options / sizeof *options; i++)
        names = apr_pstrcat(pool, names, i ? ", " : "", options[i].name, NULL);
    return names;
}

static const char *hint_for(apr_pool_t *pool, const char *name)
{
    na_spelling spelling = na_spelling_of(name);
    for (apr_size_t i = 0; i < sizeof options / sizeof *options; i++)
        na_spelling_try(&spelling, options[i].name);
    return spelling.nearest
               ? apr_pstrcat(pool, "check whether ", spelling.nearest, "= is meant", NULL)
               : apr_pstrcat(pool, "use one of ", option_names(pool), NULL);
}

int na_provider_has_option(const char *name)
{
    for (apr_size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strcmp(options[i].name, name) == 0)
            return 1;
    return 0;
}

na_error *na_provider_set(apr_pool_t *pool, na_provider *provider, const char *name,
                          const char *value)
{
    for (apr_size_t i = 0; i < sizeof options / sizeof *options; i++) {
        const option *o = &options[i];
        if (strcmp(o->name, name) != 0)
            continue;
        if (!*value)
            return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION, "%s= is empty",
                                                   name),
                                      "set a value, or remove it");
        if (o->set)
            return o->set(pool, provider, value);
        *(const char **)((char *)provider + o->offset) = value;
        return NULL;
    }
    return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                           "unknown option '%s' of a provider", name),
                              hint_for(pool, name));
}
