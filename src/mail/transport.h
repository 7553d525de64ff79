/* SPDX-License-Identifier: Apache-2.0 */
/* What all transports share, for src/mail alone. */
#ifndef NA_MAIL_TRANSPORT_H
#define NA_MAIL_TRANSPORT_H

#include <apr_atomic.h>
#include <jansson.h>

#include "mail/mail.h"

/* A message that passed na_mail_message_check. */
typedef struct na_mail_letter {
    const char *to;
    na_mailbox from;
    const char *subject;
    const char *text;
    const char *html; /* or NULL */
    const char *url;  /* the link in the bodies, or NULL */
    const char *id;
} na_mail_letter;

typedef struct na_mail_transport {
    const char *name;
    const char *const *needs; /* names of required options, NULL at the end */
    const char *const *takes; /* names of other supported options */
    na_error *(*check)(apr_pool_t *pool, const na_mail_options *options); /* or NULL */
    na_error *(*send)(const na_mail *mail, apr_pool_t *pool, const na_mail_letter *letter);
    na_error *(*probe)(const na_mail *mail,
                       apr_pool_t *pool); /* NULL if there is nothing to probe */
    const char *origin; /* of an API that has one for all, for na_mail_api_probe; NULL if none */
} na_mail_transport;

extern const na_mail_transport na_mail_smtp, na_mail_sendgrid, na_mail_ses, na_mail_resend,
    na_mail_postmark, na_mail_mailgun, na_mail_forwardemail, na_mail_loops, na_mail_to_log;

/* Returns NULL if the name is unknown. */
const na_mail_transport *na_mail_transport_find(const char *name);

/* Returns "smtp, sendgrid, …". */
const char *na_mail_transport_names(apr_pool_t *pool);

struct na_mail {
    const na_mail_transport *transport;
    const na_mail_options *options;
    na_http *http;
    na_mail_log log;
    na_breaker_state *health;      /* NULL if not kept */
    volatile apr_uint64_t stop_at; /* apr_time_t; 0 if attempts go on */
    volatile void *kept;           /* CURL * of smtp, between two messages; NULL if none */
};

/* Returns 1 if an attempt under way must end (na_mail_stop_at). */
static inline int na_mail_is_stopped(const na_mail *mail)
{
    apr_uint64_t stop_at = apr_atomic_read64((volatile apr_uint64_t *)&mail->stop_at);
    return stop_at && (apr_uint64_t)apr_time_now() >= stop_at;
}

static inline void na_mail_write(const na_mail *mail, na_level level, const char *line)
{
    mail->log.write(mail->log.data, level, line);
}

/* Returns the options' base_url, or else `origin`, followed by `path`. */
const char *na_mail_api_url(apr_pool_t *pool, const na_mail_options *options, const char *origin,
                            const char *path);

/* Checks that the API at this origin responds, with any status. */
na_error *na_mail_api_reach(const na_mail *mail, apr_pool_t *pool, const char *origin);

/* The probe of transports that have an `origin`. */
na_error *na_mail_api_probe(const na_mail *mail, apr_pool_t *pool);

/* Calls an API; any status but 2xx is an error. */
na_error *na_mail_post(const na_mail *mail, apr_pool_t *pool, const na_http_request *request);

/* Calls an API with JSON, of which it takes over a reference. */
na_error *na_mail_post_json(const na_mail *mail, apr_pool_t *pool, na_http_request *request,
                            json_t *json);

#endif
