/* SPDX-License-Identifier: Apache-2.0 */
/* The token request: for a code, and for a refresh token. */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/url.h"
#include "oauth/dpop.h"
#include "oauth/post.h"

#define PARAMS_MAX 32

/*
 * Some providers have names of their own for the fields of RFC 6749 section 4.1.3. `code` is NULL
 * if the request has none.
 */
static na_error *add_own_fields(const na_oauth *oauth, const char *code, apr_table_t *fields)
{
    const apr_table_t *own = na_form_parse(oauth->pool, oauth->provider->token_params, PARAMS_MAX);
    const apr_array_header_t *list = apr_table_elts(own);
    for (int i = 0; i < list->nelts; i++) {
        const apr_table_entry_t *field = &APR_ARRAY_IDX(list, i, const apr_table_entry_t);
        const char *value = field->val;
        if (strcmp(field->val, "{code}") == 0)
            value = code; /* can be any text, also a placeholder */
        else if (strcmp(field->val, "{clientSecret}") == 0)
            NA_TRY(na_oauth_client_secret(oauth, &value));
        if (value && *value)
            apr_table_setn(fields, field->key, value);
        else
            apr_table_unset(fields, field->key);
    }
    return NULL;
}

/* Twitch sends a list of strings. */
static const char *scope_of(const na_oauth *oauth, const json_t *scope)
{
    apr_array_header_t *names = apr_array_make(oauth->pool, 4, sizeof(const char *));
    for (size_t i = 0; i < json_array_size(scope); i++) {
        const char *name = json_string_value(json_array_get(scope, i));
        if (name)
            APR_ARRAY_PUSH(names, const char *) = name;
    }
    return json_is_array(scope) ? na_join(oauth->pool, names, " ") : json_string_value(scope);
}

/*
 * Plain OAuth 2.0 providers omit what RFC 6749 section 5.1 requires. A server that ignores proofs
 * returns a token that is not bound to the key (RFC 9449 section 5).
 */
static na_error *check_token_type(const na_oauth *oauth, const char *type)
{
    const char *expected = oauth->provider->dpop_key ? "DPoP" : "bearer";
    int can_be_missing = oauth->provider->type == NA_OAUTH && !oauth->provider->dpop_key;
    return (type ? strcasecmp(type, expected) == 0 : can_be_missing)
               ? NULL
               : na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                              "the token response has the token_type '%s': expected %s",
                              na_oauth_quote(oauth, type), expected);
}

static na_error *read_tokens(const na_oauth *oauth, const json_t *answer, na_tokens *tokens)
{
    const char *type = na_json_string(answer, "token_type");
    json_int_t lifetime;
    tokens->access_token = na_json_string(answer, "access_token");
    tokens->id_token = na_json_string(answer, "id_token");
    tokens->scope = scope_of(oauth, json_object_get(answer, "scope"));
    tokens->response = answer;
    tokens->token_type = type;
    tokens->refresh_token = na_json_string(answer, "refresh_token");
    tokens->session_state = na_json_string(answer, "session_state");
    tokens->expires_at = 0;
    tokens->id_claims = NULL;
    if (na_json_number(answer, "expires_in", &lifetime) && lifetime > 0)
        tokens->expires_at = apr_time_sec(oauth->now) + lifetime;
    if (!tokens->access_token || !*tokens->access_token)
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "the token response has no access_token");
    NA_TRY(check_token_type(oauth, type));
    return NULL;
}

static int length(const char *secret)
{
    return secret ? (int)strlen(secret) : 0;
}

/* *is_refused is 1 if the server asks for a request with a nonce. */
static na_error *send_grant(const na_oauth *oauth, const na_metadata *metadata,
                            const apr_table_t *grant, na_http_response *response, int *is_refused)
{
    apr_table_t *fields = apr_table_copy(oauth->pool, grant);
    const char *code = apr_table_get(grant, "code");
    const apr_array_header_t *resources = oauth->provider->resources;
    for (int i = 0; resources && i < resources->nelts; i++) /* RFC 8707 section 2.2 */
        apr_table_addn(fields, "resource", APR_ARRAY_IDX(resources, i, const char *));
    na_http_request request = na_oauth_request(oauth, metadata->token_url);
    NA_TRY(na_oauth_authenticate(oauth, metadata, &request, fields));
    NA_TRY(add_own_fields(oauth, code, fields));
    NA_TRY(na_dpop_add(oauth, &request, "POST", NULL));
    NA_TRY(na_oauth_post(oauth, &request, fields, "OAUTH_CALLBACK_RESPONSE", response));
    *is_refused = na_dpop_take_nonce(oauth, &request, response);
    return NULL;
}

static na_error *redeem(const na_oauth *oauth, const na_metadata *metadata,
                        const apr_table_t *grant, na_tokens *tokens)
{
    na_http_response response;
    json_t *answer;
    int is_refused;
    NA_TRY(send_grant(oauth, metadata, grant, &response, &is_refused));
    if (is_refused) /* RFC 9449 section 8: once more, with a new assertion as well */
        NA_TRY(send_grant(oauth, metadata, grant, &response, &is_refused));
    NA_TRY(na_oauth_read_answer(oauth, "token endpoint", &response, &answer));
    if (response.status != 200)
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "the token endpoint returned status %ld", response.status);
    NA_TRY(read_tokens(oauth, answer, tokens));
    na_oauth_step(oauth, "OAUTH_CALLBACK_RESPONSE",
                  "tokens: access %d characters, ID token %d, refresh %d; scope '%s'",
                  length(tokens->access_token), length(tokens->id_token),
                  length(tokens->refresh_token), na_oauth_quote(oauth, tokens->scope));
    return NULL;
}

na_error *na_oauth_exchange(const na_oauth *oauth, const na_metadata *metadata, const char *code,
                            const char *code_verifier, na_tokens *tokens)
{
    apr_table_t *grant = apr_table_make(oauth->pool, 4);
    apr_table_setn(grant, "grant_type", "authorization_code");
    apr_table_setn(grant, "code", code);
    apr_table_setn(grant, "redirect_uri", oauth->redirect_uri);
    if (code_verifier)
        apr_table_setn(grant, "code_verifier", code_verifier);
    NA_TRY(redeem(oauth, metadata, grant, tokens));
    tokens->code = code;
    if (oauth->provider->type == NA_OIDC && !tokens->id_token)
        return na_error_new(
            oauth->pool, NA_ERR_OAUTH_CALLBACK,
            "the token response has no id_token: check that scope= contains openid");
    return NULL;
}

na_error *na_oauth_renew_tokens(const na_oauth *oauth, const na_metadata *metadata,
                                const char *refresh_token, na_tokens *tokens)
{
    apr_table_t *grant = apr_table_make(oauth->pool, 2);
    apr_table_setn(grant, "grant_type", "refresh_token");
    apr_table_setn(grant, "refresh_token", refresh_token);
    NA_TRY(redeem(oauth, metadata, grant, tokens));
    tokens->code = NULL;
    return NULL;
}
