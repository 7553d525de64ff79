/* SPDX-License-Identifier: Apache-2.0 */
/* One interface to send an email. */
#ifndef NA_MAIL_MAIL_H
#define NA_MAIL_MAIL_H

#include "base/breaker.h"
#include "base/error.h"
#include "base/http.h"
#include "base/level.h"
#include "mail/address.h"

/* How a connection to a mail server is protected. */
typedef enum na_mail_tls {
    NA_MAIL_STARTTLS, /* the server has to offer it */
    NA_MAIL_SMTPS,
    NA_MAIL_CLEAR /* on this machine or, without a password, in a private network */
} na_mail_tls;

/* Immutable configuration; NULL is what is not set. na_mail_options_start gives the defaults. */
typedef struct na_mail_options {
    const char *transport; /* smtp, sendgrid, ses, resend, postmark, mailgun or log */
    const char *from;      /* "Name <a@b.org>" or "a@b.org" */

    const char *host; /* of the mail server; IPv6 without brackets */
    int port;
    na_mail_tls tls;
    const char *user; /* needs `password` */
    const char *password;
    const char *ca_file; /* NULL: the system's */
    long timeout_ms; /* of one attempt, and at most a second more to say good-bye; for an HTTP API
                        the HTTP client's counts */
    long connect_timeout_ms; /* of these, until connected */

    const char *api_key;       /* sendgrid, resend, postmark, mailgun */
    const char *base_url;      /* of the API: another region's; https, or http on this machine */
    const char *access_key_id; /* ses */
    const char *secret_access_key;
    const char *session_token; /* of temporary keys */
    const char *region;        /* "eu-central-1" */
    const char *domain;        /* mailgun's sending domain */
} na_mail_options;

/*
 * Sets all of `options`: what `text` says, defaults for the rest. It is the name of a transport,
 * or smtp://[user[:password]@]host[:port][?tls=off] or smtps://…, user and password
 * percent-encoded; ports are 587 and 465. smtp: demands STARTTLS, except of this machine
 * (localhost, 127.0.0.0/8, ::1), where nothing is encrypted unless it says ?tls=starttls. The
 * error's message never shows the address.
 */
na_error *na_mail_options_start(apr_pool_t *pool, const char *text, na_mail_options *options);

/* The same of an address alone. */
na_error *na_mail_url_parse(apr_pool_t *pool, const char *url, na_mail_options *options);

/* Whether mails can be from `from`, an address or "Name <address>"; NULL is none. */
na_error *na_mail_sender_check(apr_pool_t *pool, const char *from);

/* What is missing, does not fit together or cannot be read; no server is asked. */
na_error *na_mail_options_check(apr_pool_t *pool, const na_mail_options *options);

/* Where lines for the log go; called by any thread, one at a time by each. */
typedef struct na_mail_log {
    void (*write)(void *data, na_level level, const char *line);
    void *data;
} na_mail_log;

/* Most bytes of a subject, and of each body. */
#define NA_MAIL_SUBJECT_MAX 255
#define NA_MAIL_BODY_MAX (256 * 1024)

/* All UTF-8. */
typedef struct na_mail_message {
    const char *to;   /* passes na_email_is */
    const char *from; /* NULL: the options' */
    const char *subject;
    const char *text;  /* lines end with LF */
    const char *html;  /* NULL: none */
    const char *id;    /* letters, digits and '-': the same at each attempt; NULL: a random one */
    int is_for_nobody; /* na_mail_queue takes it, and throws it away */
} na_mail_message;

/* Sends for a process; any number of threads may use it at once. */
typedef struct na_mail na_mail;

/*
 * `options` must have passed na_mail_options_check and live as long as `pool`, as must `http`,
 * which smtp and log do without. `log` is copied. libcurl must have been set up
 * (na_http_global_init), and SIGPIPE be ignored, as httpd does.
 */
na_error *na_mail_make(apr_pool_t *pool, const na_mail_options *options, na_http *http,
                       const na_mail_log *log, na_mail **mail);

/*
 * Where it is kept whether attempts succeed; before the first one, and to live as long as `mail`.
 * That a server refuses one recipient or message is nothing against it.
 */
void na_mail_keep_health(na_mail *mail, na_breaker_state *health);

/*
 * From `when` on an attempt under way fails within about a second; 0 if attempts go on. Safe to
 * call from any thread.
 */
void na_mail_stop_at(na_mail *mail, apr_time_t when);

/* Whether a message can be sent at all: addresses, lengths, encoding, control characters. */
na_error *na_mail_message_check(const na_mail *mail, apr_pool_t *pool,
                                const na_mail_message *message);

/*
 * One attempt; returns when the server or service has taken the message. An error's message names
 * no recipient; na_mail_is_temporary tells whether a later attempt may succeed: after 4xx of SMTP,
 * 429 and 5xx of HTTP, and whatever goes wrong on the way. An attempt whose answer got lost may
 * have delivered nevertheless.
 */
na_error *na_mail_send(const na_mail *mail, apr_pool_t *pool, const na_mail_message *message);

/*
 * Whether a message could be handed over now, without one: a mail server is connected to and logged
 * in at, of a service's API it is seen that it answers.
 */
na_error *na_mail_probe(const na_mail *mail, apr_pool_t *pool);

int na_mail_is_temporary(const na_error *error);

#endif
