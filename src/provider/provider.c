/* SPDX-License-Identifier: Apache-2.0 */
/* Providers: created, completed and checked. */
#include "provider/provider.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/url.h"

static const char *const type_names[] = {[NA_OIDC] = "oidc",
                                         [NA_OAUTH] = "oauth",
                                         [NA_CREDENTIALS] = "credentials",
                                         [NA_EMAIL] = "email",
                                         [NA_WEBAUTHN] = "webauthn"};

const char *na_provider_type_name(const na_provider *provider)
{
    return type_names[provider->type];
}

/* Clocks of providers are sometimes 20 seconds off. */
#define CLOCK_TOLERANCE 60

/* seconds */
#define DOCUMENT_MAX_AGE 3600

static int is_id(const char *id)
{
    return *id && strlen(id) <= NA_PROVIDER_ID_MAX &&
           strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
               strlen(id);
}

/* As Auth.js's passkey provider has them. */
static void set_passkey_defaults(na_provider *provider)
{
    provider->user_verification = "required";
    provider->resident_key = "required";
    provider->attestation = "none";
    provider->timeout = 300;
}

static void set_defaults(na_provider *provider)
{
    provider->color = "#3b4252";
    provider->max_age = 24L * 3600;
    if (provider->type == NA_WEBAUTHN)
        set_passkey_defaults(provider);
    if (provider->type > NA_OAUTH)
        return;
    provider->checks = NA_CHECK_PKCE | NA_CHECK_STATE;
    provider->clock_tolerance = CLOCK_TOLERANCE;
    provider->document_max_age = DOCUMENT_MAX_AGE;
    provider->profile = (na_profile_map){"sub|id", "name|nickname|preferred_username|login",
                                         "email", "picture|avatar_url"};
    if (provider->type != NA_OIDC)
        return;
    provider->checks |= NA_CHECK_NONCE;
    provider->email_verified = NA_VOUCHES_BY_CLAIM;
    provider->scope = "openid profile email";
    provider->profile.id = "sub";
    provider->profile.name = "name|nickname|preferred_username";
    provider->profile.image = "picture";
}

na_error *na_provider_new(apr_pool_t *pool, const char *id, const char *type,
                          na_provider **provider)
{
    static const char *const names[] = {
        [NA_CREDENTIALS] = "Credentials", [NA_EMAIL] = "Email", [NA_WEBAUTHN] = "Passkey"};
    if (!is_id(id))
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "invalid provider ID '%s': expected letters, digits, '-', and '_'", id);
    for (int i = 0; i < (int)(sizeof type_names / sizeof *type_names); i++) {
        if (strcmp(type, type_names[i]) != 0)
            continue;
        na_provider *made = apr_pcalloc(pool, sizeof *made);
        made->id = id;
        made->name = names[i] ? names[i] : id;
        made->type = (na_provider_type)i;
        set_defaults(made);
        *provider = made;
        return NULL;
    }
    return na_error_new(pool, NA_ERR_CONFIGURATION,
                        "invalid type=%s: expected oidc, oauth, credentials, email, or webauthn",
                        type);
}

na_error *na_provider_check_url(apr_pool_t *pool, const char *option, const char *address,
                                int allow_http)
{
    na_url url;
    if (!address)
        return NULL;
    if (!na_url_parse(pool, address, &url))
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                               "invalid %s=%s: expected an HTTP or HTTPS URL",
                                               option, address),
                                  "use https://HOST[:PORT][/PATH]");
    if (!allow_http && strcmp(url.scheme, "https") != 0)
        return na_error_with_hint(
            na_error_new(pool, NA_ERR_CONFIGURATION, "%s=%s must be an https URL", option, address),
            "use https, or NextAuthMode development on a developer's machine");
    return NULL;
}

na_error *na_provider_check_issuer(apr_pool_t *pool, const char *issuer, int allow_http)
{
    return na_provider_check_url(pool, "issuer", issuer, allow_http);
}

/* Placeholders in a query are no URL yet. */
static const char *without_query(apr_pool_t *pool, const char *address)
{
    return address ? apr_pstrmemdup(pool, address, strcspn(address, "?")) : NULL;
}

static na_error *check_addresses(apr_pool_t *pool, const na_provider *p, int allow_http)
{
    NA_TRY(na_provider_check_issuer(pool, p->issuer, allow_http));
    NA_TRY(na_provider_check_url(pool, "wellKnown", p->well_known, allow_http));
    NA_TRY(na_provider_check_url(pool, "redirectProxyUrl", p->redirect_proxy, allow_http));
    NA_TRY(na_provider_check_url(pool, "authorization", p->authorization_url, allow_http));
    NA_TRY(na_provider_check_url(pool, "token", p->token_url, allow_http));
    NA_TRY(na_provider_check_url(pool, "userinfo", p->userinfo_url, allow_http));
    NA_TRY(na_provider_check_url(pool, "emails", p->emails_url, allow_http));
    NA_TRY(na_provider_check_url(pool, "end_session_endpoint", p->end_session_url, allow_http));
    NA_TRY(
        na_provider_check_url(pool, "groups.url", without_query(pool, p->groups.url), allow_http));
    NA_TRY(na_provider_check_url(pool, "photo.url", p->photo_url, allow_http));
    NA_TRY(na_provider_check_url(pool, "pushed_authorization_request_endpoint", p->pushed_url,
                                 allow_http));
    NA_TRY(na_provider_check_url(pool, "signed_jwks_uri", p->signed_jwks_url, allow_http));
    NA_TRY(na_provider_check_url(pool, "revocation_endpoint", p->revocation_url, allow_http));
    return na_provider_check_url(pool, "jwks_endpoint", p->jwks_url, allow_http);
}

