/* SPDX-License-Identifier: Apache-2.0 */
/* The transport for Resend. */
#include <apr_strings.h>

#include "mail/transport.h"

#define ORIGIN "https://api.resend.com"

/* The idempotency key, equal at each attempt, keeps the service from sending twice. */
static na_error *resend_send(const na_mail *mail, apr_pool_t *pool, const na_mail_letter *letter)
{
    na_http_request request = {.url = na_mail_api_url(pool, mail->options, ORIGIN, "/emails"),
                               .bearer = mail->options->api_key,
                               .headers = (const char *const[]){
                                   apr_pstrcat(pool, "Idempotency-Key: ", letter->id, NULL), NULL}};
    json_t *json = json_pack("{s:s, s:[s], s:s, s:s, s:s*}", "from",
                             na_mailbox_text(pool, &letter->from), "to", letter->to, "subject",
                             letter->subject, "text", letter->text, "html", letter->html);
    return na_mail_post_json(mail, pool, &request, json);
}

static const char *const needs[] = {"apiKey", NULL};
static const char *const takes[] = {"baseUrl", NULL};
const na_mail_transport na_mail_resend = {"resend",          needs, takes, NULL, resend_send,
                                          na_mail_api_probe, ORIGIN};
