/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a service or a program, in JSON, for a decision. */
#include "event/ask.h"

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/run.h"
#include "event/webhook.h"

/* ── a service ─────────────────────────────────────────────────────────────────────────────── */

static int is_over(void *data)
{
    return apr_time_now() >= *(const apr_time_t *)data;
}

static na_error *no_answer(apr_pool_t *pool, const na_error *why)
{
    return na_error_wrap(pool, (na_error *)why, NA_ERR_UNAVAILABLE, "there is no answer");
}

/* Signed as the requests of webhooks are, so that the service knows who asks. */
static na_error *ask_service(const na_adviser *adviser, na_http *http, apr_pool_t *pool,
                             na_call_place *place, const char *question, const char **text)
{
    apr_time_t until = apr_time_now() + apr_time_from_msec(adviser->timeout_ms);
    const char *id = na_random_uuid(pool);
    const char *now = apr_psprintf(pool, "%" APR_INT64_T_FMT, apr_time_sec(apr_time_now()));
    const char *signature = na_webhook_signature(pool, adviser->keys, id, now, question);
    const char *const headers[] = {apr_pstrcat(pool, "webhook-id: ", id, NULL),
                                   apr_pstrcat(pool, "webhook-timestamp: ", now, NULL),
                                   apr_pstrcat(pool, "webhook-signature: ", signature, NULL), NULL};
    na_http_request request = {.url = adviser->url,
                               .json = question,
                               .headers = headers,
                               .place = place,
                               .is_cancelled = is_over,
                               .data = &until};
    na_http_response response;
    na_error *error = na_http_fetch(http, pool, &request, &response);
    if (error)
        return no_answer(pool, error);
    if (response.status != 200)
        return na_error_new(pool, NA_ERR_UNAVAILABLE, "the service returned status %ld",
                            response.status);
    if (response.body.len > NA_ANSWER_MAX)
        return na_error_new(pool, NA_ERR_UNAVAILABLE, "the answer has more than %d bytes",
                            NA_ANSWER_MAX);
    *text = (const char *)response.body.data;
    return NULL;
}

/* ── both ──────────────────────────────────────────────────────────────────────────────────── */

/* An answer can be true, false, null, or a string, which are no JSON texts of their own here. */
static na_error *parse_answer(apr_pool_t *pool, const char *text, const json_t **answer)
{
    const char *list = apr_pstrcat(pool, "[", text, "]", NULL);
    json_t *json;
    na_error *error = na_json_parse(pool, NA_ERR_CONFIGURATION, list, strlen(list), &json);
    if (error || json_array_size(json) != 1)
        return na_error_wrap(pool, error, NA_ERR_CONFIGURATION, "the answer is not one JSON value");
    *answer = json_array_get(json, 0);
    return NULL;
}

na_error *na_ask(const na_adviser *adviser, na_http *http, apr_pool_t *pool, const json_t *question,
                 const json_t **answer)
{
    const na_run_limits limits = {adviser->timeout_ms, NA_ANSWER_MAX};
    const char *json = na_json_dump(pool, question), *text;
    na_call_place *place;
    na_error *error = na_http_enter(http, pool, &place);
    if (error)
        return no_answer(pool, error);
    error = adviser->url ? ask_service(adviser, http, pool, place, json, &text)
                         : na_run(pool, adviser->argv, json, &limits, &text);
    na_http_leave(place);
    NA_TRY(error);
    return parse_answer(pool, text, answer);
}
