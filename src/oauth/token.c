/* SPDX-License-Identifier: Apache-2.0 */
/* The token request. */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"
#include "oauth/oauth.h"

static const char *add_field(const na_oauth *oauth, const char *form, const char *name,
                             const char *value)
{
    char *encoded = na_percent_encode(oauth->pool, value);
    char *grown = apr_pstrcat(oauth->pool, form, *form ? "&" : "", name, "=", encoded, NULL);
    na_wipe_with_pool(oauth->pool, encoded, strlen(encoded));
    na_wipe_with_pool(oauth->pool, grown, strlen(grown));
    return grown;
}

static const char *const auth_names[] = {[NA_AUTH_BASIC] = "client_secret_basic",
                                         [NA_AUTH_POST] = "client_secret_post",
                                         [NA_AUTH_NONE] = "none"};

/* A document without the list means client_secret_basic (Discovery 1.0 section 3). */
static int offers_auth(const na_metadata *metadata, na_token_auth auth)
{
    for (size_t i = 0; i < json_array_size(metadata->auths); i++) {
        const char *offered = json_string_value(json_array_get(metadata->auths, i));
        if (offered && strcmp(offered, auth_names[auth]) == 0)
            return 1;
    }
    return !metadata->auths && auth == NA_AUTH_BASIC;
}

na_error *na_oauth_token_auth(const na_oauth *oauth, const na_metadata *metadata,
                              na_token_auth *auth, int *is_offered)
{
    *auth = oauth->provider->token_auth;
    *is_offered = oauth->provider->type == NA_OAUTH;
    if (*is_offered || *auth != NA_AUTH_AUTO) {
        *auth = *auth == NA_AUTH_AUTO ? NA_AUTH_BASIC : *auth;
        *is_offered = *is_offered || *auth == NA_AUTH_NONE || offers_auth(metadata, *auth);
        return NULL;
    }
    *auth = offers_auth(metadata, NA_AUTH_BASIC) ? NA_AUTH_BASIC : NA_AUTH_POST;
    *is_offered = offers_auth(metadata, *auth);
    return *is_offered ? NULL
                       : na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                                      "the provider supports neither client_secret_basic nor "
                                      "client_secret_post at its token endpoint");
}

/* RFC 6749 section 2.3.1: both halves of Basic authentication are form-encoded first. */
static na_error *authenticate(const na_oauth *oauth, const na_metadata *metadata,
                              na_http_request *request)
{
    const na_provider *provider = oauth->provider;
    na_token_auth auth;
    int is_offered;
    NA_TRY(na_oauth_token_auth(oauth, metadata, &auth, &is_offered));
    if (auth == NA_AUTH_BASIC) {
        request->user = na_percent_encode(oauth->pool, provider->client_id);
        request->password = na_percent_encode(oauth->pool, provider->client_secret);
        return NULL;
    }
    request->form = add_field(oauth, request->form, "client_id", provider->client_id);
    if (auth == NA_AUTH_POST)
        request->form = add_field(oauth, request->form, "client_secret", provider->client_secret);
    return NULL;
}

/* Most bytes of a provider's error text that are logged. */
#define SAID_MAX 200

static const char *quoted(const na_oauth *oauth, const char *text)
{
    return na_one_line(oauth->pool, text, SAID_MAX);
}

/* GitHub uses its own error, and Facebook a number, for a code of another sign-in. */
static int is_of_code(const char *word, json_int_t number)
{
    return strcmp(word, "invalid_grant") == 0 || strcmp(word, "bad_verification_code") == 0 ||
           number == 100;
}

