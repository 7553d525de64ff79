/* SPDX-License-Identifier: Apache-2.0 */
/* The transport that writes emails to the log, for development. */
#include <apr_strings.h>

#include "base/text.h"
#include "mail/transport.h"

#define LINE_MAX_BYTES 4096

/* For development only: anyone who reads the log can use the links. */
static na_error *log_send(const na_mail *mail, apr_pool_t *pool, const na_mail_letter *letter)
{
    char *state, *text = apr_pstrdup(pool, letter->text);
    na_mail_write(mail, NA_LOG_INFO,
                  apr_pstrcat(pool, "mail from ", na_mailbox_text(pool, &letter->from), " to ",
                              letter->to, NULL));
    na_mail_write(mail, NA_LOG_INFO, apr_pstrcat(pool, "mail: ", letter->subject, NULL));
    for (char *line = apr_strtok(text, "\n", &state); line; line = apr_strtok(NULL, "\n", &state))
        na_mail_write(mail, NA_LOG_INFO,
                      apr_pstrcat(pool, "mail: ", na_one_line(pool, line, LINE_MAX_BYTES), NULL));
    return NULL;
}

static const char *const none[] = {NULL};
const na_mail_transport na_mail_to_log = {"log", none, none, NULL, log_send, NULL, NULL};
