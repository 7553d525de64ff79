/* SPDX-License-Identifier: Apache-2.0 */
/* Pushed authorization requests (RFC 9126). */
#include "oauth/pushed.h"

#include <string.h>

#include "base/json.h"
#include "oauth/post.h"

/* It becomes part of a URL. */
#define REQUEST_URI_MAX 2048

na_error *na_oauth_read_pushed(apr_pool_t *pool, long status, const json_t *answer,
                               const char **request_uri)
{
    const char *uri = na_json_string(answer, "request_uri");
    json_int_t lifetime;
    if (status != 201 && status != 200)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK,
                            "the endpoint of pushed requests returned status %ld", status);
    if (!uri || !*uri || strlen(uri) > REQUEST_URI_MAX || na_has_control(uri))
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK,
                            "the endpoint of pushed requests returned no valid request_uri");
    if (!na_json_number(answer, "expires_in", &lifetime) || lifetime <= 0)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK,
                            "the endpoint of pushed requests returned no valid expires_in");
    *request_uri = uri;
    return NULL;
}

/* Section 2.1: the client authenticates as at the token endpoint. */
na_error *na_oauth_push_request(const na_oauth *oauth, const na_metadata *metadata,
                                apr_table_t **params)
{
    apr_table_t *fields = apr_table_copy(oauth->pool, *params);
    na_http_request request = na_oauth_request(oauth, metadata->pushed_url);
    na_http_response response;
    const char *request_uri;
    json_t *answer;
    NA_TRY(na_oauth_authenticate(oauth, metadata, &request, fields));
    NA_TRY(na_oauth_post(oauth, &request, fields, "PUSHED_AUTHORIZATION_REQUEST", &response));
    NA_TRY(na_oauth_read_answer(oauth, "endpoint of pushed requests", &response, &answer));
    NA_TRY(na_oauth_read_pushed(oauth->pool, response.status, answer, &request_uri));
    apr_table_t *reference = apr_table_make(oauth->pool, 2); /* section 4 */
    apr_table_setn(reference, "client_id", oauth->provider->client_id);
    apr_table_setn(reference, "request_uri", request_uri);
    *params = reference;
    return NULL;
}
