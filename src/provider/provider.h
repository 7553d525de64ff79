/* SPDX-License-Identifier: Apache-2.0 */
/* Providers: created, completed and checked. */
#ifndef NA_PROVIDER_PROVIDER_H
#define NA_PROVIDER_PROVIDER_H

#include <apr_tables.h>

#include "base/certificate.h"
#include "base/error.h"
#include "jose/jwk.h"

typedef enum na_provider_type {
    NA_OIDC,
    NA_OAUTH,
    NA_CREDENTIALS,
    NA_EMAIL,
    NA_WEBAUTHN
} na_provider_type;

/* What protects an authorization request, as bits. */
enum { NA_CHECK_PKCE = 1, NA_CHECK_STATE = 2, NA_CHECK_NONCE = 4 };

/*
 * How the client authenticates at the token endpoint (RFC 6749 section 2.3, OpenID Connect Core 1.0
 * section 9, RFC 8705 section 2).
 */
typedef enum na_token_auth {
    NA_AUTH_AUTO, /* as discovery offers, with what is configured */
    NA_AUTH_BASIC,
    NA_AUTH_POST,
    NA_AUTH_SECRET_JWT,
    NA_AUTH_KEY_JWT,
    NA_AUTH_TLS,
    NA_AUTH_SELF_SIGNED_TLS,
    NA_AUTH_NONE
} na_token_auth;

/* logout=: who ends sessions together with the user's session at the provider. */
typedef enum na_logout {
    NA_LOGOUT_NONE,
    NA_LOGOUT_FROM_PROVIDER, /* the provider, when its own session ends */
    NA_LOGOUT_BOTH           /* the user, too: a sign-out continues at the provider */
} na_logout;

/* Where an OpenID Provider's profile comes from. */
typedef enum na_profile_source {
    NA_PROFILE_AUTO,     /* the ID token, and userinfo if it lacks the email address */
    NA_PROFILE_ID_TOKEN, /* idToken=true */
    NA_PROFILE_USERINFO  /* idToken=false */
} na_profile_source;

/* Whether an email address from a provider counts as verified. */
typedef enum na_vouching {
    NA_VOUCHES_NEVER,
    NA_VOUCHES_BY_CLAIM, /* email_verified is true (OpenID Connect Core 1.0 section 5.1) */
    NA_VOUCHES_ALWAYS    /* it sends only verified ones */
} na_vouching;

/*
 * Dotted paths into the raw profile, or texts with such paths in braces; '|' separates
 * alternatives, of which the first found counts.
 */
typedef struct na_profile_map {
    const char *id, *name, *email, *image;
} na_profile_map;

/* groups.*=: an API that lists a user's groups, a page at a time. NULL if not set. */
typedef struct na_group_list {
    const char *url;   /* {profile.PATH} is replaced by that part of the profile */
    const char *items; /* path of the list in a page; NULL if the page is the list */
    const char *name;  /* path of the name in an element; NULL if the element is the name */
    const char *next;  /* path of the next page's URL, or of its token if `page` is set */
    const char *page;  /* parameter for the token */
} na_group_list;

/*
 * One way to sign in. Built while the configuration is read, immutable afterwards. Strings that
 * are not set are NULL.
 */
