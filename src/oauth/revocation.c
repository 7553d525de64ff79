/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation of tokens (RFC 7009). */
#include "oauth/revocation.h"

#include "oauth/post.h"

/* Section 2.1: the client authenticates as at the token endpoint. */
na_error *na_oauth_revoke(const na_oauth *oauth, const na_metadata *metadata, const char *token,
                          const char *hint)
{
    apr_table_t *fields = apr_table_make(oauth->pool, 4);
    na_http_request request = na_oauth_request(oauth, metadata->revocation_url);
    na_http_response response;
    json_t *answer;
    apr_table_setn(fields, "token", token);
    apr_table_setn(fields, "token_type_hint", hint);
    NA_TRY(na_oauth_authenticate(oauth, metadata, &request, fields));
    NA_TRY(na_oauth_post(oauth, &request, fields, "REVOCATION", &response));
    if (response.status == 200) /* section 2.2: also if the token was not valid */
        return NULL;
    NA_TRY(na_oauth_read_answer(oauth, "revocation endpoint", &response, &answer));
    return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                        "the revocation endpoint returned status %ld", response.status);
}
