/* SPDX-License-Identifier: Apache-2.0 */
/* The endpoints of a provider, from discovery or from options. */
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "base/url.h"
#include "oauth/post.h"
#include "oauth/signed_keys.h"

static const char *discovery_url(const na_oauth *oauth)
{
    const na_provider *provider = oauth->provider;
    if (provider->well_known)
        return provider->well_known;
    size_t len = strlen(provider->issuer);
    if (len && provider->issuer[len - 1] == '/')
        len--;
    return apr_pstrcat(oauth->pool, apr_pstrmemdup(oauth->pool, provider->issuer, len),
                       "/.well-known/openid-configuration", NULL);
}

static int allows_http(const na_oauth *oauth)
{
    return oauth->allow_http && !oauth->provider->is_fapi2;
}

/* Azure's issuers for several tenants contain {tenantid}, which no valid URL has. */
static int is_issuer(const na_oauth *oauth, const char *issuer)
{
    return issuer && strlen(issuer) < 1024 && !na_has_control(issuer) &&
           (strncmp(issuer, "https://", 8) == 0 ||
            (allows_http(oauth) && strncmp(issuer, "http://", 7) == 0));
}

/* Discovery 1.0 section 4.3: the document must name the issuer that was asked. */
static na_error *check_issuer(const na_oauth *oauth, const char *issuer)
{
    const char *expected = oauth->provider->issuer;
    if (!is_issuer(oauth, issuer))
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "the discovery document has no valid issuer");
    if (expected && strcmp(issuer, expected) != 0)
        return na_error_with_hint(
            na_error_new(
                oauth->pool, NA_ERR_OAUTH_CALLBACK,
                "the discovery document has the issuer '%s', which does not match issuer=%s",
                issuer, expected),
            apr_psprintf(oauth->pool, "if that is your provider, set issuer=%s", issuer));
    return NULL;
}

/* Takes the configured URL, or else the discovered one. */
static na_error *take_url(const na_oauth *oauth, const json_t *document, const char *member,
                          const char *configured, const char **address)
{
    na_url url;
    *address = configured ? configured : na_json_string(document, member);
    if (!*address)
        return NULL;
    if (!na_url_parse(oauth->pool, *address, &url) ||
        (!allows_http(oauth) && strcmp(url.scheme, "https") != 0))
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "the discovery document's %s is not an https URL", member);
    return NULL;
}

/*
 * RFC 8705 section 5: clients with a certificate have endpoints of their own, so that browsers are
 * not asked for one.
 */
static na_error *take_protected_url(const na_oauth *oauth, const json_t *document,
                                    const char *member, const char *configured, const char **url)
{
    const json_t *aliases = json_object_get(document, "mtls_endpoint_aliases");
    int has_alias = oauth->provider->certificate.chain && na_json_string(aliases, member);
    return take_url(oauth, has_alias ? aliases : document, member, configured, url);
}

static na_error *read_document(const na_oauth *oauth, const json_t *document, na_metadata *metadata)
{
    const na_provider *provider = oauth->provider;
    metadata->issuer = na_json_string(document, "issuer");
    NA_TRY(check_issuer(oauth, metadata->issuer));
    NA_TRY(take_url(oauth, document, "authorization_endpoint", provider->authorization_url,
                    &metadata->authorization_url));
    NA_TRY(take_protected_url(oauth, document, "token_endpoint", provider->token_url,
                              &metadata->token_url));
    NA_TRY(take_protected_url(oauth, document, "userinfo_endpoint", provider->userinfo_url,
                              &metadata->userinfo_url));
    NA_TRY(provider->jwks_signers
               ? take_url(oauth, document, "signed_jwks_uri", provider->signed_jwks_url,
                          &metadata->jwks_url)
               : take_url(oauth, document, "jwks_uri", provider->jwks_url, &metadata->jwks_url));
    /* FAPI 2.0 Security Profile, section 5.3.3.2, item 5: required, whatever the document says */
    metadata->sends_iss =
        provider->is_fapi2 ||
        json_is_true(json_object_get(document, "authorization_response_iss_parameter_supported"));
    metadata->says_auth_time =
        na_json_has_text(json_object_get(document, "claims_supported"), "auth_time");
    NA_TRY(take_url(oauth, document, "end_session_endpoint", provider->end_session_url,
                    &metadata->end_session_url));
    NA_TRY(take_protected_url(oauth, document, "revocation_endpoint", provider->revocation_url,
                              &metadata->revocation_url));
    metadata->auths = json_object_get(document, "token_endpoint_auth_methods_supported");
    NA_TRY(take_protected_url(oauth, document, "pushed_authorization_request_endpoint",
                              provider->pushed_url, &metadata->pushed_url));
    NA_TRY(take_protected_url(oauth, document, "introspection_endpoint", NULL,
                              &metadata->introspection_url));
    metadata->introspection_auths =
        json_object_get(document, "introspection_endpoint_auth_methods_supported");
    metadata->requires_pushed =
        json_is_true(json_object_get(document, "require_pushed_authorization_requests"));
    metadata->requires_signed =
        json_is_true(json_object_get(document, "require_signed_request_object"));
    metadata->dpop_algs = json_object_get(document, "dpop_signing_alg_values_supported");
    metadata->request_algs =
        json_object_get(document, "request_object_signing_alg_values_supported");
    metadata->auth_algs =
        json_object_get(document, "token_endpoint_auth_signing_alg_values_supported");
    metadata->id_algs = json_object_get(document, "id_token_signing_alg_values_supported");
    if (!provider->only_issues && (!metadata->authorization_url || !metadata->token_url))
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "the discovery document has no authorization or token endpoint");
    return NULL;
}

