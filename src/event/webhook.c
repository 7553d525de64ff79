/* SPDX-License-Identifier: Apache-2.0 */
/* Delivers items to a webhook, signed according to Standard Webhooks. */
#include "event/webhook.h"

#include <string.h>

#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/crypto.h"

/* ── keys ──────────────────────────────────────────────────────────────────────────────────── */

#define PREFIX "whsec_"
#define PREFIX_LEN (sizeof PREFIX - 1)

/* Decodes RFC 4648 section 4, padded. The data is NULL if the text is invalid. */
static na_bytes decode_base64(apr_pool_t *pool, const char *text)
{
    size_t len = strlen(text), padding = len ? (text[len - 1] == '=') : 0;
    padding += len > 1 && text[len - 2] == '=';
    unsigned char *data = apr_palloc(pool, len + 1);
    int decoded = EVP_DecodeBlock(data, (const unsigned char *)text, (int)len);
    na_wipe_with_pool(pool, data, len + 1);
    return len && decoded > 0 ? (na_bytes){data, (apr_size_t)decoded - padding}
                              : (na_bytes){NULL, 0};
}

na_error *na_webhook_add_keys(apr_pool_t *pool, const char *text, apr_array_header_t *keys)
{
    char *last, *copy = apr_pstrdup(pool, text);
    na_wipe_with_pool(pool, copy, strlen(copy));
    for (char *word = apr_strtok(copy, " \t\r\n", &last); word;
         word = apr_strtok(NULL, " \t\r\n", &last)) {
        int encoded = strncmp(word, PREFIX, PREFIX_LEN) == 0;
        na_bytes key = encoded ? decode_base64(pool, word + PREFIX_LEN) : na_bytes_of(word);
        if (!key.data)
            return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                                   "invalid secret: expected base64 after " PREFIX),
                                      "copy the complete secret");
        if (key.len < NA_WEBHOOK_KEY_MIN)
            return na_error_with_hint(
                na_error_new(pool, NA_ERR_CONFIGURATION,
                             "the secret is %d bytes; at least %d are required", (int)key.len,
                             NA_WEBHOOK_KEY_MIN),
                "generate one with 'nextauthctl secret'");
        APR_ARRAY_PUSH(keys, na_bytes) = key;
    }
    return NULL;
}

int na_webhook_same_keys(const apr_array_header_t *a, const apr_array_header_t *b)
{
    int count = a ? a->nelts : 0;
    if (count != (b ? b->nelts : 0))
        return 0;
    for (int i = 0; i < count; i++) {
        na_bytes x = APR_ARRAY_IDX(a, i, na_bytes), y = APR_ARRAY_IDX(b, i, na_bytes);
        if (x.len != y.len || CRYPTO_memcmp(x.data, y.data, x.len) != 0)
            return 0;
    }
    return 1;
}

/* ── signing ───────────────────────────────────────────────────────────────────────────────── */

static const char *sign_content(apr_pool_t *pool, na_bytes key, const char *content)
{
    unsigned char mac[NA_SHA256_LEN];
    unsigned char *base64 = apr_palloc(pool, (NA_SHA256_LEN + 2) / 3 * 4 + 1);
    na_hmac_sha256(mac, key, na_bytes_of(content));
    EVP_EncodeBlock(base64, mac, sizeof mac);
    return (const char *)base64;
}

const char *na_webhook_signature(apr_pool_t *pool, const apr_array_header_t *keys, const char *id,
                                 const char *timestamp, const char *body)
{
    const char *all = "", *content = apr_pstrcat(pool, id, ".", timestamp, ".", body, NULL);
    for (int i = 0; i < keys->nelts; i++)
        all = apr_pstrcat(pool, all, *all ? " " : "", "v1,",
                          sign_content(pool, APR_ARRAY_IDX(keys, i, na_bytes), content), NULL);
    return all;
}

/* ── sending ───────────────────────────────────────────────────────────────────────────────── */

/* W3C Trace Context: makes the receiver's work part of the trace of the request. */
static const char *trace_header(apr_pool_t *pool, const json_t *json)
{
    const char *trace = na_json_string(json, "traceId");
    if (!trace || strlen(trace) != 32 || strspn(trace, "0123456789abcdef") != 32)
        return NULL;
    return apr_psprintf(pool, "traceparent: 00-%s-%s-01", trace, na_random_hex(pool, 8));
}

void na_webhook_send(const na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                     const na_spool_item *item, const json_t *json, na_attempt *attempt)
{
    const na_webhook *webhook = sink->data;
    const char *body = na_json_dump(pool, json);
    const char *now = apr_psprintf(pool, "%" APR_INT64_T_FMT, apr_time_sec(apr_time_now()));
    const char *signature = na_webhook_signature(pool, webhook->keys, item->id, now, body);
    const char *const headers[] = {apr_pstrcat(pool, "webhook-id: ", item->id, NULL),
                                   apr_pstrcat(pool, "webhook-timestamp: ", now, NULL),
                                   apr_pstrcat(pool, "webhook-signature: ", signature, NULL),
                                   trace_header(pool, json), NULL};
    na_http_request request = {.url = webhook->url,
                               .json = body,
                               .accept = "*/*",
                               .headers = headers,
                               .repeatable = 1,
                               .is_cancelled = courier->is_stopping,
                               .data = courier->data};
    na_http_response response;
    na_error *error = na_http_fetch(sink->http, pool, &request, &response);
    na_attempt_of_response(pool, error, &response, attempt);
}
