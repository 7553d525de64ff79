/* SPDX-License-Identifier: Apache-2.0 */
/* The token request. */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/url.h"
#include "oauth/oauth.h"

#define PARAMS_MAX 32

/* Returns the fields as a form, which has secrets. */
static const char *form_of(const na_oauth *oauth, const apr_table_t *fields)
{
    const apr_array_header_t *list = apr_table_elts(fields);
    apr_array_header_t *pairs = apr_array_make(oauth->pool, list->nelts, sizeof(const char *));
    for (int i = 0; i < list->nelts; i++) {
        const apr_table_entry_t *field = &APR_ARRAY_IDX(list, i, const apr_table_entry_t);
        char *value = na_percent_encode(oauth->pool, field->val);
        char *pair = apr_pstrcat(oauth->pool, field->key, "=", value, NULL);
        na_wipe_with_pool(oauth->pool, value, strlen(value));
        na_wipe_with_pool(oauth->pool, pair, strlen(pair));
        APR_ARRAY_PUSH(pairs, const char *) = pair;
    }
    char *form = na_join(oauth->pool, pairs, "&");
    na_wipe_with_pool(oauth->pool, form, strlen(form));
    return form;
}

/* Some providers have names of their own for the fields of RFC 6749 section 4.1.3. */
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
    apr_table_t *fields = apr_table_make(oauth->pool, 8);
    apr_table_setn(fields, "grant_type", "authorization_code");
    apr_table_setn(fields, "code", code);
    apr_table_setn(fields, "redirect_uri", oauth->redirect_uri);
    if (code_verifier)
        apr_table_setn(fields, "code_verifier", code_verifier);

    na_http_request request = {.url = metadata->token_url,
                               .peer = oauth->provider->id,
                               .place = oauth->place,
                               .headers = oauth->headers};
    na_http_response response;
    json_t *answer;
    NA_TRY(na_oauth_authenticate(oauth, metadata, &request, fields));
    NA_TRY(add_own_fields(oauth, code, fields));
    request.form = form_of(oauth, fields);
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
