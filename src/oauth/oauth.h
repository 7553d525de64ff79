/* SPDX-License-Identifier: Apache-2.0 */
/* The OAuth 2.0 and OpenID Connect client. */
#ifndef NA_OAUTH_OAUTH_H
#define NA_OAUTH_OAUTH_H

#include <apr_tables.h>
#include <jansson.h>

#include "base/http.h"
#include "oauth/documents.h"
#include "provider/provider.h"

/* One sign-in at one provider. Everything is borrowed; results live in `pool`. */
typedef struct na_oauth {
    apr_pool_t *pool;
    const na_provider *provider;
    na_http *http;
    na_call_place *place; /* of all calls; NULL if each takes its own */
    na_documents *documents;
    apr_time_t now;
    const char *redirect_uri;
    apr_table_t *nonces; /* of DPoP, by origin, as servers send them; NULL if none are kept */
    int allow_http;      /* the provider's URLs can be http: */
    int keeps_claims;    /* na_tokens.id_claims is set, because the profile is fetched again */
    const char *const *headers; /* sent along with what is done for this sign-in; NULL if none */
    void (*step)(void *data, const char *event,
                 const char *text); /* logs a step; NULL if steps are not logged */
    void (*warn)(void *data, const char *event,
                 const char *text);  /* logs a failure that does not end the sign-in */
    int (*is_cancelled)(void *data); /* 1 cancels calls; NULL if nothing does */
    void *data;                      /* of all three */
} na_oauth;

/* The provider's endpoints; NULL if it has none. */
typedef struct na_metadata {
    const char *issuer; /* Azure's can contain "{tenantid}" */
    const char *authorization_url;
    const char *token_url;
    const char *userinfo_url;
    const char *jwks_url;        /* of a signed set if the provider has signers of it */
    const char *pushed_url;      /* pushed_authorization_request_endpoint */
    int requires_pushed;         /* require_pushed_authorization_requests */
    const json_t *dpop_algs;     /* dpop_signing_alg_values_supported, or NULL */
    int requires_signed;         /* require_signed_request_object */
    const json_t *request_algs;  /* request_object_signing_alg_values_supported, or NULL */
    int sends_iss;               /* authorization responses carry `iss` (RFC 9207 section 3) */
    const json_t *id_algs;       /* id_token_signing_alg_values_supported, or NULL */
    const json_t *auths;         /* token_endpoint_auth_methods_supported, or NULL */
    int says_auth_time;          /* claims_supported names auth_time */
    const char *end_session_url; /* end_session_endpoint */
    const char *revocation_url;  /* revocation_endpoint */
    const json_t *auth_algs;     /* token_endpoint_auth_signing_alg_values_supported, or NULL */
    const char *introspection_url;
    const json_t *introspection_auths; /* introspection_endpoint_auth_methods_supported, or NULL */
} na_metadata;

/*
 * Parameters and demands of one authorization request besides the provider's options. The last two
 * are verified in the ID token if they are demanded (OpenID Connect Core 1.0 sections 2
 * and 3.1.2.1).
 */
typedef struct na_wishes {
    const apr_table_t *params; /* in place of the provider's parameters; NULL if there are none */
    const char *acr_values;    /* a list, of which `acr` must be one; NULL for any */
    apr_int64_t max_age;       /* most seconds since the user signed in there; -1 for any */
    int are_demanded;
} na_wishes;

/* The values that protect one authorization request; NULL if not used. */
typedef struct na_checks {
    const char *state, *nonce, *code_verifier;
    apr_time_t began;        /* when the request was sent; 0 if unknown */
    int asks_again;          /* the provider has to let the user sign in by hand */
    int is_renewal;          /* there was no request: the ID token came with renewed tokens */
    const na_wishes *wishes; /* NULL if there are none */
} na_checks;

/* The token response (RFC 6749 section 5.1). */
typedef struct na_tokens {
    const char *access_token;
    const char *id_token; /* NULL if there is none */
    const char *scope;    /* NULL if there is none, also for the next three */
    const char *token_type, *refresh_token, *session_state;
    apr_int64_t expires_at; /* seconds; 0 if unknown */
    const json_t *response; /* as it came */
    const char *code;       /* for which they were issued */
    apr_int64_t auth_time;  /* of the ID token, once it is verified; seconds, 0 if it has none */
    const char *acr;        /* of the ID token, once it is verified; NULL if it has none */

    /* likewise: the session at the provider. NULL and 0 for plain OAuth 2.0 */
    const char *issuer, *subject;
    const char *session_id; /* `sid`; NULL if the provider does not name its sessions */
    apr_int64_t issued_at;  /* seconds */

    /* claims of the verified ID token; null those that userinfo says. NULL if not kept */
    const json_t *id_claims;
} na_tokens;

