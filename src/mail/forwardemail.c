/* SPDX-License-Identifier: Apache-2.0 */
/* The transport for Forward Email. */
#include "mail/transport.h"

#define ORIGIN "https://api.forwardemail.net"

/* The key is a user without a password. */
static na_error *forwardemail_send(const na_mail *mail, apr_pool_t *pool,
                                   const na_mail_letter *letter)
{
    na_http_request request = {.url = na_mail_api_url(pool, mail->options, ORIGIN, "/v1/emails"),
                               .user = mail->options->api_key,
                               .password = ""};
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s*}", "from",
                             na_mailbox_text(pool, &letter->from), "to", letter->to, "subject",
                             letter->subject, "text", letter->text, "html", letter->html);
    return na_mail_post_json(mail, pool, &request, json);
}

static const char *const needs[] = {"apiKey", NULL};
static const char *const takes[] = {"baseUrl", NULL};
const na_mail_transport na_mail_forwardemail = {
    "forwardemail", needs, takes, NULL, forwardemail_send, na_mail_api_probe, ORIGIN};
