/* SPDX-License-Identifier: Apache-2.0 */
/* Sending of emails: options, messages, and one attempt. */
#ifndef NA_MAIL_MAIL_H
#define NA_MAIL_MAIL_H

#include "base/breaker.h"
#include "base/error.h"
#include "base/http.h"
#include "base/level.h"
#include "mail/address.h"

/* How a connection to a mail server is protected. */
typedef enum na_mail_tls {
    NA_MAIL_STARTTLS, /* the server must offer it */
    NA_MAIL_SMTPS,
    NA_MAIL_CLEAR /* on this machine or, without a password, in a private network */
} na_mail_tls;

/* Immutable configuration; NULL if not set. na_mail_options_start sets the defaults. */
typedef struct na_mail_options {
    const char *transport; /* a name of na_mail_transport_names, such as smtp */
    const char *from;      /* "Name <a@b.org>" or "a@b.org" */

    const char *host; /* of the mail server; IPv6 without brackets */
    int port;
    na_mail_tls tls;
    const char *user; /* requires `password` */
    const char *password;
    const char *ca_file;     /* NULL for the system's */
    long timeout_ms;         /* of one attempt, plus at most a second to close; for an HTTP API
                                the HTTP client's limit applies */
    long connect_timeout_ms; /* of these, until connected */

    const char *api_key;       /* of an HTTP API, except that of SES */
    const char *base_url;      /* of the API in another region; https, or http on this machine */
    const char *access_key_id; /* ses */
    const char *secret_access_key;
    const char *session_token;    /* of temporary keys */
    const char *region;           /* "eu-central-1" */
    const char *domain;           /* mailgun's sending domain */
    const char *transactional_id; /* the template of loops */
} na_mail_options;

/*
 * Sets all of `options` from `text`, with defaults for the rest. `text` is the name of a transport,
 * or smtp://[user[:password]@]host[:port][?tls=off] or smtps://…, user and password
 * percent-encoded; ports are 587 and 465. smtp: requires STARTTLS, except on this machine
 * (localhost, 127.0.0.0/8, ::1), where nothing is encrypted without ?tls=starttls. The error's
 * message never shows the URL.
 */
na_error *na_mail_options_start(apr_pool_t *pool, const char *text, na_mail_options *options);

/* Sets `options` from a URL only. */
na_error *na_mail_url_parse(apr_pool_t *pool, const char *url, na_mail_options *options);

/* Checks that `from`, an address or "Name <address>", can be a sender; NULL cannot. */
na_error *na_mail_sender_check(apr_pool_t *pool, const char *from);

/* Checks for options that are missing, contradict each other, or name unreadable files. */
na_error *na_mail_options_check(apr_pool_t *pool, const na_mail_options *options);

/* Writes lines to the log; called by any thread. */
typedef struct na_mail_log {
    void (*write)(void *data, na_level level, const char *line);
    void *data;
} na_mail_log;

/* Most bytes of a subject, and of each body. */
#define NA_MAIL_SUBJECT_MAX 255
#define NA_MAIL_BODY_MAX (256 * 1024)

/* An email; all text is UTF-8. */
typedef struct na_mail_message {
    const char *to;   /* passes na_email_is */
    const char *from; /* NULL for that of the options */
    const char *subject;
    const char *text;  /* lines end with LF */
    const char *html;  /* NULL if none */
    const char *url;   /* the link in the bodies; NULL if none */
    const char *id;    /* letters, digits, and '-', equal at each attempt; NULL for a random one */
    int is_for_nobody; /* na_mail_queue accepts and discards it */
} na_mail_message;

/* Sends emails for a process; safe for use by several threads at once. */
typedef struct na_mail na_mail;

/*
 * `options` must have passed na_mail_options_check. They and `http`, which smtp and log do not use,
 * must live as long as `pool`. `log` is copied. libcurl must have been initialized
 * (na_http_global_init), and SIGPIPE must be ignored, as httpd does.
 */
na_error *na_mail_make(apr_pool_t *pool, const na_mail_options *options, na_http *http,
                       const na_mail_log *log, na_mail **mail);

/*
 * Sets where the success of attempts is recorded. Must be called before the first attempt; `health`
 * must live as long as `mail`. A server that refuses one recipient or message is not down.
 */
void na_mail_keep_health(na_mail *mail, na_breaker_state *health);

/*
 * From `when` on, an attempt under way fails within about a second; 0 if attempts continue. Safe to
 * call from any thread.
 */
void na_mail_stop_at(na_mail *mail, apr_time_t when);

/* Checks that a message can be sent: addresses, lengths, encoding, control characters. */
na_error *na_mail_message_check(const na_mail *mail, apr_pool_t *pool,
                                const na_mail_message *message);

/*
 * Makes one attempt; returns when the server or service has accepted the message. An error's
 * message names no recipient; na_mail_is_temporary returns whether a later attempt might succeed:
 * after 4xx of SMTP, 429 and 5xx of HTTP, and failures of the connection. An attempt whose reply
 * was lost might have delivered the message.
 */
na_error *na_mail_send(const na_mail *mail, apr_pool_t *pool, const na_mail_message *message);

/*
 * Checks, without a message, that one could be handed over now: connects to a mail server and
 * authenticates, or checks that a service's API responds.
 */
na_error *na_mail_probe(const na_mail *mail, apr_pool_t *pool);

int na_mail_is_temporary(const na_error *error);

#endif
