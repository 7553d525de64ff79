/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "auth/action.h"
#include "base/crypto.h"
#include "base/json.h"

#define TOKEN_BYTES 32

static const char *hash_of(apr_pool_t *pool, const char *token, const char *secret)
{
    unsigned char hash[NA_SHA256_LEN];
    na_sha256(hash, na_bytes_of(token), na_bytes_of(secret));
    return na_hex(pool, hash, sizeof hash);
}

/* A cookie's token where its hash fits one of the secrets: rotation keeps open forms valid. */
static const char *token_of(const na_request *request, const char *cookie)
{
    const na_config *config = request->config;
    if (strlen(cookie) != 4 * TOKEN_BYTES + 1 || cookie[2 * TOKEN_BYTES] != '|')
        return NULL;
    const char *token = apr_pstrmemdup(request->pool, cookie, 2 * TOKEN_BYTES);
    for (int i = 0; i < config->secret_count; i++)
        if (na_equal_secret(cookie + 2 * TOKEN_BYTES + 1,
                            hash_of(request->pool, token, config->secrets[i])))
            return token;
    return NULL;
}

/* Of several cookies any that is ours will do: forms have the first one's token. */
void na_csrf(na_request *request)
{
    const char *name = request->config->cookies[NA_COOKIE_CSRF].name, *cookie;
    int is_post = strcmp(request->method, "POST") == 0;
    const char *shown = is_post ? apr_table_get(request->form, "csrfToken") : NULL;
    for (int i = 0; (cookie = na_cookies_get(request->cookies, name, i)); i++) {
        const char *token = token_of(request, cookie);
        if (!token)
            continue;
        request->csrf_verified |= na_equal_secret(token, shown);
        if (!request->csrf_token)
            request->csrf_token = token;
    }
}

void na_csrf_hand_out(na_request *request, na_response *response)
{
    if (request->csrf_token)
        return;
    const na_cookie *cookie = &request->config->cookies[NA_COOKIE_CSRF];
    request->csrf_token = na_random_hex(request->pool, TOKEN_BYTES);
    const char *hash = hash_of(request->pool, request->csrf_token, request->config->secrets[0]);
    const char *value = apr_pstrcat(request->pool, request->csrf_token, "|", hash, NULL);
    na_set_cookie(response, na_cookie_write(request->pool, cookie, cookie->name, value, -1, 0));
}

na_error *na_refuse_csrf(na_request *request, na_response *response, const char *page)
{
    if (na_speaks_v5(request))
        return na_error_new(request->pool, NA_MISSING_CSRF, "no or another CSRF token");
    na_log(request, NA_LOG_WARNING, "MISSING_CSRF", "%s %s: no or another CSRF token",
           request->method, request->action);
    na_keep_reference(request, response);
    na_respond_redirect(request, response, 200,
                        apr_pstrcat(request->pool, request->config->base_url, page, NULL));
    return NULL;
}

na_error *na_get_csrf(na_request *request, na_response *response)
{
    json_t *body = na_json_own(request->pool, json_pack("{s:s}", "csrfToken", request->csrf_token));
    na_respond_json(request, response, 200, body);
    return NULL;
}
