/* SPDX-License-Identifier: Apache-2.0 */
/* The authorization request. */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/url.h"
#include "jose/jwk_public.h"
#include "oauth/request_object.h"
#include "oauth/pushed.h"
#include "oauth/signing.h"

#define FIELDS_MAX 64

static void set_unless_there(apr_table_t *fields, const apr_table_t *taken, const char *name,
                             const char *value)
{
    if (value && !apr_table_get(fields, name) && !apr_table_get(taken, name))
        apr_table_setn(fields, name, value);
}

/*
 * Returns the configured parameters, and those from the page that visitorParams= names and the
 * administrator did not set.
 */
static apr_table_t *fields_of(const na_oauth *oauth, const na_metadata *metadata,
                              const apr_table_t *asked)
{
    const na_provider *provider = oauth->provider;
    const char *query = strchr(metadata->authorization_url, '?');
    const apr_table_t *of_url = na_form_parse(oauth->pool, query ? query + 1 : NULL, FIELDS_MAX);
    const apr_array_header_t *list = apr_table_elts(provider->authorization_fields);
    apr_table_t *fields = apr_table_make(oauth->pool, 12);
    for (int i = 0; i < list->nelts; i++) {
        const apr_table_entry_t *field = &APR_ARRAY_IDX(list, i, const apr_table_entry_t);
        if (!na_provider_is_reserved(field->key) || strcasecmp(field->key, "response_mode") == 0)
            apr_table_addn(fields, field->key, field->val);
    }
    set_unless_there(fields, of_url, "scope", provider->scope);
    for (int i = 0; provider->resources && i < provider->resources->nelts; i++)
        apr_table_addn(fields, "resource", APR_ARRAY_IDX(provider->resources, i, const char *));
    for (int i = 0; i < provider->visitor_params->nelts; i++) {
        const char *name = APR_ARRAY_IDX(provider->visitor_params, i, const char *);
        set_unless_there(fields, of_url, name, apr_table_get(asked, name));
    }
    return fields;
}

/*
 * Core 1.0 section 3.1.2.1: with prompt=login the provider asks the user, and with max_age it must
 * say in the ID token when the user signed in there, which the browser cannot change.
 */
static void set_again(const na_oauth *oauth, const na_checks *checks, apr_table_t *params)
{
    if (!checks->asks_again || oauth->provider->type != NA_OIDC)
        return;
    apr_table_setn(params, "prompt", "login");
    apr_table_setn(params, "max_age", "0");
}

/* The wishes of a path are an addition: the provider's max_age holds if it is less. */
static void set_wishes(const na_oauth *oauth, const na_checks *checks, apr_table_t *params)
{
    const na_wishes *wishes = checks->wishes;
    long own = oauth->provider->max_auth_age;
    if (!wishes)
        return;
    const apr_array_header_t *list = apr_table_elts(wishes->params);
    for (int i = 0; i < list->nelts; i++) {
        const apr_table_entry_t *param = &APR_ARRAY_IDX(list, i, const apr_table_entry_t);
        apr_table_setn(params, param->key, param->val);
    }
    if (wishes->acr_values)
        apr_table_setn(params, "acr_values", wishes->acr_values);
    if (wishes->max_age >= 0 && (own < 0 || wishes->max_age < own))
        apr_table_setn(params, "max_age",
                       apr_psprintf(oauth->pool, "%" APR_INT64_T_FMT, wishes->max_age));
}

/* RFC 9449 section 10: the code, too, is of use only with the key that the tokens are bound to. */
static na_error *set_dpop_key(const na_oauth *oauth, apr_table_t *params)
{
    const char *thumbprint;
    if (!oauth->provider->dpop_key)
        return NULL;
    NA_TRY(na_jwk_thumbprint(oauth->pool, oauth->provider->dpop_key, &thumbprint));
    apr_table_setn(params, "dpop_jkt", thumbprint);
    return NULL;
}

