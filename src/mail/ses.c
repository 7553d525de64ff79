/* SPDX-License-Identifier: Apache-2.0 */
/* The transport for Amazon SES. */
#include <string.h>

#include <apr_strings.h>
#include <curl/curl.h>

#include "mail/transport.h"

/* libcurl signs custom headers since this version. */
#define SIGNS_HEADERS 0x075800

static json_t *text_of(const char *text)
{
    return json_pack("{s:s, s:s}", "Data", text, "Charset", "UTF-8");
}

static json_t *body_of(const na_mail_letter *letter)
{
    json_t *body = json_pack("{s:o}", "Text", text_of(letter->text));
    if (letter->html)
        json_object_set_new(body, "Html", text_of(letter->html));
    return body;
}

/* SES requires names of senders as in a header, but not folded. */
static const char *sender_of(apr_pool_t *pool, const na_mailbox *mailbox)
{
    char *sender = apr_pstrdup(pool, na_mailbox_header(pool, mailbox)), *out = sender;
    for (const char *in = sender; *in; in++)
        if (*in != '\r' && *in != '\n')
            *out++ = *in;
    *out = '\0';
    return sender;
}

static const char *origin_of(apr_pool_t *pool, const na_mail_options *options)
{
    return apr_pstrcat(pool, "https://email.", options->region, ".amazonaws.com", NULL);
}

static na_error *ses_probe(const na_mail *mail, apr_pool_t *pool)
{
    return na_mail_api_reach(mail, pool, origin_of(pool, mail->options));
}

/* The token of temporary keys is signed like every x-amz-… header. */
static na_error *ses_send(const na_mail *mail, apr_pool_t *pool, const na_mail_letter *letter)
{
    const na_mail_options *options = mail->options;
    na_http_request request = {
        .url =
            na_mail_api_url(pool, options, origin_of(pool, options), "/v2/email/outbound-emails"),
        .user = options->access_key_id,
        .password = options->secret_access_key,
        .sigv4 = apr_pstrcat(pool, "aws:amz:", options->region, ":ses", NULL),
        .headers = (const char *const[]){options->session_token
                                             ? apr_pstrcat(pool, "X-Amz-Security-Token: ",
                                                           options->session_token, NULL)
                                             : NULL,
                                         NULL}};
    json_t *json = json_pack("{s:s, s:{s:[s]}, s:{s:{s:o, s:o}}}", "FromEmailAddress",
                             sender_of(pool, &letter->from), "Destination", "ToAddresses",
                             letter->to, "Content", "Simple", "Subject", text_of(letter->subject),
                             "Body", body_of(letter));
    return na_mail_post_json(mail, pool, &request, json);
}

static na_error *ses_check(apr_pool_t *pool, const na_mail_options *options)
{
    const char *region = options->region;
    if (strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(region))
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION, "mail: invalid region="),
                                  "set region= to a name that AWS lists, such as eu-central-1");
    if (options->session_token && curl_version_info(CURLVERSION_NOW)->version_num < SIGNS_HEADERS)
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                               "mail: sessionToken= requires libcurl 7.88"),
                                  "remove it, or install a newer libcurl");
    return NULL;
}

static const char *const needs[] = {"accessKeyId", "secretAccessKey", "region", NULL};
static const char *const takes[] = {"sessionToken", "baseUrl", NULL};
const na_mail_transport na_mail_ses = {"ses", needs, takes, ses_check, ses_send, ses_probe, NULL};
