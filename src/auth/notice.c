/* SPDX-License-Identifier: Apache-2.0 */
/* Notifies the owner of an account by email. */
#include "auth/notice.h"

#include <apr_strings.h>

#include "auth/network.h"
#include "auth/report.h"
#include "base/url.h"

/* The link leads to a page, and changes nothing. */
static na_error *send_notice(na_request *request, na_mail_kind kind, const char *email,
                             const char *path, long seconds)
{
    const na_config *config = request->config;
    na_mail_message message;
    na_url site;
    na_url_parse(request->pool, config->origin, &site);
    const na_mail_values values = {.url = apr_pstrcat(request->pool, config->base_url, path, NULL),
                                   .host = site.origin + strlen(site.scheme) + strlen("://"),
                                   .email = email,
                                   .brand_color = config->theme.brand_color,
                                   .button_text = config->theme.button_text,
                                   .valid_for = seconds};
    na_mail_template_fill(request->pool, config->mail_templates[kind], &values, &message);
    return na_mail_queue_put(request->mails, request->pool, &message, na_network_of(request),
                             request->now + apr_time_from_sec(seconds));
}

void na_notice_send(na_request *request, na_mail_kind kind, const char *email, long seconds)
{
    int can_reset = kind != NA_MAIL_EMAIL_CHANGED && request->config->features & NA_FEATURE_RESET;
    if (!request->mails || !email)
        return;
    na_error *error =
        send_notice(request, kind, email, can_reset ? "/reset-password" : "/signin", seconds);
    if (error)
        na_log(request, NA_LOG_WARNING, "SEND_NOTICE_ERROR",
               "could not notify the owner of the account (%s): %s", na_mail_kind_name(kind),
               na_error_text(request->pool, error));
}
