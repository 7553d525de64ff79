/* SPDX-License-Identifier: Apache-2.0 */
/* The transport for Loops, which has the text of emails itself. */
#include <apr_strings.h>

#include "mail/transport.h"

#define ORIGIN "https://app.loops.so"

/*
 * A template there is filled with data variables: `url` as Auth.js names it, and `subject` and
 * `text`, for all other emails than links to sign in. Its sender is the template's own. The
 * idempotency key, equal at each attempt, keeps the service from sending twice.
 */
static na_error *loops_send(const na_mail *mail, apr_pool_t *pool, const na_mail_letter *letter)
{
    na_http_request request = {
        .url = na_mail_api_url(pool, mail->options, ORIGIN, "/api/v1/transactional"),
        .bearer = mail->options->api_key,
        .headers =
            (const char *const[]){apr_pstrcat(pool, "Idempotency-Key: ", letter->id, NULL), NULL}};
    json_t *json =
        json_pack("{s:s, s:s, s:{s:s, s:s, s:s}}", "transactionalId",
                  mail->options->transactional_id, "email", letter->to, "dataVariables", "url",
                  letter->url ? letter->url : "", "subject", letter->subject, "text", letter->text);
    return na_mail_post_json(mail, pool, &request, json);
}

static const char *const needs[] = {"apiKey", "transactionalId", NULL};
static const char *const takes[] = {"baseUrl", NULL};
const na_mail_transport na_mail_loops = {"loops",           needs, takes, NULL, loops_send,
                                         na_mail_api_probe, ORIGIN};