/* A copy is a document's na_metadata, which is valid with this provider's options. */
static na_error *read_discovery(const void *data, apr_pool_t *pool, na_bytes text,
                                const void **parsed)
{
    const na_oauth *oauth = data;
    na_metadata *metadata = apr_pcalloc(pool, sizeof *metadata);
    json_t *document;
    na_error *error =
        na_json_parse(pool, NA_ERR_OAUTH_CALLBACK, (const char *)text.data, text.len, &document);
    *parsed = metadata;
    return error ? na_error_wrap(pool, error, NULL, "invalid discovery document")
                 : read_document(oauth, document, metadata);
}

/* Returns the options that read_document() uses: its result can differ between providers. */
static const char *options_of_validity(const na_oauth *oauth)
{
    const na_provider *provider = oauth->provider;
    const char *const options[] = {oauth->allow_http ? "http" : "https",
                                   provider->issuer,
                                   provider->authorization_url,
                                   provider->token_url,
                                   provider->userinfo_url,
                                   provider->jwks_url,
                                   provider->end_session_url,
                                   provider->pushed_url,
                                   provider->signed_jwks_url,
                                   provider->jwks_signer_text,
                                   provider->revocation_url,
                                   provider->certificate.chain ? "mtls" : NULL,
                                   provider->only_issues ? "issuer" : NULL,
                                   provider->is_fapi2 ? "fapi2" : NULL};
    apr_size_t count = sizeof options / sizeof *options;
    apr_array_header_t *all = apr_array_make(oauth->pool, (int)count, sizeof(const char *));
    for (apr_size_t i = 0; i < count; i++)
        APR_ARRAY_PUSH(all, const char *) = options[i] ? options[i] : "-";
    return na_join(oauth->pool, all, "\n");
}

/* The argument of read_keys(). */
typedef struct keys_of {
    const na_oauth *oauth;
    const na_metadata *metadata;
} keys_of;

/* A copy is a na_signed_keys if the provider has signers, and a na_jwks otherwise. */
static na_error *read_keys(const void *data, apr_pool_t *pool, na_bytes text, const void **parsed)
{
    const keys_of *wanted = data;
    const na_provider *provider = wanted->oauth->provider;
    const na_signed_keys_check check = {provider->jwks_signers, wanted->metadata->issuer,
                                        apr_time_sec(wanted->oauth->now),
                                        provider->clock_tolerance};
    return check.signers
               ? na_signed_keys_read(pool, &check, text, (const na_signed_keys **)parsed)
               : na_jwks_parse(pool, (const char *)text.data, text.len, (const na_jwks **)parsed);
}

/* The sign-in continues, but the administrator must know why no newer document was available. */
static void warn_of_copy(const na_oauth *oauth, const char *what, const na_error *kept_from)
{
    if (kept_from && oauth->warn)
        oauth->warn(oauth->data, "OAUTH_DOCUMENT",
                    apr_psprintf(oauth->pool, "using an older %s of %s: %s", what,
                                 oauth->provider->id, na_error_text(oauth->pool, kept_from)));
}

static na_document_source source_of(const na_oauth *oauth, const na_http_request *request,
                                    const char *as, na_document_read *read)
{
    return (na_document_source){.request = request,
                                .as = as,
                                .read = read,
                                .data = oauth,
                                .fresh_for = apr_time_from_sec(oauth->provider->document_max_age)};
}