typedef struct na_provider {
    const char *id;
    const char *name;
    na_provider_type type;
    const char *color; /* "#rrggbb" of its button */

    /* tenants=: a provider of one tenant has the next two, NULL for all others */
    const char *template_id; /* the ID that is configured, to which `id` adds the tenant */
    const char *for_tenant;  /* the tenant's name */
    const apr_array_header_t *tenants; /* const char *: of a template, before they are applied */

    /* OAuth 2.0 and OpenID Connect */
    const char *issuer;
    const char *well_known;
    const char *tenant;
    const char *user_flow; /* primaryUserFlow: {primaryUserFlow} in URLs */
    const char *client_id;
    const char *client_secret;
    const na_jwk *client_secret_key; /* signs client secrets for Apple; NULL if none */
    const char *team_id, *key_id;    /* of client_secret_key */
    const na_jwks *client_keys;      /* sign for the client, the first that fits; NULL if none */
    const char *auth_alg;            /* of signatures that authenticate; NULL if as discovered */
    int names_token_url;             /* they are for the token endpoint's URL, not the issuer */
    int binds_tokens;                /* dpop=true (RFC 9449) */
    const na_jwk *dpop_key;          /* signs proofs, of this start of httpd; NULL if not */
    na_certificate certificate;      /* of the client in TLS; its members are NULL if none */
    apr_time_t certificate_ends;
    const char *scope;
    int checks;
    na_token_auth token_auth;
    na_profile_source profile_source;
    const char *authorization_url;
    const char *authorization_params;        /* a query */
    const apr_table_t *authorization_fields; /* the query, parsed */
    const apr_array_header_t *resources; /* const char *: of resource= (RFC 8707); NULL if none */
    int pushes_request;                  /* pushedRequest=true (RFC 9126) */
    const char *pushed_url;              /* its endpoint; NULL if as discovered */
    int signs_request;                   /* requestObject=true (RFC 9101) */
    const apr_array_header_t *visitor_params; /* const char *: what a page may add to the request */
    long max_auth_age;                        /* seconds, of max_age=; -1 if any */
    const char *acr_values;                   /* NULL if any, also for the next */
    const apr_array_header_t *email_domains;  /* const char *: of emailDomains=; NULL if none */
    const char *hosted_domain;                /* of hd=; "*" if any, but one is required */
    const char *redirect_proxy; /* redirectProxyUrl=, without a slash at the end; NULL if none */
    int form_post; /* response_mode: the provider's page posts the response as a form */
    int form_user; /* the posted form can have a member `user` with the user's name, as Apple's */
    const char *token_url;
    const char *token_params; /* a query: replaces or, with an empty value, removes fields */
    const char *userinfo_url;
    const char *userinfo_params;         /* a query */
    const char *userinfo_body;           /* a form that is posted; "" for an empty one */
    const char *userinfo_header_fields;  /* a query: name and value of further headers */
    const char *const *userinfo_headers; /* the same, "Name: value", NULL-terminated; or NULL */
    const char *userinfo_alg;            /* of its signature; NULL if it is plain JSON */
    const char *jwks_url;
    int is_initiated; /* initiatedSignIn=true: other sites can begin sign-ins */
    na_logout logout;
    const char *end_session_url;
    const char *revocation_url;
    const na_jwks *keys;                 /* of jwks=, instead of a URL; NULL if none */
    const char *signed_jwks_url;         /* of a signed key set; NULL if as discovered */
    const na_jwks *jwks_signers;         /* sign the key set; NULL if it is not signed */
    const char *jwks_signer_text;        /* as configured; NULL if there are none */
    const apr_array_header_t *audiences; /* const char *: of trustedAudiences=; NULL if any */
    const char *emails_url;              /* GitHub's list of a user's addresses */
    na_group_list groups;
    int asks_for_groups;      /* groups=true: they are fetched if the profile has none */
    const char *photo;        /* size of the photo to fetch, in pixels; NULL if none */
    const char *photo_url;    /* NULL if none is fetched, once the provider is complete */
    const char *photo_sizes;  /* that the URL can have, separated by blanks */
    const char *id_token_alg; /* the only accepted signature algorithm; NULL if as discovered */
    const na_jwks *decryption_keys; /* NULL if none */
    int requires_encryption;        /* ID tokens that are not encrypted are refused */
    long clock_tolerance;           /* seconds */
    long document_max_age;          /* seconds that discovery documents and key sets serve */
    na_profile_map profile;
    na_vouching email_verified;
    const char *email_claim;    /* path of the claim that vouches; NULL for email_verified */
    int allow_unverified_email; /* shown on pages, but no user is found by it */
    int allow_linking; /* allowDangerousEmailAccountLinking: an email address is enough to become
                          its user */
    int only_issues;   /* of NextAuthTokenIssuer: its tokens are accepted, and no one signs in */
    int is_fapi2;      /* profile=fapi2: the FAPI 2.0 Security Profile is enforced */
    int any_tenant;    /* by its URL; at a sign-in, the issuer decides */

    /* emailed links */
    long max_age; /* lifetime of a link in seconds */

    /* credentials: one of these three */
    int in_database;
    const char *password_file;
    const apr_array_header_t *authn_providers; /* const char *: httpd's, in the order to ask */
    const char *name_attribute;                /* of a directory among them; NULL if none */
    const char *email_attribute; /* likewise; if it is set, a username is never an email address */

    /* passkeys; the words are those of Web Authentication Level 3 */
    const char *rp_id, *rp_name;
    const char *origin_list;           /* origin=, as it is written; NULL if none */
    const apr_array_header_t *origins; /* const char *: the site's own first */
    const char *user_verification, *resident_key, *attestation;
    long timeout; /* seconds that a user has for it */
} na_provider;

/* A user as the provider describes it: NextAuth's user. */
typedef struct na_user {
    const char *id;
    const char *name; /* NULL if unknown, also for the next two */
    const char *email;
    const char *image;
} na_user;

/* Returns the index of the provider with this ID in `providers` (na_provider *); -1 if none. */
int na_provider_find(const apr_array_header_t *providers, const char *id);

/* Most characters of a provider's ID, and most tenants of a template. */
#define NA_PROVIDER_ID_MAX 64
#define NA_TENANTS_MAX 1000

/* Sets tenants=: names, separated by white space. */
na_error *na_provider_set_tenants(apr_pool_t *pool, na_provider *provider, const char *value);

/* Returns the text with the tenant's name in place of each {tenant}. */
const char *na_provider_text_for(apr_pool_t *pool, const char *text, const char *tenant);

/* Makes a complete provider that of a tenant: its ID becomes ID-TENANT. */
na_error *na_provider_give_to(apr_pool_t *pool, na_provider *provider, const char *tenant);