static na_error *missing(apr_pool_t *pool, const na_provider *provider, const char *what,
                         const char *hint)
{
    return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION, "provider '%s' requires %s",
                                           provider->id, what),
                              hint);
}

/* Returns 1 for "https://HOST/common/…" and "https://HOST/organizations/…". */
static int names_any_tenant(const char *address)
{
    const char *host = strstr(address, "://"), *path = host ? strchr(host + 3, '/') : NULL;
    return path &&
           (strncasecmp(path, "/common/", 8) == 0 || strncasecmp(path, "/organizations/", 15) == 0);
}

/* Only httpd's authentication providers have attributes. */
static na_error *check_attributes(apr_pool_t *pool, const na_provider *provider)
{
    if (provider->authn_providers || (!provider->name_attribute && !provider->email_attribute))
        return NULL;
    return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                           "nameAttribute= and emailAttribute= require "
                                           "backend=authn:, and '%s' has another backend",
                                           provider->id),
                              "remove them, or set backend=authn:ldap");
}

static na_error *finish_credentials(apr_pool_t *pool, const na_provider *provider)
{
    if (!provider->in_database && !provider->password_file && !provider->authn_providers)
        return missing(pool, provider, "backend=",
                       "set backend=database, backend=file:PATH, or backend=authn:NAME");
    return check_attributes(pool, provider);
}

#define HEADERS_MAX 8

/* Header names and values must not break the request's lines. */
static na_error *finish_userinfo_headers(apr_pool_t *pool, na_provider *provider)
{
    const char *value = provider->userinfo_header_fields;
    if (!value)
        return NULL;
    const apr_array_header_t *fields = apr_table_elts(na_form_parse(pool, value, HEADERS_MAX));
    apr_array_header_t *headers = apr_array_make(pool, fields->nelts + 1, sizeof(const char *));
    for (int i = 0; i < fields->nelts; i++) {
        const apr_table_entry_t *field = &APR_ARRAY_IDX(fields, i, const apr_table_entry_t);
        if (!*field->key || strpbrk(field->key, ": ") || na_has_control(field->key) ||
            na_has_control(field->val))
            return na_error_new(pool, NA_ERR_CONFIGURATION,
                                "invalid userinfo.headers=%s: expected Name=value&Name=value",
                                value);
        APR_ARRAY_PUSH(headers, const char *) =
            apr_pstrcat(pool, field->key, ": ", field->val, NULL);
    }
    APR_ARRAY_PUSH(headers, const char *) = NULL;
    provider->userinfo_headers = (const char *const *)headers->elts;
    return NULL;
}

static int is_among(apr_pool_t *pool, const char *word, const char *list)
{
    char *last, *copy = apr_pstrdup(pool, list);
    for (char *one = apr_strtok(copy, " ", &last); one; one = apr_strtok(NULL, " ", &last))
        if (strcmp(one, word) == 0)
            return 1;
    return 0;
}

/* Without photo=, none is fetched. */
static na_error *finish_photo(apr_pool_t *pool, na_provider *provider)
{
    const char *sizes = provider->photo_sizes;
    if (!provider->photo)
        provider->photo_url = NULL;
    if (!provider->photo)
        return NULL;
    if (!provider->photo_url)
        return missing(pool, provider, "photo.url= for photo=",
                       "remove photo=, or set photo.url= to the URL of a user's photo");
    if (sizes ? is_among(pool, provider->photo, sizes)
              : strspn(provider->photo, "0123456789") == strlen(provider->photo))
        return NULL;
    return na_error_new(pool, NA_ERR_CONFIGURATION, "provider '%s': invalid photo=%s: expected %s",
                        provider->id, provider->photo, sizes ? sizes : "a number of pixels");
}