/* Logs a step under NextAuth's name of the event. Of a secret, only its length is logged. */
void na_oauth_step(const na_oauth *oauth, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Writes the provider's endpoints from the configuration and, for OpenID Connect, its discovery
 * document (OpenID Connect Discovery 1.0 section 4).
 */
na_error *na_oauth_metadata(const na_oauth *oauth, na_metadata *metadata);

/* Checks that the provider has what the authorization request needs, without making one. */
na_error *na_oauth_check_request(const na_oauth *oauth, const na_metadata *metadata);

/*
 * Writes the URL to send the browser to (OpenID Connect Core 1.0 section 3.1.2.1). Of `asked`, the
 * parameters from the page that started the sign-in, only those of visitorParams= are used.
 */
na_error *na_oauth_authorization_url(const na_oauth *oauth, const na_metadata *metadata,
                                     const na_checks *checks, const apr_table_t *asked, char **url);

/*
 * Writes how the client authenticates at the token endpoint: as configured, or else as discovery
 * offers. *is_offered is 0 if the provider does not support it according to discovery.
 */
na_error *na_oauth_token_auth(const na_oauth *oauth, const na_metadata *metadata,
                              na_token_auth *auth, int *is_offered);

/* Adds what authenticates the client to a request and its form. */
na_error *na_oauth_authenticate(const na_oauth *oauth, const na_metadata *metadata,
                                na_http_request *request, apr_table_t *fields);

/* Writes the client secret: as configured, or signed with clientSecretKey=. NULL if there is none.
 */
na_error *na_oauth_client_secret(const na_oauth *oauth, const char **secret);

/* Exchanges the code for tokens (RFC 6749 section 4.1.3, RFC 7636 section 4.5). */
na_error *na_oauth_exchange(const na_oauth *oauth, const na_metadata *metadata, const char *code,
                            const char *code_verifier, na_tokens *tokens);

/*
 * Exchanges a refresh token for tokens (RFC 6749 section 6), whose refresh token is NULL if this
 * one stays valid. The error is NA_ERR_INVALID_CHECK if the provider no longer accepts it.
 */
na_error *na_oauth_renew_tokens(const na_oauth *oauth, const na_metadata *metadata,
                                const char *refresh_token, na_tokens *tokens);

/*
 * Verifies the ID token (OpenID Connect Core 1.0 section 3.1.3.7) and the requirements of the
 * authorization request: NA_ERR_ACCESS_DENIED if the user does not meet them.
 */
na_error *na_oauth_verify_id_token(const na_oauth *oauth, const na_metadata *metadata,
                                   const na_tokens *tokens, const na_checks *checks,
                                   json_t **claims);

/* Verifies a userinfo response that is a JWT: encrypted, signed, or both (section 5.3.2). */
na_error *na_oauth_verify_userinfo(const na_oauth *oauth, const na_metadata *metadata,
                                   const char *token, json_t **claims);

/*
 * Verifies the tokens and writes the user's raw profile, from the ID token, userinfo, or both.
 */
na_error *na_oauth_profile(const na_oauth *oauth, const na_metadata *metadata, na_tokens *tokens,
                           const na_checks *checks, json_t **profile);

/* Returns the claims of a newer ID token, null those that userinfo says according to `before`. */
const json_t *na_oauth_newer_claims(apr_pool_t *pool, const json_t *before, const json_t *claims);

/*
 * Writes the profile of a user who signed in before: what userinfo says now, and of
 * tokens->id_claims what userinfo never said. The error is NA_ERR_INVALID_CHECK if userinfo no
 * longer accepts the access token. `subject` is the user's `sub`, NULL for plain OAuth 2.0.
 */
na_error *na_oauth_profile_again(const na_oauth *oauth, const na_metadata *metadata,
                                 const char *subject, na_tokens *tokens, json_t **profile);

/* Write the provider's key set, and a newer one if the token's key is not in `*keys`. */
na_error *na_oauth_keys(const na_oauth *oauth, const na_metadata *metadata, const na_jwks **keys);
void na_oauth_renew_keys(const na_oauth *oauth, const na_metadata *metadata, const na_jwks **keys);

/* Fetches the provider's documents again if they get old: for a thread that no request waits for.
 */
void na_oauth_refresh(const na_oauth *oauth);

#endif
