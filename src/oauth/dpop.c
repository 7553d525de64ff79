/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens that are bound to a key of this server (RFC 9449, DPoP). */
#include "oauth/dpop.h"

#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/url.h"
#include "jose/jwk_public.h"
#include "jose/jws.h"

#define NONCE_MAX 512

/* ── nonces ────────────────────────────────────────────────────────────────────────────────── */

/* NQCHAR of RFC 6749 appendix A. */
int na_dpop_is_nonce(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if (text[i] < 0x21 || text[i] > 0x7e || text[i] == '"' || text[i] == '\\')
            return 0;
    return len > 0 && len <= NONCE_MAX;
}

/* Each server has nonces of its own (section 8.2). */
static const char *origin_of(const na_oauth *oauth, const char *url)
{
    na_url parts;
    return na_url_parse(oauth->pool, url, &parts) ? parts.origin : "";
}

/* A resource server can say it in WWW-Authenticate alone. */
static int asks_for_nonce(const na_oauth *oauth, const na_http_response *response)
{
    json_t *answer;
    na_error *error = na_json_parse(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                                    (const char *)response->body.data, response->body.len, &answer);
    const char *word = error ? NULL : na_json_string(answer, "error");
    if (word)
        return strcmp(word, "use_dpop_nonce") == 0;
    return response->status == 401;
}

int na_dpop_take_nonce(const na_oauth *oauth, const na_http_request *request,
                       const na_http_response *response)
{
    const char *nonce = response->wanted, *origin = origin_of(oauth, request->url);
    if (!oauth->provider->dpop_key || !oauth->nonces || !nonce || !na_dpop_is_nonce(nonce))
        return 0;
    const char *sent = apr_table_get(oauth->nonces, origin);
    int is_new = !sent || strcmp(sent, nonce) != 0;
    apr_table_set(oauth->nonces, origin, nonce);
    return is_new && (response->status == 400 || response->status == 401) &&
           asks_for_nonce(oauth, response);
}

/* ── proofs ────────────────────────────────────────────────────────────────────────────────── */

/* Section 4.2: the URL without query and fragment. */
static const char *target_of(const na_oauth *oauth, const char *url)
{
    return apr_pstrmemdup(oauth->pool, url, strcspn(url, "?#"));
}

static const char *hash_of(const na_oauth *oauth, const char *access_token)
{
    unsigned char hash[NA_SHA256_LEN];
    na_sha256(hash, na_bytes_of(access_token), (na_bytes){0});
    return na_base64url_encode(oauth->pool, hash, sizeof hash);
}

static const json_t *claims_of(const na_oauth *oauth, const na_http_request *request,
                               const char *method, const char *access_token)
{
    const char *nonce =
        oauth->nonces ? apr_table_get(oauth->nonces, origin_of(oauth, request->url)) : NULL;
    json_int_t now = apr_time_sec(oauth->now);
    return na_json_own(oauth->pool,
                       json_pack("{s:s, s:s, s:s, s:I, s:s*, s:s*}", "jti",
                                 na_random_base64url(oauth->pool, 16), "htm", method, "htu",
                                 target_of(oauth, request->url), "iat", now, "nonce", nonce, "ath",
                                 access_token ? hash_of(oauth, access_token) : NULL));
}

static na_error *make_proof(const na_oauth *oauth, const na_http_request *request,
                            const char *method, const char *access_token, char **proof)
{
    const na_jwk *key = oauth->provider->dpop_key;
    json_t *jwk, *header = na_json_own(oauth->pool, json_object());
    NA_TRY(na_jwk_public(oauth->pool, key, &jwk));
    json_object_set_new(header, "typ", json_string("dpop+jwt"));
    json_object_set(header, "jwk", jwk);
    const char *claims = na_json_dump(oauth->pool, claims_of(oauth, request, method, access_token));
    return na_jws_sign_with(oauth->pool, key, "ES256", header, na_bytes_of(claims), proof);
}

/* Section 7.1: the scheme is DPoP, so that a server that does not know it refuses the token. */
static const char *authorization_of(const na_oauth *oauth, const char *access_token)
{
    char *header = apr_pstrcat(oauth->pool, "Authorization: DPoP ", access_token, NULL);
    na_wipe_with_pool(oauth->pool, header, strlen(header));
    return header;
}

na_error *na_dpop_add(const na_oauth *oauth, na_http_request *request, const char *method,
                      const char *access_token)
{
    apr_array_header_t *headers = apr_array_make(oauth->pool, 8, sizeof(const char *));
    char *proof;
    if (!oauth->provider->dpop_key)
        return NULL;
    if (access_token && na_has_control(access_token))
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "the access token contains control characters");
    NA_TRY(make_proof(oauth, request, method, access_token, &proof));
    for (const char *const *header = request->headers; header && *header; header++)
        APR_ARRAY_PUSH(headers, const char *) = *header;
    APR_ARRAY_PUSH(headers, const char *) = apr_pstrcat(oauth->pool, "DPoP: ", proof, NULL);
    if (access_token)
        APR_ARRAY_PUSH(headers, const char *) = authorization_of(oauth, access_token);
    APR_ARRAY_PUSH(headers, const char *) = NULL;
    request->headers = (const char *const *)headers->elts;
    request->bearer = NULL;
    request->wanted = "DPoP-Nonce";
    return NULL;
}