na_error *na_provider_finish(apr_pool_t *pool, na_provider *provider, int allow_http)
{
    if (provider->type == NA_CREDENTIALS)
        return finish_credentials(pool, provider);
    NA_TRY(check_attributes(pool, provider));
    if (provider->type > NA_OAUTH)
        return NULL;
    if (provider->tenants)
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                               "tenants= of provider '%s' is not in its directive",
                                               provider->id),
                                  "set tenants= in NextAuthProvider or NextAuthTokenIssuer");
    if (!provider->client_id)
        return missing(pool, provider,
                       "clientId=", "set clientId= to the client ID that the provider issued");
    NA_TRY(na_provider_finish_client(pool, provider));
    if (!(provider->checks & (NA_CHECK_STATE | NA_CHECK_PKCE)))
        return missing(pool, provider,
                       "checks=state or checks=pkce, without which any callback would be accepted",
                       "set checks=pkce,state");

    int is_azure = provider->well_known && (strstr(provider->well_known, "/{tenant}/") ||
                                            strstr(provider->well_known, "microsoftonline"));
    if (is_azure && !provider->tenant)
        provider->tenant = "common";
    NA_TRY(finish_photo(pool, provider));
    NA_TRY(na_provider_fill(pool, provider));
    provider->any_tenant = is_azure && names_any_tenant(provider->well_known);
    NA_TRY(check_addresses(pool, provider, allow_http && !provider->is_fapi2));
    NA_TRY(na_provider_finish_authorization(pool, provider));
    NA_TRY(finish_userinfo_headers(pool, provider));
    if (provider->requires_encryption && !provider->decryption_keys)
        return missing(pool, provider, "privateKey= for requireEncryptedIdToken=true",
                       "set privateKey=file:PATH");
    if (provider->logout && provider->type != NA_OIDC)
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                               "provider '%s': logout= requires type=oidc",
                                               provider->id),
                                  "remove logout=");
    if (provider->is_initiated && provider->type != NA_OIDC)
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                               "provider '%s': initiatedSignIn= requires type=oidc",
                                               provider->id),
                                  "remove initiatedSignIn=");
    if (provider->type == NA_OIDC) {
        if (!provider->issuer && !provider->well_known)
            return missing(pool, provider,
                           "issuer=", "set issuer= to the issuer URL of the provider");
        return NULL;
    }
    if (!provider->authorization_url || !provider->token_url || !provider->userinfo_url)
        return missing(pool, provider, "authorization=, token=, and userinfo=",
                       "set all three to the URLs in the provider's documentation");
    if (provider->checks & NA_CHECK_NONCE)
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                               "provider '%s': checks=nonce requires type=oidc, "
                                               "because only an ID token has a nonce",
                                               provider->id),
                                  "remove nonce from checks=, or set type=oidc");
    return NULL;
}

/* hd= restricts Google to one organization; "*" does not. */
int na_provider_is_public(const na_provider *provider)
{
    static const char *const open_to_all[] = {"https://accounts.google.com",
                                              "https://github.com/",
                                              "https://gitlab.com",
                                              "https://www.facebook.com/",
                                              "https://appleid.apple.com",
                                              "https://login.microsoftonline.com/common/",
                                              "https://login.microsoftonline.com/organizations/",
                                              "https://login.microsoftonline.com/consumers/"};
    const char *const addresses[] = {provider->issuer, provider->well_known,
                                     provider->authorization_url};
    if (provider->hosted_domain && strcmp(provider->hosted_domain, "*") != 0)
        return 0;
    for (size_t i = 0; i < 3 * (sizeof open_to_all / sizeof *open_to_all); i++)
        if (addresses[i % 3] &&
            strncmp(addresses[i % 3], open_to_all[i / 3], strlen(open_to_all[i / 3])) == 0)
            return 1;
    return 0;
}

int na_provider_find(const apr_array_header_t *providers, const char *id)
{
    for (int i = 0; i < providers->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(providers, i, const na_provider *)->id, id) == 0)
            return i;
    return -1;
}

const na_provider *na_provider_of_type(const apr_array_header_t *providers, na_provider_type type)
{
    for (int i = 0; i < providers->nelts; i++) {
        const na_provider *provider = APR_ARRAY_IDX(providers, i, const na_provider *);
        if (provider->type == type)
            return provider;
    }
    return NULL;
}

/* Returns how much of the domain the pattern names; 0 if it does not match. */
static size_t match_domain(const char *pattern, const char *domain)
{
    size_t len = strlen(domain), rest = strlen(pattern) - 1;
    if (*pattern != '*')
        return strcmp(pattern, domain) == 0 ? len + 1 : 0;
    return len > rest && strcmp(domain + len - rest, pattern + 1) == 0 ? rest + 1 : 0;
}

static size_t match_provider(const na_provider *provider, const char *domain)
{
    size_t best = 0;
    for (int i = 0; na_provider_is_of_domains(provider) && i < provider->email_domains->nelts;
         i++) {
        size_t match =
            match_domain(APR_ARRAY_IDX(provider->email_domains, i, const char *), domain);
        best = match > best ? match : best;
    }
    return best;
}

const na_provider *na_provider_of_email(const apr_array_header_t *providers, const char *email)
{
    const char *at = strrchr(email, '@');
    const na_provider *found = NULL;
    size_t best = 0;
    for (int i = 0; at && i < providers->nelts; i++) {
        const na_provider *provider = APR_ARRAY_IDX(providers, i, const na_provider *);
        size_t match = match_provider(provider, at + 1);
        if (match > best) {
            best = match;
            found = provider;
        }
    }
    return found;
}

int na_provider_is_of_domains(const na_provider *provider)
{
    return provider->type <= NA_OAUTH && provider->email_domains;
}
