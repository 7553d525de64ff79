/* SPDX-License-Identifier: Apache-2.0 */
/* Forms that are posted to the provider, and how it refuses them. */
#include "oauth/post.h"

#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"

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

na_http_request na_oauth_request(const na_oauth *oauth, const char *url)
{
    return (na_http_request){.url = url,
                             .peer = oauth->provider->id,
                             .place = oauth->place,
                             .headers = oauth->headers,
                             .is_cancelled = oauth->is_cancelled,
                             .data = oauth->data};
}

/* Most bytes of a provider's error text that are logged. */
#define SAID_MAX 200

const char *na_oauth_quote(const na_oauth *oauth, const char *text)
{
    return na_one_line(oauth->pool, text, SAID_MAX);
}

/* GitHub uses its own errors, and Facebook a number, for a code or refresh token of another time.
 */
static int is_of_grant(const char *word, json_int_t number)
{
    return strcmp(word, "invalid_grant") == 0 || strcmp(word, "bad_verification_code") == 0 ||
           strcmp(word, "bad_refresh_token") == 0 || number == 100;
}

/* Reads an error of RFC 6749 section 5.2, or Facebook's object; returns NULL if neither. */
static na_error *refusal_of(const na_oauth *oauth, const char *endpoint, const json_t *answer)
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
                               is_of_grant(word, number) ? NA_ERR_INVALID_CHECK
                                                         : NA_ERR_OAUTH_CALLBACK,
                               "the %s returned the error '%s' (%s)", endpoint,
                               na_oauth_quote(oauth, word), na_oauth_quote(oauth, description))
                : NULL;
}

na_error *na_oauth_post(const na_oauth *oauth, na_http_request *request, const apr_table_t *fields,
                        const char *event, na_http_response *response)
{
    request->form = form_of(oauth, fields);
    NA_TRY(na_http_fetch(oauth->http, oauth->pool, request, response));
    na_oauth_step(oauth, event, "%s returned status %ld, %d bytes of %s", request->url,
                  response->status, (int)response->body.len,
                  na_oauth_quote(oauth, response->content_type));
    return NULL;
}

na_error *na_oauth_read_answer(const na_oauth *oauth, const char *endpoint,
                               const na_http_response *response, json_t **answer)
{
    na_error *error = na_json_parse(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                                    (const char *)response->body.data, response->body.len, answer);
    if (error)
        return na_error_wrap(oauth->pool, error, NULL, "the %s returned status %ld with '%s'",
                             endpoint, response->status,
                             na_oauth_quote(oauth, response->content_type));
    return refusal_of(oauth, endpoint, *answer);
}
