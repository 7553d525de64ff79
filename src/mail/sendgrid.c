/* SPDX-License-Identifier: Apache-2.0 */
/* The transport for SendGrid. */
#include "mail/transport.h"

#define ORIGIN "https://api.sendgrid.com"

static json_t *mailbox_of(const char *email, const char *name)
{
    return json_pack("{s:s, s:s*}", "email", email, "name", *name ? name : NULL);
}

/* Plain text comes first, as the service requires. */
static json_t *content_of(const na_mail_letter *letter)
{
    json_t *content = json_pack("[{s:s, s:s}]", "type", "text/plain", "value", letter->text);
    if (letter->html)
        json_array_append_new(content,
                              json_pack("{s:s, s:s}", "type", "text/html", "value", letter->html));
    return content;
}

/* Sign-in links must not lead through a service that counts clicks. */
static json_t *no_tracking(void)
{
    return json_pack("{s:{s:b, s:b}, s:{s:b}}", "click_tracking", "enable", 0, "enable_text", 0,
                     "open_tracking", "enable", 0);
}

static na_error *sendgrid_send(const na_mail *mail, apr_pool_t *pool, const na_mail_letter *letter)
{
    na_http_request request = {.url = na_mail_api_url(pool, mail->options, ORIGIN, "/v3/mail/send"),
                               .bearer = mail->options->api_key};
    json_t *json =
        json_pack("{s:[{s:[o]}], s:o, s:s, s:o, s:o}", "personalizations", "to",
                  mailbox_of(letter->to, ""), "from",
                  mailbox_of(letter->from.email, letter->from.name), "subject", letter->subject,
                  "content", content_of(letter), "tracking_settings", no_tracking());
    return na_mail_post_json(mail, pool, &request, json);
}

static const char *const needs[] = {"apiKey", NULL};
static const char *const takes[] = {"baseUrl", NULL};
const na_mail_transport na_mail_sendgrid = {"sendgrid",        needs, takes, NULL, sendgrid_send,
                                            na_mail_api_probe, ORIGIN};
