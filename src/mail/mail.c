/* SPDX-License-Identifier: Apache-2.0 */
/* One email: checked, then handed to its transport. */
#include "mail/mail.h"

#include <string.h>

#include <apr_atomic.h>
#include <apr_strings.h>
#include <curl/curl.h>

#include "base/crypto.h"
#include "base/text.h"
#include "mail/transport.h"

#define ID_MAX 64

static const na_mail_transport *const transports[] = {
    &na_mail_smtp,    &na_mail_sendgrid,     &na_mail_ses,   &na_mail_resend, &na_mail_postmark,
    &na_mail_mailgun, &na_mail_forwardemail, &na_mail_loops, &na_mail_to_log,
};

#define TRANSPORTS (sizeof transports / sizeof *transports)

const na_mail_transport *na_mail_transport_find(const char *name)
{
    for (apr_size_t i = 0; name && i < TRANSPORTS; i++)
        if (strcmp(transports[i]->name, name) == 0)
            return transports[i];
    return NULL;
}

const char *na_mail_transport_names(apr_pool_t *pool)
{
    const char *names = transports[0]->name;
    for (apr_size_t i = 1; i < TRANSPORTS; i++)
        names = apr_pstrcat(pool, names, ", ", transports[i]->name, NULL);
    return names;
}

static apr_status_t end_mail(void *data)
{
    curl_easy_cleanup((CURL *)((na_mail *)data)->kept);
    return APR_SUCCESS;
}

na_error *na_mail_make(apr_pool_t *pool, const na_mail_options *options, na_http *http,
                       const na_mail_log *log, na_mail **made)
{
    na_mail *mail = apr_palloc(pool, sizeof *mail);
    *mail = (na_mail){.transport = na_mail_transport_find(options->transport),
                      .options = options,
                      .http = http,
                      .log = *log};
    if (!mail->transport)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "mail: missing transport");
    apr_pool_cleanup_register(pool, mail, end_mail, apr_pool_cleanup_null);
    *made = mail;
    return NULL;
}

/* ── one message ───────────────────────────────────────────────────────────────────────────── */

static na_error *refuse(apr_pool_t *pool, const char *why)
{
    return na_error_new(pool, NA_ERR_EMAIL_SIGNIN, "mail not sent: %s", why);
}

static int is_subject(const char *text)
{
    return text && *text && strlen(text) <= NA_MAIL_SUBJECT_MAX && !na_has_control(text) &&
           na_is_utf8(text);
}

static int is_body(const char *text)
{
    return *text && strlen(text) <= NA_MAIL_BODY_MAX && na_is_utf8(text);
}

/* An ID is written into headers. */
static int is_id(const char *id)
{
    apr_size_t len = strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    return len && len <= ID_MAX && !id[len];
}

static na_error *make_letter(const na_mail *mail, apr_pool_t *pool, const na_mail_message *message,
                             na_mail_letter *letter)
{
    if (!message->to || !na_email_is(message->to))
        return refuse(pool, "invalid recipient: expected a plain email address");
    if (!is_subject(message->subject))
        return refuse(pool,
                      "the subject is empty, too long, not UTF-8, or contains control characters");
    if (!message->text || !is_body(message->text) || (message->html && !is_body(message->html)))
        return refuse(pool, "the text is empty, too long, or not UTF-8");
    if (message->id && !is_id(message->id))
        return refuse(pool, "invalid message ID");
    *letter = (na_mail_letter){.to = message->to,
                               .subject = message->subject,
                               .text = message->text,
                               .html = message->html,
                               .url = message->url,
                               .id = message->id ? message->id : na_random_uuid(pool)};
    na_error *error =
        na_mailbox_parse(pool, message->from ? message->from : mail->options->from, &letter->from);
    return error ? na_error_wrap(pool, error, NA_ERR_EMAIL_SIGNIN, "mail not sent") : NULL;
}

na_error *na_mail_message_check(const na_mail *mail, apr_pool_t *pool,
                                const na_mail_message *message)
{
    na_mail_letter letter;
    return make_letter(mail, pool, message, &letter);
}

void na_mail_keep_health(na_mail *mail, na_breaker_state *health)
{
    mail->health = health;
}

void na_mail_stop_at(na_mail *mail, apr_time_t when)
{
    apr_atomic_set64(&mail->stop_at, (apr_uint64_t)when);
}

/* A server that refuses authentication counts as down. */
static na_error *settle(const na_mail *mail, apr_pool_t *pool, na_error *error)
{
    const na_breaker breaker = {.name = mail->transport->name, .health = mail->health};
    int refused = na_error_is(error, NA_ERR_CONFIGURATION);
    if (mail->health)
        na_breaker_settle(&breaker, pool,
                          refused ? na_error_wrap(pool, error, NA_ERR_UNAVAILABLE, "refused")
                                  : error);
    return error;
}

na_error *na_mail_send(const na_mail *mail, apr_pool_t *pool, const na_mail_message *message)
{
    na_mail_letter letter;
    NA_TRY(make_letter(mail, pool, message, &letter));
    return settle(mail, pool, mail->transport->send(mail, pool, &letter));
}

na_error *na_mail_probe(const na_mail *mail, apr_pool_t *pool)
{
    return mail->transport->probe ? mail->transport->probe(mail, pool) : NULL;
}

int na_mail_is_temporary(const na_error *error)
{
    return na_error_is(error, NA_ERR_UNAVAILABLE);
}
