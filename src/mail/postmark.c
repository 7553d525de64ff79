/* SPDX-License-Identifier: Apache-2.0 */
/* The transport for Postmark. */
#include <apr_strings.h>

#include "mail/transport.h"

#define ORIGIN "https://api.postmarkapp.com"

/* Sign-in links must not lead through a service that counts clicks. */
static na_error *postmark_send(const na_mail *mail, apr_pool_t *pool, const na_mail_letter *letter)
{
    na_http_request request = {
        .url = na_mail_api_url(pool, mail->options, ORIGIN, "/email"),
        .headers = (const char *const[]){
            apr_pstrcat(pool, "X-Postmark-Server-Token: ", mail->options->api_key, NULL), NULL}};
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s, s:s, s:b}", "From",
                             na_mailbox_text(pool, &letter->from), "To", letter->to, "Subject",
                             letter->subject, "TextBody", letter->text, "HtmlBody", letter->html,
                             "MessageStream", "outbound", "TrackLinks", "None", "TrackOpens", 0);
    return na_mail_post_json(mail, pool, &request, json);
}

static const char *const needs[] = {"apiKey", NULL};
static const char *const takes[] = {"baseUrl", NULL};
const na_mail_transport na_mail_postmark = {"postmark",        needs, takes, NULL, postmark_send,
                                            na_mail_api_probe, ORIGIN};
