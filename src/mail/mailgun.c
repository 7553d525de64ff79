/* SPDX-License-Identifier: Apache-2.0 */
/* The transport for Mailgun. */
#include <apr_strings.h>

#include "base/text.h"
#include "mail/transport.h"

#define ORIGIN "https://api.mailgun.net"

static const char *add_field(apr_pool_t *pool, const char *form, const char *name,
                             const char *value)
{
    return apr_pstrcat(pool, form, *form ? "&" : "", name, "=", na_percent_encode(pool, value),
                       NULL);
}

/* Sign-in links must not lead through a service that counts clicks. */
static const char *form_of(apr_pool_t *pool, const na_mail_letter *letter)
{
    const char *form = add_field(pool, "", "from", na_mailbox_text(pool, &letter->from));
    form = add_field(pool, form, "to", letter->to);
    form = add_field(pool, form, "subject", letter->subject);
    form = add_field(pool, form, "text", letter->text);
    if (letter->html)
        form = add_field(pool, form, "html", letter->html);
    return add_field(pool, form, "o:tracking", "no");
}

static na_error *mailgun_send(const na_mail *mail, apr_pool_t *pool, const na_mail_letter *letter)
{
    const char *path = apr_pstrcat(pool, "/v3/", mail->options->domain, "/messages", NULL);
    na_http_request request = {.url = na_mail_api_url(pool, mail->options, ORIGIN, path),
                               .form = form_of(pool, letter),
                               .user = "api",
                               .password = mail->options->api_key};
    return na_mail_post(mail, pool, &request);
}

static na_error *mailgun_check(apr_pool_t *pool, const na_mail_options *options)
{
    if (na_email_is(apr_pstrcat(pool, "a@", options->domain, NULL)))
        return NULL;
    return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION, "mail: invalid domain="),
                              "set domain= to a domain that Mailgun lists, such as mg.example.org");
}

static const char *const needs[] = {"apiKey", "domain", NULL};
static const char *const takes[] = {"baseUrl", NULL};
const na_mail_transport na_mail_mailgun = {"mailgun",     needs,        takes,
                                           mailgun_check, mailgun_send, na_mail_api_probe,
                                           ORIGIN};