na_error *na_oauth_metadata(const na_oauth *oauth, na_metadata *metadata)
{
    const na_provider *provider = oauth->provider;
    const void *copy;
    na_error *kept_from;
    if (provider->type == NA_OAUTH) {
        *metadata = (na_metadata){.issuer = provider->issuer,
                                  .authorization_url = provider->authorization_url,
                                  .token_url = provider->token_url,
                                  .userinfo_url = provider->userinfo_url,
                                  .end_session_url = provider->end_session_url,
                                  .pushed_url = provider->pushed_url,
                                  .revocation_url = provider->revocation_url};
        return NULL;
    }
    const na_http_request request = na_oauth_request(oauth, discovery_url(oauth));
    const na_document_source source =
        source_of(oauth, &request, options_of_validity(oauth), read_discovery);
    NA_TRY(na_documents_get(oauth->documents, oauth->http, oauth->pool, &source, oauth->now, &copy,
                            &kept_from));
    warn_of_copy(oauth, "discovery document", kept_from);
    *metadata = *(const na_metadata *)copy;
    return NULL;
}

static na_http_request request_of_keys(const na_oauth *oauth, const na_metadata *metadata)
{
    na_http_request request = na_oauth_request(oauth, metadata->jwks_url);
    request.accept = oauth->provider->jwks_signers ? "application/jwk-set+jwt" : NULL;
    return request;
}

static na_document_source source_of_keys(const na_oauth *oauth, const na_http_request *request,
                                         const keys_of *wanted)
{
    const char *signers = oauth->provider->jwks_signer_text;
    const char *as =
        signers ? apr_pstrcat(oauth->pool, wanted->metadata->issuer, "\n", signers, NULL) : "";
    na_document_source source = source_of(oauth, request, as, read_keys);
    source.data = wanted;
    return source;
}

/* A signed set can end before it is fetched again. */
static na_error *check_expiry(const na_oauth *oauth, const na_metadata *metadata,
                              const na_jwks **keys)
{
    apr_int64_t now = apr_time_sec(oauth->now) - oauth->provider->clock_tolerance;
    for (int attempt = 0; oauth->provider->jwks_signers; attempt++) {
        apr_int64_t expires = ((const na_signed_keys *)*keys)->expires;
        if (!expires || expires > now)
            break;
        if (attempt)
            return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                                "the signed key set has expired");
        na_oauth_renew_keys(oauth, metadata, keys);
    }
    return NULL;
}

na_error *na_oauth_keys(const na_oauth *oauth, const na_metadata *metadata, const na_jwks **keys)
{
    const keys_of wanted = {oauth, metadata};
    const void *set;
    na_error *kept_from;
    *keys = oauth->provider->keys;
    if (*keys)
        return NULL;
    if (!metadata->jwks_url)
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "the provider does not publish a %skey set",
                            oauth->provider->jwks_signers ? "signed " : "");
    const na_http_request request = request_of_keys(oauth, metadata);
    const na_document_source source = source_of_keys(oauth, &request, &wanted);
    NA_TRY(na_documents_get(oauth->documents, oauth->http, oauth->pool, &source, oauth->now, &set,
                            &kept_from));
    warn_of_copy(oauth, "key set", kept_from);
    *keys = set;
    return check_expiry(oauth, metadata, keys);
}

void na_oauth_renew_keys(const na_oauth *oauth, const na_metadata *metadata, const na_jwks **keys)
{
    const keys_of wanted = {oauth, metadata};
    const void *set = *keys;
    na_error *kept_from;
    if (oauth->provider->keys)
        return; /* the administrator renews them */
    const na_http_request request = request_of_keys(oauth, metadata);
    const na_document_source source = source_of_keys(oauth, &request, &wanted);
    na_documents_renew(oauth->documents, oauth->http, oauth->pool, &source, oauth->now, &set,
                       &kept_from);
    warn_of_copy(oauth, "key set", kept_from);
    *keys = set;
}

static void refresh_keys(const na_oauth *oauth, const na_metadata *metadata)
{
    const keys_of wanted = {oauth, metadata};
    const void *set;
    na_error *kept_from;
    const na_http_request request = request_of_keys(oauth, metadata);
    const na_document_source source = source_of_keys(oauth, &request, &wanted);
    na_documents_refresh(oauth->documents, oauth->http, oauth->pool, &source, oauth->now, &set,
                         &kept_from);
    warn_of_copy(oauth, "key set", kept_from);
}

void na_oauth_refresh(const na_oauth *oauth)
{
    const void *copy;
    na_error *kept_from;
    const na_http_request request = na_oauth_request(oauth, discovery_url(oauth));
    const na_document_source source =
        source_of(oauth, &request, options_of_validity(oauth), read_discovery);
    na_documents_refresh(oauth->documents, oauth->http, oauth->pool, &source, oauth->now, &copy,
                         &kept_from);
    warn_of_copy(oauth, "discovery document", kept_from);
    const na_metadata *metadata = copy;
    if (metadata && metadata->jwks_url && !oauth->provider->keys)
        refresh_keys(oauth, metadata);
}