/* Reads an error of RFC 6749 section 5.2, or Facebook's object; returns NULL if neither. */
static na_error *refusal_of(const na_oauth *oauth, const json_t *answer)
{
    const json_t *object = json_object_get(answer, "error");
    const char *word = na_json_string(answer, "error");
    const char *description = na_json_string(answer, "error_description");
    json_int_t number = 0;
    if (json_is_object(object)) {
        word = na_json_string(object, "type");
        description = na_json_string(object, "message");
        na_json_number(object, "code", &number);
    }
    return word ? na_error_new(oauth->pool,
                               is_of_code(word, number) ? NA_ERR_INVALID_CHECK
                                                        : NA_ERR_OAUTH_CALLBACK,
                               "the token endpoint returned the error '%s' (%s)",
                               quoted(oauth, word), quoted(oauth, description))
                : NULL;
}

static na_error *read_tokens(const na_oauth *oauth, const json_t *answer, na_tokens *tokens)
{
    const char *type = na_json_string(answer, "token_type");
    json_int_t lifetime;
    tokens->access_token = na_json_string(answer, "access_token");
    tokens->id_token = na_json_string(answer, "id_token");
    tokens->scope = na_json_string(answer, "scope");
    tokens->token_type = type;
    tokens->refresh_token = na_json_string(answer, "refresh_token");
    tokens->session_state = na_json_string(answer, "session_state");
    tokens->expires_at = 0;
    if (na_json_number(answer, "expires_in", &lifetime) && lifetime > 0)
        tokens->expires_at = apr_time_sec(oauth->now) + lifetime;
    if (!tokens->access_token || !*tokens->access_token)
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "the token response has no access_token");
    /* required by RFC 6749 section 5.1, but plain OAuth 2.0 providers omit it */
    if (type ? strcasecmp(type, "bearer") != 0 : oauth->provider->type == NA_OIDC)
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "the token response has the token_type '%s': expected bearer",
                            quoted(oauth, type));
    if (oauth->provider->type == NA_OIDC && !tokens->id_token)
        return na_error_new(
            oauth->pool, NA_ERR_OAUTH_CALLBACK,
            "the token response has no id_token: check that scope= contains openid");
    return NULL;
}

static int length(const char *secret)
{
    return secret ? (int)strlen(secret) : 0;
}

na_error *na_oauth_exchange(const na_oauth *oauth, const na_metadata *metadata, const char *code,
                            const char *code_verifier, na_tokens *tokens)
{
    const char *form = add_field(oauth, "", "grant_type", "authorization_code");
    form = add_field(oauth, form, "code", code);
    form = add_field(oauth, form, "redirect_uri", oauth->redirect_uri);
    if (code_verifier)
        form = add_field(oauth, form, "code_verifier", code_verifier);

    na_http_request request = {.url = metadata->token_url,
                               .peer = oauth->provider->id,
                               .place = oauth->place,
                               .headers = oauth->headers,
                               .form = form};
    na_http_response response;
    json_t *answer;
    NA_TRY(authenticate(oauth, metadata, &request));
    NA_TRY(na_http_fetch(oauth->http, oauth->pool, &request, &response));
    na_oauth_step(oauth, "OAUTH_CALLBACK_RESPONSE",
                  "%s returned status %ld to the code, %d bytes of %s", metadata->token_url,
                  response.status, (int)response.body.len, quoted(oauth, response.content_type));
    na_error *error = na_json_parse(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                                    (const char *)response.body.data, response.body.len, &answer);
    if (error)
        return na_error_wrap(oauth->pool, error, NULL,
                             "the token endpoint returned status %ld with '%s'", response.status,
                             quoted(oauth, response.content_type));
    NA_TRY(refusal_of(oauth, answer));
    if (response.status != 200)
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "the token endpoint returned status %ld", response.status);
    NA_TRY(read_tokens(oauth, answer, tokens));
    na_oauth_step(oauth, "OAUTH_CALLBACK_RESPONSE",
                  "tokens: access %d characters, ID token %d, refresh %d; scope '%s'",
                  length(tokens->access_token), length(tokens->id_token),
                  length(tokens->refresh_token), quoted(oauth, tokens->scope));
    return NULL;
}