static void set_checks(const na_oauth *oauth, const na_checks *checks, apr_table_t *params)
{
    if (checks->state)
        apr_table_setn(params, "state", checks->state);
    if (checks->nonce)
        apr_table_setn(params, "nonce", checks->nonce);
    if (!checks->code_verifier)
        return;
    unsigned char hash[NA_SHA256_LEN]; /* RFC 7636 section 4.2: S256 */
    na_sha256(hash, na_bytes_of(checks->code_verifier), (na_bytes){0});
    apr_table_setn(params, "code_challenge", na_base64url_encode(oauth->pool, hash, sizeof hash));
    apr_table_setn(params, "code_challenge_method", "S256");
}

/* ── pushed and signed requests ────────────────────────────────────────────────────────────── */

static int is_pushed(const na_oauth *oauth, const na_metadata *metadata)
{
    return oauth->provider->pushes_request || metadata->requires_pushed;
}

static int is_signed(const na_oauth *oauth, const na_metadata *metadata)
{
    return oauth->provider->signs_request || metadata->requires_signed;
}

na_error *na_oauth_check_request(const na_oauth *oauth, const na_metadata *metadata)
{
    na_signer signer;
    if (is_signed(oauth, metadata))
        NA_TRY(na_oauth_signer(oauth, NULL, metadata->request_algs, &signer));
    if (oauth->provider->dpop_key && metadata->dpop_algs &&
        !na_json_has_text(metadata->dpop_algs, "ES256"))
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "the provider does not accept ES256 for dpop=true");
    return is_pushed(oauth, metadata) && !metadata->pushed_url
               ? na_error_with_hint(na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                                                 "the discovery document has no "
                                                 "pushed_authorization_request_endpoint"),
                                    "remove pushedRequest=, if you set it")
               : NULL;
}

/* Parameters in the query of the URL would not count, so they become part of the request. */
static const char *take_query(const na_oauth *oauth, const char *url, apr_table_t **params)
{
    const char *query = strchr(url, '?');
    if (!query)
        return url;
    *params =
        apr_table_overlay(oauth->pool, *params, na_form_parse(oauth->pool, query + 1, FIELDS_MAX));
    return apr_pstrmemdup(oauth->pool, url, (apr_size_t)(query - url));
}

/* The browser cannot change what the provider gets from the server, or what is signed. */
static na_error *protect(const na_oauth *oauth, const na_metadata *metadata, apr_table_t **params)
{
    if (is_signed(oauth, metadata))
        NA_TRY(na_oauth_sign_request(oauth, metadata, params));
    if (is_pushed(oauth, metadata))
        NA_TRY(na_oauth_push_request(oauth, metadata, params));
    return NULL;
}

na_error *na_oauth_authorization_url(const na_oauth *oauth, const na_metadata *metadata,
                                     const na_checks *checks, const apr_table_t *asked, char **url)
{
    const na_provider *provider = oauth->provider;
    const char *base = metadata->authorization_url;
    apr_table_t *params = fields_of(oauth, metadata, asked);
    if (checks->wishes) {
        base = take_query(oauth, base, &params); /* which can have a parameter that is replaced */
        set_wishes(oauth, checks, params);
    }
    apr_table_setn(params, "client_id", provider->client_id);
    const char *response_type = apr_table_get(provider->authorization_fields, "response_type");
    apr_table_setn(params, "response_type", response_type ? response_type : "code");
    apr_table_setn(params, "redirect_uri", oauth->redirect_uri);
    set_checks(oauth, checks, params);
    set_again(oauth, checks, params);
    NA_TRY(set_dpop_key(oauth, params));

    NA_TRY(na_oauth_check_request(oauth, metadata));
    if (is_pushed(oauth, metadata) || is_signed(oauth, metadata)) {
        base = take_query(oauth, base, &params);
        NA_TRY(protect(oauth, metadata, &params));
    }
    *url = na_url_add_all(oauth->pool, base, params);
    na_oauth_step(oauth, "GET_AUTHORIZATION_URL",
                  "redirect to %s: client %s, scope '%s', callback URL %s, checks%s%s%s",
                  metadata->authorization_url, provider->client_id,
                  provider->scope ? provider->scope : "", oauth->redirect_uri,
                  checks->state ? " state" : "", checks->nonce ? " nonce" : "",
                  checks->code_verifier ? " pkce" : "");
    return NULL;
}
