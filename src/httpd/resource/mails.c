/* SPDX-License-Identifier: Apache-2.0 */
/* Email queues: one for each virtual host with NextAuthMail, in every child process. */
#include <http_main.h>

#include "httpd/resource/resource.h"
#include "metrics/observers.h"

static void log_mail(void *data, na_level level, const char *line)
{
    na_log_server(data, level, "SEND_VERIFICATION_EMAIL", "mail: %s", line);
}

static na_error *open_queue(apr_pool_t *pool, server_rec *s)
{
    na_server_conf *conf = na_server_conf_of(s);
    const na_mail_log log = {log_mail, s};
    na_mail *mail;
    na_http *http; /* separate, so that sign-ins do not wait for emails */
    NA_TRY(na_http_make(pool, &conf->config->http, &http));
    na_http_observe(http, na_metrics_of_calls(pool, na_process_of_child()->metrics));
    NA_TRY(na_mail_make(pool, conf->config->mail, http, &log, &mail));
    na_mail_keep_health(mail, &conf->shared_health->mail);
    NA_TRY(na_mail_queue_make(pool, mail, NA_MAIL_QUEUE_CAPACITY, &conf->mails));
    na_mail_queue_observe(conf->mails, na_metrics_of_mails(pool, na_process_of_child()->metrics));
    return NULL;
}

static na_error *open_mails(apr_pool_t *pool, server_rec *s)
{
    for (; s; s = s->next) {
        const na_config *config = na_server_conf_of(s)->config;
        if (config && config->mail)
            NA_TRY(open_queue(pool, s));
    }
    return NULL;
}

const na_resource na_mails = {.open = open_mails};
