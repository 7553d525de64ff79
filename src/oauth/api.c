/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to a provider's APIs with the user's access token. */
#include "oauth/api.h"

#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/url.h"
#include "oauth/dpop.h"

/* Some providers expect the access token in the URL, and not in a header. */
static const char *token_part(apr_pool_t *pool, const void *data, const char *name)
{
    const na_tokens *tokens = data;
    const char *value = strcmp(name, "access_token") == 0
                            ? tokens->access_token
                            : na_json_scalar(pool, json_object_get(tokens->response, name));
    return value && *value ? value : NULL;
}

static na_error *fill(const na_oauth *oauth, const na_tokens *tokens, const char *template,
                      const char **url)
{
    const char *missing;
    char *filled = na_url_fill(oauth->pool, template, "{token.", token_part, tokens, &missing);
    if (!filled)
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "the token response has no %s, which userinfo= requires", missing);
    na_wipe_with_pool(oauth->pool, filled, strlen(filled));
    *url = filled;
    return NULL;
}

static const char *const *all_headers(const na_oauth *oauth)
{
    const char *const *const lists[] = {oauth->headers, oauth->provider->userinfo_headers};
    apr_array_header_t *all = apr_array_make(oauth->pool, 8, sizeof(const char *));
    for (int i = 0; i < 2; i++)
        for (const char *const *header = lists[i]; header && *header; header++)
            APR_ARRAY_PUSH(all, const char *) = *header;
    APR_ARRAY_PUSH(all, const char *) = NULL;
    return (const char *const *)all->elts;
}

/* An access token can be bound to the certificate (RFC 8705 section 3). */
static const na_certificate *certificate_for(const na_oauth *oauth, const char *url)
{
    const na_certificate *certificate = &oauth->provider->certificate;
    return certificate->chain && strncmp(url, "https://", 8) == 0 ? certificate : NULL;
}

/*
 * The URL can have placeholders; they, and not what replaces them, are logged. *is_refused is 1 if
 * the server asks for a request with a nonce.
 */
static na_error *fetch_once(const na_oauth *oauth, const na_api_call *call, const na_tokens *tokens,
                            na_http_response *response, int *is_refused)
{
    const char *url = call->url;
    int has_token = strstr(url, "{token.access_token}") != NULL;
    na_http_request request = {.peer = oauth->provider->id,
                               .place = oauth->place,
                               .bearer = has_token ? NULL : tokens->access_token,
                               .certificate = certificate_for(oauth, url),
                               .accept = call->accept,
                               .form = call->form,
                               .headers = all_headers(oauth)};
    NA_TRY(fill(oauth, tokens, url, &request.url));
    NA_TRY(na_dpop_add(oauth, &request, call->form ? "POST" : "GET", request.bearer));
    NA_TRY(na_http_fetch(oauth->http, oauth->pool, &request, response));
    *is_refused = na_dpop_take_nonce(oauth, &request, response);
    na_oauth_step(oauth, "PROFILE_DATA", "%.*s returned status %ld, %d bytes",
                  (int)strcspn(url, "?"), url, response->status, (int)response->body.len);
    return NULL;
}

na_error *na_oauth_call_api(const na_oauth *oauth, const na_api_call *call, const na_tokens *tokens,
                            na_http_response *response)
{
    int is_refused;
    NA_TRY(fetch_once(oauth, call, tokens, response, &is_refused));
    if (is_refused) /* RFC 9449 section 9 */
        NA_TRY(fetch_once(oauth, call, tokens, response, &is_refused));
    return response->status == 200
               ? NULL
               : na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK, "%s returned status %ld",
                              call->accept ? "its URL" : "the userinfo endpoint", response->status);
}