/* Returns the ID of NextAuthProvider, which the providers of all tenants share. */
const char *na_provider_configured_id(const na_provider *provider);

/* Returns the first provider with this ID, or of a template with it; NULL if there is none. */
const na_provider *na_provider_configured(const apr_array_header_t *providers, const char *id);

/* Returns 1 if the provider, or its template, has this ID. */
int na_provider_is_named(const na_provider *provider, const char *name);

/*
 * Returns the provider with this ID, or else the only one of the template with this ID; NULL if
 * there is none, or the template stands for several.
 */
const na_provider *na_provider_named(const apr_array_header_t *providers, const char *name);

/* Returns the first provider of a type; NULL if there is none. */
const na_provider *na_provider_of_type(const apr_array_header_t *providers, na_provider_type type);

/*
 * Creates a provider of a type ("oidc", "oauth", "credentials", "email", or "webauthn") with that
 * type's defaults.
 */
na_error *na_provider_new(apr_pool_t *pool, const char *id, const char *type,
                          na_provider **provider);

/* Returns 1 if the provider is known to let anyone create an account. */
int na_provider_is_public(const na_provider *provider);

/* Returns 1 if providers have an option of that name. */
int na_provider_has_option(const char *name);

/* Sets one option by NextAuth's name. */
na_error *na_provider_set(apr_pool_t *pool, na_provider *provider, const char *name,
                          const char *value);

/*
 * Checks that nothing is missing and that URLs are valid, and sets what follows from other options.
 * `allow_http` accepts http: URLs.
 */
na_error *na_provider_finish(apr_pool_t *pool, na_provider *provider, int allow_http);

/* Does the same for a passkey provider of the site with this origin. */
na_error *na_provider_finish_passkey(apr_pool_t *pool, na_provider *provider, const char *origin);

/* Returns 1 if passkeys are used at this origin only because the RP ID's site allows it. */
int na_provider_is_related(const na_provider *provider, const char *origin);

/* Checks the URL of an option; NULL is valid. */
na_error *na_provider_check_url(apr_pool_t *pool, const char *option, const char *url,
                                int allow_http);

/* Check an issuer, and the value of {tenant} in URLs. */
na_error *na_provider_check_issuer(apr_pool_t *pool, const char *issuer, int allow_http);
na_error *na_provider_check_tenant(apr_pool_t *pool, const char *tenant);

/* Sets visitorParams=: names, or "none". */
na_error *na_provider_set_visitor_params(apr_pool_t *pool, na_provider *provider,
                                         const char *value);

/* Returns 1 if a URL or parameter has the placeholder, such as "{issuer}". */
int na_provider_mentions(const na_provider *provider, const char *placeholder);

/*
 * Replaces {issuer}, {tenant}, {clientId}, and {primaryUserFlow} in URLs and parameters. A missing
 * value is NA_ERR_CONFIGURATION.
 */
na_error *na_provider_fill(apr_pool_t *pool, na_provider *provider);

/* Reads the parameters of authorization requests, and those that the ID token must meet. */
na_error *na_provider_finish_authorization(apr_pool_t *pool, na_provider *provider);

/* Most seconds of max_age: a year. */
#define NA_AUTH_AGE_MAX 31536000

/*
 * Returns the provider of OAuth 2.0 or OpenID Connect that emailDomains= names for an address in
 * canonical form; NULL if none. A domain counts more than a pattern, a longer pattern more than a
 * shorter one.
 */
const na_provider *na_provider_of_email(const apr_array_header_t *providers, const char *email);

/* Returns 1 if a provider is found by the domain of an email address. */
int na_provider_is_of_domains(const na_provider *provider);

/* Returns 1 if only the protocol sets this parameter of authorization requests. */
int na_provider_is_reserved(const char *name);

/* Returns the registered name, such as "private_key_jwt"; NULL for NA_AUTH_AUTO. */
const char *na_token_auth_name(na_token_auth auth);

/* Returns 1 if the FAPI 2.0 Security Profile permits the algorithm (section 5.4.1). */
int na_provider_is_fapi2_alg(const char *alg);

/* Returns 1 if the provider has what this way to authenticate requires. */
int na_provider_can_authenticate(const na_provider *provider, na_token_auth auth);

/* Checks how the client authenticates. */
na_error *na_provider_finish_client(apr_pool_t *pool, na_provider *provider);

/* Returns "oidc", "oauth", "credentials", "email", or "webauthn". */
const char *na_provider_type_name(const na_provider *provider);

/*
 * NextAuth's profile(): refuses a profile without an ID. `profile` can be NULL if empty. An email
 * address that the provider does not vouch for is omitted, because pages and roles depend on it.
 * `any_tenant` is 1 if any organization can be the issuer.
 */
na_error *na_provider_user(apr_pool_t *pool, const na_provider *provider, int any_tenant,
                           const json_t *profile, na_user *user);

#endif
